"""Latin names and letters in Arabic letters, and codes of letters and figures."""

from __future__ import annotations

import re

from core.text import codes
from core.text.arabic.numbers import cardinal, digits

_LETTERS = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [
            "إيه",
            "بي",
            "سي",
            "دي",
            "إي",
            "إف",
            "جي",
            "إتش",
            "آي",
            "جيه",
            "كيه",
            "إل",
            "إم",
            "إن",
            "أو",
            "بي",
            "كيو",
            "آر",
            "إس",
            "تي",
            "يو",
            "في",
            "دبليو",
            "إكس",
            "واي",
            "زد",
        ],
        strict=True,
    )
)
_KNOWN = {
    "wi-fi": "واي فاي", "wifi": "واي فاي", "whatsapp": "واتساب", "telegram": "تيليغرام", "instagram": "إنستغرام",
    "facebook": "فيسبوك", "youtube": "يوتيوب", "google": "غوغل", "google maps": "خرائط غوغل", "snapchat": "سناب شات",
    "tiktok": "تيك توك", "twitter": "تويتر", "apple pay": "آبل باي", "google pay": "غوغل باي", "apple": "آبل",
    "visa": "فيزا", "mastercard": "ماستركارد", "mada": "مدى", "iphone": "آيفون", "ipad": "آيباد", "android": "أندرويد",
    "samsung": "سامسونغ", "bluetooth": "بلوتوث", "windows": "ويندوز", "microsoft": "مايكروسوفت", "netflix": "نتفليكس",
    "uber": "أوبر", "careem": "كريم", "zoom": "زووم", "playstation": "بلايستيشن", "smarttalker": "سمارت توكر",
    "3d": "ثلاثي الأبعاد", "3g": "الجيل الثالث", "4g": "الجيل الرابع", "5g": "الجيل الخامس", "4k": "فور كيه",
    "8k": "إيت كيه", "mp3": "إم بي ثري", "mp4": "إم بي فور", "sim": "سيم", "esim": "شريحة إلكترونية", "ok": "أوكي",
    "covid": "كوفيد", "covid-19": "كوفيد تسعة عشر", "pin": "بِن", "laser": "ليزر", "online": "أونلاين",
    "email": "بريد إلكتروني", "e-mail": "بريد إلكتروني", "lte": "إل تي إي", "usb-c": "يو إس بي سي", "km": "كيلومتر",
    "kg": "كيلوغرام", "m²": "متر مربع", "am": "صباحًا", "pm": "مساءً", "vs": "مقابل", "etc": "إلى آخره",
}  # fmt: skip
_NAMES = re.compile(
    rf"(?<![A-Za-z\d_])(?:{'|'.join(map(re.escape, sorted(_KNOWN, key=len, reverse=True)))})(?![A-Za-z\d_]|-\w)",
    re.IGNORECASE,
)
_ACRONYM = re.compile(r"(?<![A-Za-z\d_'])([A-Z]{2,5})(s?)(?![A-Za-z\d_'])")
_LETTER = re.compile(r"(?<![A-Za-z\d_'])(?<![A-Za-z] )[A-Z](?![A-Za-z\d_']| [A-Za-z])")
_HAS_LATIN = re.compile("[A-Za-z]")


def read_names(text: str) -> str:
    """The text with known names and acronyms in Arabic letters; other Latin words stay, for the voice to read."""
    if not _HAS_LATIN.search(text):
        return text
    text = _NAMES.sub(lambda found: _KNOWN[found[0].lower()], text)
    text = _ACRONYM.sub(lambda found: spelled(found[1]), text)
    return _LETTER.sub(lambda found: _LETTERS[found[0]], text)


def read_codes(text: str) -> str:
    """The text with tokens of letters and figures (SV1234) said letter by letter and figure by figure."""
    return codes.say_tokens(text, _code) if _HAS_LATIN.search(text) else text


def spelled(letters: str) -> str:
    """The letters by their names."""
    return " ".join(_LETTERS[letter] for letter in letters.upper())


def _code(token: str) -> str:
    if token.lower() in _KNOWN:
        return _KNOWN[token.lower()]
    return codes.say_runs(token, _run)


def _run(run: str, only: bool) -> str:
    if not run.isdigit():
        word = len(run) > 3 and not run.isupper()
        return _KNOWN.get(run.lower(), run) if word else spelled(run)
    return cardinal(int(run)) if only and len(run) < 3 and not run.startswith("0") else digits(run)
