"""What a simulated Ollama server is like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulators.ollama.models import LIBRARY, Model
from simulators.ollama.refusals import Wording

VERSION: Final = "0.32.15"


@dataclass(frozen=True)
class Config:
    """models: pulled already. library: what can be pulled.

    card_mb: the card's memory, MiB; system_mb: how much of a model may lie in the computer's own memory beside it.
    refusal: in which words a model is refused that does not fit. load_s, unload_s, token_s: seconds
    that loading, unloading and one token of an answer take; pull_s: that pulling a model takes.

    parallel, queue: how many requests a model answers at a time, and how many wait before 503 (OLLAMA_NUM_PARALLEL,
    OLLAMA_MAX_QUEUE; the real one counts only those that wait for a load). keep_alive_s: OLLAMA_KEEP_ALIVE.
    context: OLLAMA_CONTEXT_LENGTH; 0: by the card, as docs.ollama.com/context-length says.
    """

    models: tuple[Model, ...] = ()
    library: tuple[Model, ...] = LIBRARY
    card_mb: float = 24_564
    system_mb: float = 0
    refusal: Wording = "llama-server"
    load_s: float = 0.0
    unload_s: float = 0.0
    token_s: float = 0.0
    pull_s: float = 0.0
    parallel: int = 1
    queue: int = 512
    keep_alive_s: float = 300.0
    context: int = 0
    version: str = VERSION

    @property
    def default_context(self) -> int:
        """Tokens, where a request names no num_ctx. "24 GB" cards count as such with their 24,564 MiB or less."""
        if self.context:
            return self.context
        return 4096 if self.card_mb < 23_000 else 32_768 if self.card_mb < 46_000 else 262_144
