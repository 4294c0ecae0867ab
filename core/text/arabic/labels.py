"""Numbers that name something: floors and places by ordinals, rooms by رقم, codes digit by digit."""

from __future__ import annotations

import re

from core.text import codes
from core.text.arabic.cases import adverb_after, case_after
from core.text.arabic.nouns import noun_of
from core.text.arabic.numbers import Case, Form, cardinal, definite, digits, ordinal

_BY_ORDINAL = (
    "طابق|دور|مرحلة|صف|فصل|قرن|مستوى|أسبوع|مركز|جولة|مرة|حلقة|جزء|باب|خطوة|سؤال|بند|مادة|"
    "نقطة|درس|وحدة|دقيقة|دفعة|مجموعة|جرعة|فقرة|طبعة|شهر|سنة|ليلة|درجة|صفحة|باقة|فئة"
)
_BY_NUMBER = (
    "غرفة|بوابة|رصيف|موقف|مسار|خط|قاعة|عيادة|مقعد|طاولة|مبنى|شباك|كاونتر|صالة|مخرج|محل|متجر|جناح|شقة|فيلا|حافلة|باص|خزانة|"
    "ممر|رحلة|نافذة|سرير|منصة|قطار|محطة|شارع|لوحة|بناية|وحدة|مكتب|مختبر|صندوق|مضخة"
)
_NOT_COUNTED = r"(?![\d%ء-ي]|[.,:/-]\d|\s*(?:%|-|–|×)\s*\d)"
_ORDINAL = re.compile(rf"(?<!\w)((?:[وفبك]?ال|[وف]?لل)({_BY_ORDINAL}))\s+(\d{{1,2}}){_NOT_COUNTED}(\s+[ء-ي]+)?")
_PLACE = re.compile(rf"(?<!\w)((?:[وفبكل]?(?:ال|ل)?)(?:{_BY_NUMBER}))\s+(\d{{1,4}}){_NOT_COUNTED}(\s+[ء-ي]+)?")
_OF_MONTH = re.compile(
    r"(?<!\w)(?<!كل )(يوم\s+)(\d{1,2})(?=\s*(?:[.،؛!?؟]|\Z))"
    r"|()(?<![\dA-Za-z.,:/-])(\d{1,2})(?=\s+من\s+(?:كل\s+|هذا\s+)?(?:ال)?شهر(?!\w))"
)
_ARTICLE = re.compile(
    r"(?:(?<!\w)([ء-ي]+)\s+)?(?<![ء-ي])([وفبك]?ال|[وف]?لل)ـ?\s?(\d{1,4})(?![\d%]|[.,:/]\d)(?:(\s+)([ء-ي\u064b-\u0652]+))?"
)
_PREFIXES = "(?:ال|بال|لل|و|ب)?"
_OWNERS = "(?:ك|ه|ها|نا)?"
_HOLDERS = (
    "حجز|طلب|تذكرة|هوية|حساب|جوال|هاتف|عضوية|إقامة|جواز|رحلة|شحنة|تتبع|بطاقة|فاتورة|موحد|مجاني|ملف|واتساب|معاملة|سند"
)
_CALL = (
    "(?:اتصل|اتصلي|اتصلوا|الاتصال|تواصل|كلمنا|راسلنا) (?:(?:معنا|بنا|ب[ء-ي]+(?: [ء-ي]+)?) )?(?:على|ب|بالرقم|على الرقم)"
)
_CODE = re.compile(
    rf"(?<!\w)(?:{_PREFIXES}(?:رمز|كود|تحويلة|هاتف|جوال|موبايل|صندوق بريد|فاكس|هوية|حجز)"
    rf"|{_PREFIXES}رقم{_OWNERS} (?:ال)?(?:{_HOLDERS}){_OWNERS}|{_PREFIXES}(?:{_HOLDERS}) رقم|{_CALL})"
    r"(?:\s|:|هو|هي|رقم|التحقق|الحجز|البريدي|ـ)*\s?\d{3,6}(?![\d%]|[.,:/ -]\d)"
)
_NUMBERED = re.compile(rf"(?<!\w){_PREFIXES}رقم\s*:?\s*#?\d{{4,9}}(?![\d%]|[.,:/ -]\d)")


def say_codes(text: str) -> str:
    """Behind رمز, رقم الحجز, اتصل على …, and four figures or more behind رقم: digit by digit."""
    return codes.say_figures(text, (_CODE, _NUMBERED), digits)


def say_labels(text: str) -> str:
    """الطابق 2 is الطابق الثاني, الغرفة 205 is الغرفة رقم مئتين وخمسة, المركز الـ3 is المركز الثالث."""
    text = _ORDINAL.sub(_ordinal, _OF_MONTH.sub(_of_month, text))
    text = _PLACE.sub(_place, text)
    return _ARTICLE.sub(_article, text)


def _of_month(found: re.Match[str]) -> str:
    """يوم 21, and 21 من الشهر."""
    lead, figures = (found[1], found[2]) if found[2] else ("", found[4])
    if not 0 < int(figures) <= 31:
        return found[0]
    return f"{lead}{ordinal(int(figures), Form(case=adverb_after(found.string[: found.start()] + lead)))}"


def _ordinal(found: re.Match[str]) -> str:
    if not int(found[3]) or _counts(found[4]):
        return found[0]
    noun = noun_of(found[2])
    feminine = noun.feminine if noun else found[2].endswith("ة")
    said = ordinal(int(found[3]), Form(feminine, _case_of(found, found[1])))
    return f"{found[1]} {said}{found[4] or ''}"


def _place(found: re.Match[str]) -> str:
    if _counts(found[3]) or (len(found[2]) > 1 and found[2].startswith("0")):
        return found[0]
    return f"{found[1]} رقم {cardinal(int(found[2]), Form(case=Case.GENITIVE))}{found[3] or ''}"


def _article(found: re.Match[str]) -> str:
    """With the article: before a noun a definite cardinal, else an ordinal that agrees with the noun before it."""
    prefix, number = found[2], int(found[3])
    head = f"{found[1]} " if found[1] else ""
    lead = prefix.removesuffix("ال").removesuffix("لل")
    counted = noun_of(found[5]) if found[5] else None
    tail = f"{found[4]}{found[5]}" if found[5] else ""
    case = Case.GENITIVE if lead else case_after(found.string[: found.start(2)])
    if counted:
        said = definite(number, Form(counted.feminine, case, construct=True))
        tail = f" {counted.after(number, Case.GENITIVE)}"
    else:
        noun = noun_of(re.sub(r"\A[وفبك]?(?:ال|لل)", "", found[1])) if found[1] else None
        case = _case_of(found, found[1]) if found[1] else case
        said = ordinal(number, Form(bool(noun and noun.feminine), case)) if number else definite(0)
    if prefix.endswith("لل"):
        return f"{head}{prefix}{said.removeprefix('ال')}{tail}"
    return f"{head}{lead}{said}{tail}"


def _case_of(found: re.Match[str], noun: str) -> Case:
    if re.match(r"[وف]?(?:لل|[بك]ال)", noun):
        return Case.GENITIVE
    return case_after(found.string[: found.start()])


def _counts(following: str | None) -> bool:
    return bool(following and noun_of(following.strip()))
