"""The passes that put English text in words; what tells more about a figure goes first."""

from __future__ import annotations

import re

from core.text.addresses import Reading, read_addresses
from core.text.calendar import say_dates, say_day_spans
from core.text.clock import say_lengths, say_times
from core.text.currencies import say_money
from core.text.english import dates, money, times, units
from core.text.english.abbreviations import in_full
from core.text.english.counts import say_fractions, say_numbers, say_ordinals, say_percentages, say_years
from core.text.english.labels import say_codes, say_tokens, say_versions
from core.text.english.numbers import digits
from core.text.english.signs import SIGNS
from core.text.figures import joined, normalised
from core.text.measures import say_quantities
from core.text.telephones import say_telephones

_ADDRESSES = Reading("dot", "at", {})
_LIST_ITEM = re.compile(r"(?:(?<=\A)|(?<=\n))\s*(\d{1,2})[.)]\s+(?=[^\W\d])")
_TWELVE = re.compile(r"\b12(?::00)?(?= (?:noon|midnight)\b)")
_RATIO = re.compile(r"(?<![\d:.,/])(\d{1,2}):(\d)(?![\d:])")
_FIGURE = re.compile(r"\d")
_COUNTED = re.compile(
    r"\s?(?!(?:and|or|for|to|in|on|at|from|if|is|now|any|when|between|before|after)\b)[a-z]{3,}|\s?[A-Z]{3}\b"
)


def in_words(text: str) -> str:
    """Plain text (see core.text.markup) with its figures, signs, addresses and abbreviations in English words."""
    text = say_day_spans(text, "", "to")
    text = in_full(read_addresses(normalised(text), _ADDRESSES))
    text = _figures(text) if _FIGURE.search(text) else SIGNS.say(text)
    return SIGNS.say_lone(text)


def _figures(text: str) -> str:
    text = _LIST_ITEM.sub(lambda found: f"{found[1]}, ", text)
    text = say_lengths(_RATIO.sub(r"\1 to \2", _TWELVE.sub("twelve", text)), " and ", "minutes", "seconds")
    text = say_times(say_dates(text, dates.said), times.said, times.said_span)
    text = say_telephones(say_codes(text), digits, "plus", ",", lambda rest: bool(_COUNTED.match(rest)))
    text = say_percentages(say_money(joined(text), money.said))
    text = say_quantities(text, units.said)
    text = say_fractions(SIGNS.say(say_years(text)))
    return say_numbers(say_tokens(say_ordinals(say_versions(text))))
