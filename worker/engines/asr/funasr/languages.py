"""The languages of Fun-ASR Nano, and which of them a text is in."""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES: Mapping[str, str] = {
    "zh": "中文", "en": "英文", "yue": "粤语", "ja": "日文", "ko": "韩文", "vi": "越南语", "id": "印尼语", "th": "泰语",
    "ms": "马来语", "fil": "菲律宾语", "ar": "阿拉伯语", "hi": "印地语", "bg": "保加利亚语", "hr": "克罗地亚语",
    "cs": "捷克语", "da": "丹麦语", "nl": "荷兰语", "et": "爱沙尼亚语", "fi": "芬兰语", "el": "希腊语",
    "hu": "匈牙利语", "ga": "爱尔兰语", "lv": "拉脱维亚语", "lt": "立陶宛语", "mt": "马耳他语", "pl": "波兰语",
    "pt": "葡萄牙语", "ro": "罗马尼亚语", "sk": "斯洛伐克语", "sl": "斯洛文尼亚语", "sv": "瑞典语",
}  # fmt: skip
"""BCP 47 primary tag → the name that the model was trained with; both from the model card of
FunAudioLLM/Fun-ASR-MLT-Nano-2512."""
CHINESE_ENGLISH_JAPANESE = ("zh", "en", "ja")
"""What FunAudioLLM/Fun-ASR-Nano-2512 was trained with, on far more speech."""
_ALIASES = {"tl": "fil", "cmn": "zh", "in": "id"}

_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    "ja": re.compile("[\u3041-\u3096\u30a1-\u30fa]"),
    "ko": re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]"),
    "zh": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
    "th": re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]"),
    "hi": re.compile("[\u0900-\u0963\u0971-\u097f]"),
    "el": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "bg": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0620-\u064a\u066e-\u06d3\u0750-\u077f\u08a0-\u08b4\ufb50-\ufdff\ufe70-\ufefc]"),
}
"""Languages that have a script of their own among the 31."""
EAST_ASIAN = ("ja", "ko", "zh", "yue")
_CANTONESE = re.compile("[嘅咗唔喺嗰冇佢哋啲嚟]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")

_LATIN: Mapping[str, tuple[str, str]] = {
    "en": ("", "the is are was do does what how where when who why i you we it my your can to of and in for have with"),
    "vi": (
        "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
        "là có không bao nhiêu giá tôi của và được cho khi ở đi mấy giờ đâu",
    ),
    "id": ("", "apa yang dan di ini itu tidak bisa saya berapa kapan untuk dengan ada dari mana karena bagaimana kami"),
    "ms": ("", "apa yang dan di ini itu tidak boleh saya berapa bila untuk dengan ada dari mana kerana awak nak macam"),
    "fil": ("", "ang ng mga sa ako ko ano saan magkano po ba ay na kailan paano ito hindi"),
    "hr": ("đćčšž", "je što kako gdje koliko kada i na se za li sam nije ima mogu"),
    "cs": ("ěřůčšžý", "je jak kde kolik kdy co a na se za mám není prosím můžu"),
    "da": ("æøå", "er hvad hvor hvornår og det jeg ikke kan en til på med har du af"),
    "nl": ("", "het een de is wat hoe waar wanneer en niet ik van kan ik met voor zijn jullie hoeveel"),
    "et": ("õäöü", "on ja mis kus kui palju millal ma ei kas see mida saab"),
    "fi": ("äö", "on ja mitä missä kuinka paljon milloin minä ei onko se mikä voin"),
    "hu": ("őűöüáéí", "a az és hogy hol mennyi mikor nem van egy mit kell"),
    "ga": ("áéíóú", "an na tá cá cad conas agus is ní mé cathain bhfuil ar"),
    "lv": ("āēīūņļķģčšž", "ir kas kur cik kad un es nav vai kā var par"),
    "lt": ("ėęįųūąčšž", "yra kas kur kiek kada ir aš ne ar kaip galima"),
    "mt": ("ħġżċ", "huwa x'inhu fejn kemm meta u jien mhux hija il li ta"),
    "pl": ("łąęśźżćń", "jest co jak gdzie ile kiedy i na się nie czy w z mogę"),
    "pt": ("ãõçáéêô", "é o a que como onde quanto quando e não de um uma para eu posso vocês"),
    "ro": ("țșăâî", "este ce cum unde cât când și nu un o de la pot la"),
    "sk": ("ľĺŕôťďčšž", "je čo ako kde koľko kedy a na sa nie mám môžem prosím"),
    "sl": ("čšž", "je kaj kako kje koliko kdaj in na se ni za ali lahko sem"),
    "sv": ("åäö", "är vad hur var när och det jag inte kan en till på med har ni"),
}
"""Letters that tell a language, and its most frequent words; English first, so that it wins where nothing tells."""
_TELLING = {language: (frozenset(letters), frozenset(words.split())) for language, (letters, words) in _LATIN.items()}


def primary(tag: str) -> str:
    """`ar-EG` → `ar`; other tags of a language that the model knows → the one in NAMES."""
    first = tag.replace("_", "-").partition("-")[0].lower()
    return _ALIASES.get(first, first)


def language_of(text: str) -> str | None:
    """The likeliest of the 31, by script and, within the Latin one, by letters and frequent words; None without
    letters. Names in Latin letters don't make another script's text English, as long as a quarter is in it."""
    letters = _letters(text)
    if not letters:
        return None
    written = {language: len(script.findall(text)) for language, script in _SCRIPTS.items()}
    return _own_script(written, text) if sum(written.values()) * 4 > letters else _latin(text)


def is_east_asian(text: str) -> bool:
    """Whether all letters are Chinese, Japanese or Korean ones."""
    return 0 < _letters(text) <= sum(len(_SCRIPTS[language].findall(text)) for language in ("ja", "ko", "zh"))


def _letters(text: str) -> int:
    return sum(sign.isalpha() for sign in text)


def _own_script(written: Mapping[str, int], text: str) -> str:
    most = max(written, key=lambda language: written[language])
    if most in ("zh", "ja"):
        if written["ja"]:
            return "ja"
        return "yue" if len(_CANTONESE.findall(text)) > 1 else "zh"
    return most


def _latin(text: str) -> str:
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    return max(_TELLING, key=lambda language: _telling(words, language))


def _telling(words: list[str], language: str) -> int:
    letters, frequent = _TELLING[language]
    return sum((word in frequent) + bool(letters.intersection(word)) for word in words)
