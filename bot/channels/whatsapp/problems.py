"""What Graph's errors mean, by their codes (Meta, "Error codes" of the Cloud API)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.channels.whatsapp.fields import mapping, number, prose
from core.errors import AccountRefused, ChannelError, PlatformAway, RateLimited, Refused, Unreachable, WindowClosed

PAIR_LIMIT, REENGAGEMENT = 131056, 131047
WAITS: dict[int, float] = {
    4: 60.0,
    613: 60.0,
    80007: 60.0,
    130429: 2.0,
    131048: 300.0,
    133016: 300.0,
    PAIR_LIMIT: 6.0,
}
"""Seconds until the next try where the answer names none: calls of the app, of the account; messages of the number; a
number under suspicion of spam; one message in 6 s to one person."""
UNREACHABLE = frozenset({130472, 130497, 131021, 131026, 131030, 131049, 131050})
"""No such recipient, our own number, not among a test number's recipients, a country or a person that takes nothing."""
ACCOUNT = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131037, 131042, 131044, 131045, 133010, *range(200, 300)})
"""The token, its rights or the account: the operator must act, and everything waits meanwhile."""
AWAY = frozenset({1, 2, 131000, 131016, 131057})
LONGEST_S = 3600.0
_UNSAID = re.compile(r"\"[^\"]*\"|'[^']{12,}'|\S{25,}|\+?\d[\d ()-]{6,}\d")
"""What an error may quote of a request: values, tokens, numbers."""


def problem(status: int, body: bytes, headers: Mapping[str, str]) -> ChannelError:
    """The error that an answer of 4xx or 5xx is."""
    error = _error(body)
    code = number(error.get("code"))
    why = _why(status, code, error)
    if code in WAITS or (code is None and status == 429):
        return _limited(code, headers)
    if code == REENGAGEMENT:
        return WindowClosed(why)
    if code in UNREACHABLE:
        return Unreachable(why)
    if code in ACCOUNT or status == 401:
        return AccountRefused(why)
    if code in AWAY or status >= 500 or status == 408 or error.get("is_transient") is True:
        return PlatformAway(why)
    return Refused(why)


def later(errors: Sequence[Mapping[str, Any]]) -> tuple[str, float | None]:
    """Of a status that says `failed`: our code for it, and the seconds after which to try again, if that may help."""
    code = number(errors[0].get("code")) if errors else None
    if code == REENGAGEMENT:
        return WindowClosed.code, None
    if code in UNREACHABLE:
        return Unreachable.code, None
    return (RateLimited.code, WAITS[code]) if code in WAITS else (Refused.code, None)


def _limited(code: int | None, headers: Mapping[str, str]) -> RateLimited:
    named = number(headers.get("retry-after"))
    wait_s = WAITS.get(code or 0, 30.0) if named is None else float(max(named, 1))
    return RateLimited(min(wait_s, LONGEST_S), whole=code != PAIR_LIMIT)


def _error(body: bytes) -> dict[str, Any]:
    try:
        return mapping(mapping(json.loads(body)).get("error"))
    except (ValueError, RecursionError):
        return {}


def _why(status: int, code: int | None, error: Mapping[str, Any]) -> str:
    """For the log: codes, and Meta's words without what they quote."""
    words = [error.get("message"), mapping(error.get("error_data")).get("details")]
    said = " · ".join(_UNSAID.sub("…", each) for each in (prose(text, 200) for text in words) if each)
    subcode = number(error.get("error_subcode"))
    return f"HTTP {status}, code {code}{f'/{subcode}' if subcode else ''}: {said or 'no reason given'}"
