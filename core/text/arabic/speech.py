"""The passes that put Arabic text in words; what tells more about a figure goes first."""

from __future__ import annotations

import re

from core.text.addresses import Reading, read_addresses
from core.text.arabic import dates, money, times, units
from core.text.arabic.abbreviations import in_full
from core.text.arabic.counts import say_counted, say_fractions, say_numbers, say_percentages, say_scales
from core.text.arabic.labels import say_codes, say_labels
from core.text.arabic.latin import read_codes, read_names
from core.text.arabic.nouns import noun_of
from core.text.arabic.numbers import digits
from core.text.arabic.signs import SIGNS
from core.text.calendar import say_dates, say_day_spans
from core.text.clock import say_lengths, say_times
from core.text.currencies import say_money
from core.text.figures import joined, normalised
from core.text.measures import say_quantities
from core.text.telephones import say_telephones

_ADDRESSES = Reading("نقطة", "آت", {"com": "كوم", "net": "نت", "org": "أورغ", "sa": "إس إيه", "ae": "إيه إي"})
_PREFIX = re.compile(r"(?<!\w)((?:[وف]?[بلك]|[وفبك]?ال|[وف]?لل))(?:ـ+[ \u00a0]*|)(?=[\d%$€£])")
_AND = re.compile(r"(?<!\w)وـ?\s+(?=\d)")
_DECIMAL_COMMA = re.compile(r"(?<![\d,.])(\d+),(\d{1,2})(?=\s*%|\s+[ء-ي])")
_BY = re.compile(r"(?<=\d)\s*[xX]\s*(?=\d)")
_TWICE = re.compile(r"(?<!\w)(رقم:?) رقم(?!\w)")
_LAM_OF_ARTICLE = re.compile(r"(?<![\wـ])([وف]?ل)ـ?ال(?=[^\W\d])")
_LIST_ITEM = re.compile(r"(?:(?<=\A)|(?<=\n))\s*(\d{1,2})[.)]\s+")
_PRESSURE = re.compile(r"((?<!\w)(?:ال)?ضغط[ء-ي]*(?:\s+الدم)?\s+\d{1,3})/(\d{1,3})(?![\d/])")
_FIRSTLY = ("أولًا", "ثانيًا", "ثالثًا", "رابعًا", "خامسًا", "سادسًا", "سابعًا", "ثامنًا", "تاسعًا", "عاشرًا")
_PAST = re.compile(r"((?:الساعة|ساعة)\s+\d{1,2})\s+و\s?ـ?([0-5]\d)\s*(?:دقيقة|دقائق)(?!\w)")
_RATIO = re.compile(r"((?<!\w)(?:ب?نسبة|ب?مقياس)\s+\d{1,4}|(?<![\d:.,/])\d{1,2}(?=:\d(?![\d:]))):(\d{1,4})(?![\d:])")
_FIGURE = re.compile(r"\d")
_FIRST_WORD = re.compile(r"\s*([ء-ي\u064b-\u0652]+)")


def in_words(text: str) -> str:
    """Plain text (see core.text.markup) with its figures, signs, addresses and abbreviations in Arabic words."""
    text = say_day_spans(text, "من", "إلى")
    text = _TWICE.sub(r"\1", in_full(read_addresses(normalised(text), _ADDRESSES)))
    text = _figures(_joined(text)) if _FIGURE.search(text) else SIGNS.say(text)
    return read_names(SIGNS.say_lone(text)).replace("ـ", "")


def _joined(text: str) -> str:
    """Prefixes joined to the figures that they belong to, and decimals with a point, × for x."""
    text = _AND.sub("و", _PREFIX.sub(r"\1ـ", text))
    return _BY.sub("×", _DECIMAL_COMMA.sub(r"\1.\2", text))


def _figures(text: str) -> str:
    text = _LIST_ITEM.sub(_list_item, text)
    text = _PRESSURE.sub(r"\1 على \2", text)
    text = _PAST.sub(r"\1:\2", _RATIO.sub(r"\1 إلى \2", say_lengths(text, " و", "دقيقة", "ثانية")))
    text = say_times(say_dates(text, dates.said), times.said, times.said_span)
    text = say_telephones(say_codes(text), digits, "زائد", "،", _counts)
    text = say_percentages(say_money(say_scales(joined(text)), money.said))
    text = read_codes(say_quantities(text, units.said))
    text = say_labels(say_fractions(SIGNS.say(text)))
    text = say_numbers(say_counted(text))
    return _LAM_OF_ARTICLE.sub(r"\1ل", text)


def _list_item(found: re.Match[str]) -> str:
    number = int(found[1])
    return f"{_FIRSTLY[number - 1] if 0 < number <= len(_FIRSTLY) else number}، "


def _counts(following: str) -> bool:
    """Whether a noun that is counted, or a currency, follows a figure."""
    word = _FIRST_WORD.match(following)
    return bool(word and noun_of(word[1])) or following.lstrip()[:3].isupper()
