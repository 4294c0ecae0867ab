"""What goes wrong at the server, as errors of ours: what it is, and the command or setting that mends it.

The server's own words stay there: it may quote what it was sent.
"""

from __future__ import annotations

import re

import httpx
from ollama import ResponseError

from core.errors import AnswerCut, LLMError, ModelMissing, SmartTalkerError
from core.weights.manifest import Ollama, read_manifest

_NO_MEMORY = re.compile(
    r"out of memory|requires more (?:system |gpu )?memory|unable to allocate|failed to allocate|cudaMalloc|"
    r"insufficient (?:memory|vram)|memory layout cannot be allocated",
    re.IGNORECASE,
)
"""Ollama has no code for it, only these words, with 500, or in a line of a stream that has begun."""
_BUSY = 503


class Broken(Exception):
    """A stream that ended without the line that says it is done."""


class Stalled(Exception):
    """A stream that goes on, but too slowly."""


def translated(error: Exception, model: str, url: str, *, midway: bool = False) -> SmartTalkerError:
    """midway: whether whole sentences were given already; then it is AnswerCut."""
    if isinstance(error, ResponseError) and error.status_code == httpx.codes.NOT_FOUND:
        return missing(model, url)
    text, exhausted = _said(error, model, url)
    return (AnswerCut if midway else LLMError)(text, exhausted=exhausted)


def missing(model: str, url: str) -> ModelMissing:
    """Names the commands that fetch it: ours too where the manifest has it."""
    commands = [
        f"`{each.command}`"
        for each in read_manifest().weights.values()
        if isinstance(each.source, Ollama) and each.source.model == model
    ]
    mend = " or ".join([*commands, f"`ollama pull {model}`"])
    return ModelMissing(f"Ollama at {url} has no model {model}: fetch it with {mend}")


def refuses_to_think(error: Exception) -> bool:
    """Whether the server takes no `think` for this model: some versions refuse even a False where a model can't."""
    return isinstance(error, ResponseError) and error.status_code == httpx.codes.BAD_REQUEST and "think" in error.error


def passes(error: Exception) -> bool:
    """Whether it may be gone in a moment: the server starts, its queue is full, or it had closed the connection."""
    if isinstance(error, ResponseError):
        return bool(error.status_code == _BUSY)
    return isinstance(error, ConnectionError | httpx.ConnectError | httpx.RemoteProtocolError | httpx.ReadError)


def is_away(error: Exception) -> bool:
    """Whether nothing listens there."""
    return isinstance(error, ConnectionError | httpx.ConnectError)


def _said(error: Exception, model: str, url: str) -> tuple[str, bool]:
    """The text, and whether memory did not suffice."""
    if isinstance(error, ResponseError):
        return _answered(error, model, url)
    if is_away(error) or isinstance(error, httpx.ConnectTimeout):
        return f"Ollama does not answer at {url}: start it (`ollama serve`) or set SMARTTALKER_OLLAMA_URL", False
    if isinstance(error, httpx.TimeoutException | Stalled):
        return f"{model} on Ollama at {url} takes too long: is it on the card (`ollama ps`)?", False
    if isinstance(error, Broken | httpx.TransportError):
        return f"Ollama at {url} broke off its answer: its log says why", False
    return (
        f"what is at {url} does not answer as Ollama does ({type(error).__name__}): check SMARTTALKER_OLLAMA_URL",
        False,
    )


def _answered(error: ResponseError, model: str, url: str) -> tuple[str, bool]:
    if _NO_MEMORY.search(str(error.error)):
        return f"{model} does not fit into what memory Ollama at {url} has free", True
    if error.status_code == _BUSY:
        return f"Ollama at {url} has too many requests waiting (OLLAMA_MAX_QUEUE)", False
    status = f" with {error.status_code}" if error.status_code > 0 else ""
    return f"Ollama at {url} failed{status}: its log says why", False


def has_nothing(error: Exception) -> bool:
    """Whether what can't be told to leave is not there: nothing listens, or the model was removed."""
    return is_away(error) or (isinstance(error, ResponseError) and error.status_code == httpx.codes.NOT_FOUND)
