"""`options` of a request: each has a type, and what is not known is passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulators.ollama.refusals import Refused

INTEGERS: Final = frozenset(
    {"num_keep", "seed", "num_predict", "top_k", "repeat_last_n"}
    | {"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict"}
)
FLOATS: Final = frozenset(
    {"top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"}
)
KNOWN: Final = INTEGERS | FLOATS | {"stop", "use_mmap"}


def check(options: Mapping[str, Any]) -> None:
    """Raises Refused 500, as the real one does, which finds out while it schedules."""
    for name, value in options.items():
        wrong = None if value is None else _wrong(name, value)
        if wrong:
            raise Refused(500, f'option "{name}" must be of {wrong}')


def _wrong(name: str, value: Any) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in INTEGERS and not number:
        return "type integer"
    if name in FLOATS and not number:
        return "type float32"
    if name == "use_mmap" and not isinstance(value, bool):
        return "type boolean"
    if name == "stop" and not isinstance(value, list):
        return "type array"
    if name == "stop" and not all(isinstance(each, str) for each in value):
        return "an array of strings"
    return None
