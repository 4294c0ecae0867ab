"""Words that govern or count, and what a noun's ending can be."""

from __future__ import annotations

from dataclasses import replace

from worker.engines.tts.espeak.readings import Word
from worker.engines.tts.espeak.script import (
    DAMMA,
    DAMMATAN,
    FATHA,
    FATHATAN,
    KASRA,
    KASRATAN,
    SHORT,
    SUKUN,
    TANWIN,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GOVERNING = _words("""
    من إلى في عن على مع عند بين خلال مقابل بجانب جانب تحت فوق أمام خلف قرب دون بدون حول نحو ضمن داخل خارج طوال كل أي بعض
    معظم جميع بلا غير منذ سوى بسبب سبب بحسب حسب عبر
""")
"""What the next noun is genitive after; with و or ف before them too."""
BEFORE_THE = _words("حتى قبل بعد حين يوم")
"""The same where ال follows; else a verb may."""
COMPARED = _words("أول آخر أرخص أغلى أقصر أطول أقرب أقل أهدأ أسرع أفضل أحسن")
DIGITS = _words("صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة")
ORDINALS = _words("الأولى الواحدة الثانية الثالثة الرابعة الخامسة السادسة السابعة الثامنة التاسعة العاشرة الحادية")
SPANS = _words(
    "يوم أيام ساعة ساعتين ساعات أسبوع أسبوعين أسابيع شهر شهرين أشهر سنة سنوات دقيقة دقائق ليلة صباح مساء مرة"
)
DAYS = _words("الأحد الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت")
NUMBERS = DIGITS | _words("""
    واحدة اثنين اثنتان اثنتين ثلاث أربع خمس ست سبع ثماني ثمان تسع عشر عشرة عشرون عشرين ثلاثون ثلاثين أربعون أربعين خمسون
    خمسين ستون ستين سبعون سبعين ثمانون ثمانين تسعون تسعين مئة مئتان مئتين مئتا مئتي ثلاثمئة أربعمئة خمسمئة ستمئة سبعمئة
    ثمانمئة تسعمئة ألف ألفان ألفين آلاف مليون
""")
_GENITIVE = {DAMMA: KASRA, DAMMATAN: KASRATAN, FATHATAN: KASRATAN}


def conjoined(plain: str) -> str:
    """The word without و or ف before it."""
    return plain[1:] if plain[:1] in "وف" and len(plain) > 2 else plain


def is_definite(word: Word) -> bool:
    """Has ال, also after a preposition."""
    return conjoined(word.bare).startswith(("ال", "بال", "كال", "لل")) and not word.bare.startswith(("الذي", "التي"))


def takes_case(word: Word) -> bool:
    """Not the n of a plural or dual, no long vowel, and no word of two letters."""
    if word.joint is not None:
        return True
    plain, vowel = word.bare, word.last.vowel
    if (plain.endswith(("ون", "ين")) and vowel == FATHA) or (plain.endswith(("ان", "ين")) and vowel == KASRA):
        return False
    return len(plain) > 2 and vowel in (*SHORT, *TANWIN)


def genitive(word: Word) -> Word:
    """i in a definite word or before a pronoun; elsewhere what the models say, unless it is no genitive."""
    if not takes_case(word):
        return word
    if word.joint is not None:
        return _harmonised(word.ending(KASRA)) if word.letters[word.joint].vowel in SHORT else word
    vowel = word.last.vowel
    if vowel == FATHA and word.bare in GOVERNING | BEFORE_THE:
        return word.ending(KASRA)
    if is_definite(word):
        return word.ending(KASRA) if vowel in SHORT else word
    return word.ending(_GENITIVE[vowel], word.sure) if vowel in _GENITIVE else word


def dropped(word: Word, governs: bool = False) -> Word:
    """The word without its ending; governs: a ta marbuta stays a t, before the noun that belongs to it."""
    if word.last.base == "ة":
        return word.ending(SUKUN if governs else "")
    return word.ending("") if word.last.vowel in (*SHORT, DAMMATAN, KASRATAN) else word


def _harmonised(word: Word) -> Word:
    """-hi and -him after i."""
    at = (word.joint or 0) + 1
    if word.letters[at].base != "ه" or word.letters[at].vowel != DAMMA:
        return word
    return replace(word, letters=(*word.letters[:at], word.letters[at].with_vowel(KASRA), *word.letters[at + 1 :]))
