"""Cardinals and ordinals in words, with gender polarity and three cases.

Modern Standard Arabic as in Ryding, "A Reference Grammar of Modern Standard Arabic" (2005), chapter 15. What the eye
can see of the cases is said: the endings ون and ين, ان and ين, and the tanwin of the accusative (واحدًا وعشرين, ألفًا
وخمسمئة). 100 is written مئة, and hundreds in one word (ثلاثمئة).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

LIMIT = 10**15
"""Cardinals below it are said in words."""

_THREE_TO_TEN = ("ثلاث", "أربع", "خمس", "ست", "سبع", "ثمان", "تسع", "عشر")
_TENS = ("عشر", "ثلاث", "أربع", "خمس", "ست", "سبع", "ثمان", "تسع")
_SCALES = (
    (10**12, "تريليون", "تريليونات"),
    (10**9, "مليار", "مليارات"),
    (10**6, "مليون", "ملايين"),
    (10**3, "ألف", "آلاف"),
)
_ORDINALS = ("ثاني", "ثالث", "رابع", "خامس", "سادس", "سابع", "ثامن", "تاسع", "عاشر")


class Case(Enum):
    """Nominative, genitive (after a preposition or a noun that possesses) or accusative (as an object)."""

    NOMINATIVE = "nominative"
    GENITIVE = "genitive"
    ACCUSATIVE = "accusative"

    @property
    def oblique(self) -> bool:
        """Whether ين is the ending of its duals and tens."""
        return self is not Case.NOMINATIVE


@dataclass(frozen=True)
class Form:
    """How a number stands: the gender of what is counted, the case, and construct: whether the counted noun follows at
    once."""

    feminine: bool = False
    case: Case = Case.NOMINATIVE
    construct: bool = False

    @property
    def oblique(self) -> bool:
        """As of its case."""
        return self.case.oblique

    @property
    def tanwin(self) -> bool:
        """Whether it takes the tanwin that is written."""
        return self.case is Case.ACCUSATIVE and not self.construct


PLAIN = Form()


def cardinal(number: int, form: Form = PLAIN) -> str:
    """`number` in words; below zero with سالب, and digit by digit from LIMIT on."""
    if number < 0:
        return f"سالب {cardinal(-number, form)}"
    if number >= LIMIT:
        return digits(str(number))
    return " و".join(_parts(number, form)) or "صفر"


def digits(figures: str) -> str:
    """Digit by digit: `05` is صفر خمسة."""
    return " ".join(cardinal(int(figure)) for figure in figures)


def ordinal(number: int, form: Form = PLAIN) -> str:
    """The definite ordinal: 3 is الثالث or الثالثة; in hundreds and above the number itself follows the noun."""
    if number == 1:
        return "الأولى" if form.feminine else "الأول"
    if not 0 < number < 100:
        return definite(number, form)
    tens, unit = divmod(number, 10)
    if number == 10 or not tens:
        return "ال" + _ordinal_unit(number, form)
    if not unit:
        return "ال" + _ten(tens, form)
    head = "ال" + (_ordinal_unit(unit, form) if unit > 1 else ("حادية" if form.feminine else "حادي"))
    if tens == 1:
        return f"{head} {'عشرة' if form.feminine else 'عشر'}"
    return f"{head} وال{_ten(tens, form)}"


def definite(number: int, form: Form = PLAIN) -> str:
    """The cardinal with the article, which both parts of 21 to 99 take: الخمسة والعشرون."""
    said = cardinal(number, replace(form, case=Case.GENITIVE) if form.oblique else form)
    if 20 < number < 100:
        return "ال" + said.replace(" و", " وال", 1)
    return "ال" + said


def dual(singular: str, oblique: bool, construct: bool = False) -> str:
    """Two of them: تذكرتان, تذكرتين; before a noun that it possesses تذكرتا, تذكرتي."""
    stem = f"{singular[:-1]}ت" if singular.endswith("ة") else singular
    ending = "ي" if oblique else "ا"
    return f"{stem}{ending}" if construct else f"{stem}{ending}ن"


def accusative(singular: str) -> str:
    """The singular after 11 to 99, with the tanwin that is written: ريالًا, but تذكرة and يورو."""
    if singular.endswith("اء"):
        return f"{singular}ً"
    return singular if singular.endswith(("ة", "ى", "ا", "و")) else f"{singular}ًا"


def _parts(number: int, form: Form) -> list[str]:
    parts = []
    for scale, singular, plural in _SCALES:
        count, number = divmod(number, scale)
        if count:
            parts.append(_scaled(count, replace(form, construct=form.construct and not number), singular, plural))
    return [*parts, *_below_thousand(number, form)]


def _scaled(count: int, form: Form, singular: str, plural: str) -> str:
    """So many thousands, millions …: they are masculine nouns that are counted themselves."""
    masculine, rest = replace(form, feminine=False), count % 100
    if count > 2 and rest in (1, 2):
        more = dual(singular, form.oblique, form.construct) if rest == 2 else _single(singular, form)
        return f"{cardinal(count - rest, replace(masculine, construct=True))} {singular} و{more}"
    if count == 1:
        return _single(singular, form)
    if count == 2:
        return dual(singular, form.oblique, form.construct)
    if rest > 10 and form.construct:
        return f"{cardinal(count, masculine)} {singular}"
    counted = plural if 3 <= rest <= 10 else accusative(singular) if rest else singular
    return f"{cardinal(count, replace(masculine, construct=True))} {counted}"


def _single(scale: str, form: Form) -> str:
    return accusative(scale) if form.tanwin else scale


def _below_thousand(number: int, form: Form) -> list[str]:
    hundreds, rest = divmod(number, 100)
    parts = [_hundred(hundreds, form, alone=not rest)] if hundreds else []
    return [*parts, _below_hundred(rest, form)] if rest else parts


def _hundred(hundreds: int, form: Form, alone: bool) -> str:
    if hundreds == 1:
        return "مئة"
    if hundreds == 2:
        return dual("مئة", form.oblique, form.construct and alone)
    return f"{_THREE_TO_TEN[hundreds - 3]}مئة"


def _below_hundred(number: int, form: Form) -> str:
    tens, unit = divmod(number, 10)
    if number <= 10:
        return _unit(number, form)
    if tens == 1:
        return _teen(unit, form)
    if not unit:
        return _ten(tens, form)
    return f"{_unit(unit, replace(form, construct=False), among_tens=True)} و{_ten(tens, form)}"


def _unit(number: int, form: Form, among_tens: bool = False) -> str:
    """1 to 10: 1 and 2 agree with the noun, 3 to 10 take the other gender."""
    if number == 1:
        return ("إحدى" if among_tens else "واحدة") if form.feminine else _single("واحد", form)
    if number == 2:
        return dual("اثنة" if form.feminine else "اثن", form.oblique)
    if not form.feminine:
        return "ثمانية" if number == 8 else f"{_THREE_TO_TEN[number - 3]}ة"
    if number == 8 and not form.tanwin:
        return "ثماني" if form.construct else "ثمانٍ"
    return _single("ثماني" if number == 8 else _THREE_TO_TEN[number - 3], form)


def _teen(unit: int, form: Form) -> str:
    ten = "عشرة" if form.feminine else "عشر"
    if unit == 1:
        return f"{'إحدى' if form.feminine else 'أحد'} {ten}"
    if unit == 2:
        return f"{dual('اثنة' if form.feminine else 'اثن', form.oblique, construct=True)} {ten}"
    return f"{_unit(unit, replace(form, construct=True))} {ten}"


def _ten(tens: int, form: Form) -> str:
    return f"{_TENS[tens - 2]}{'ين' if form.oblique else 'ون'}"


def _ordinal_unit(number: int, form: Form) -> str:
    return f"{_ORDINALS[number - 2]}{'ة' if form.feminine else ''}"
