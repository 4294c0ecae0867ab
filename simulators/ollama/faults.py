"""A bad day of Ollama's, request by request."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from simulators.faults import Fault, Faults
from simulators.ollama.refusals import BUSY, OUT_OF_MEMORY, STOPPED, Refused

MIDWAY: Final = frozenset({"cut", "dropped", "unfinished", "hang", "error_line", "bad_line"})
"""After `after` tokens (of a pull: lines) of the answer: the connection is reset; it is closed without the body's end;
the body ends without a line that says done; nothing more comes; a line `{"error": text}`; a line that is not JSON."""
PACE: Final = frozenset({"slow_start", "slow"})
"""`seconds` pass before the first token, or before each."""
TEXTS: Final = frozenset({"empty", "blank", "long"})
"""The answer is empty, white space, or 4,000 words."""
STATUSES: Final = frozenset({"400", "401", "403", "404"})
"""Refusals, beside those that all simulators have."""
OWN: Final = MIDWAY | PACE | TEXTS | STATUSES | {"out_of_memory", "away"}
"""out_of_memory: a runner dies of it (500), and every model is unloaded. away: the connection is
cut, and the server gone for `seconds`."""


class OllamaFault(Fault):
    """`method`: `chat`, `generate`, `pull`, `tags`, `show`, `ps`, `delete`, `version`, or `*`. `effect`: one of OWN, or
    of those that all simulators have; `timeout_before` never answers. `text`: the error's, in place of the usual."""

    after: int = Field(default=3, ge=0)
    seconds: float = Field(default=1.0, ge=0)
    text: str = ""

    @property
    def refusal(self) -> Refused | None:
        """For effects that are an error at once."""
        if self.effect == "out_of_memory":
            return Refused(500, self.text or OUT_OF_MEMORY)
        if self.effect.isdigit():
            return Refused(int(self.effect), self.text or (BUSY if self.effect == "503" else STOPPED))
        return None


def faults() -> Faults:
    return Faults(OWN)
