"""keep_alive: seconds as a number, or a duration as Go writes it ("5m", "1h30m", "-1s")."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from simulators.ollama.refusals import Refused

UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PIECE = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_WHOLE = re.compile(rf"[+-]?(?:{_PIECE.pattern})+")


def seconds_of(value: Any) -> float | None:
    """None where it was not given; `inf` for a negative one, which means for ever. Raises Refused 400."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        kind = {bool: "bool", list: "[]interface {}"}.get(type(value), "map[string]interface {}")
        raise Refused(400, f"Unsupported type: '{kind}'")
    seconds = _spelled(value) if isinstance(value, str) else float(value)
    return math.inf if seconds < 0 else seconds


def _spelled(text: str) -> float:
    if text.lstrip("+-") == "0" and len(text) <= 2:
        return 0.0
    if _NUMBER.fullmatch(text):
        raise Refused(400, f'time: missing unit in duration "{text}"')
    if not _WHOLE.fullmatch(text):
        raise Refused(400, f'time: invalid duration "{text}"')
    total = sum(float(number) * UNITS[unit] for number, unit in _PIECE.findall(text))
    return -total if text.startswith("-") else total
