"""Errors as Ollama words them."""

from __future__ import annotations


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


def no_room(need_mb: float, free_mb: float) -> Refused:
    return Refused(500, f"model requires more system memory ({gib(need_mb)}) than is available ({gib(free_mb)})")


def out_of_memory() -> Refused:
    return Refused(500, "llama runner process has terminated: cudaMalloc failed: out of memory")


BUSY = "server busy, please try again.  maximum pending requests exceeded"
STOPPED = "an error was encountered while running the model: unexpected EOF"
