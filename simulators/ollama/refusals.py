"""Errors as Ollama words them."""

from __future__ import annotations

from typing import Final, Literal


class Refused(Exception):
    """A request's error: its HTTP status, and `{"error": message}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def not_found(model: str) -> Refused:
    return Refused(404, f"model '{model}' not found")


def gib(mib: float) -> str:
    """As Ollama writes sizes: `10.5 GiB`, `380.0 MiB`."""
    return f"{mib / 1024:.1f} GiB" if mib >= 1024 else f"{mib:.1f} MiB"


Wording = Literal["system memory", "runner", "llama-server"]
"""What a server up to 0.24 finds out before it loads a model, and what it tells of a runner that died of it; what a
server from 0.30 on tells, which checks nothing before."""


def no_room(wording: Wording, need_mb: float, free_mb: float) -> Refused:
    """A model does not fit."""
    texts = {
        "system memory": f"model requires more system memory ({gib(need_mb)}) than is available ({gib(free_mb)})",
        "runner": "llama runner process has terminated: cudaMalloc failed: out of memory",
        "llama-server": OUT_OF_MEMORY,
    }
    return Refused(500, texts[wording])


OUT_OF_MEMORY: Final = "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory"
BUSY: Final = "server busy, please try again.  maximum pending requests exceeded"
STOPPED: Final = "an error was encountered while running the model: unexpected EOF"
