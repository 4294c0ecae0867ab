"""What all fetchers share: the way that they are told, the progress that they tell, and what they do.

A fetcher brings one entry into `models/<name>/`; which class does it, is told by the kind of its source
(core.weights.kinds). Whoever runs it holds the folder's lock, has asked for the licence and for room on the disk, and
writes the record when `fetch` has returned: a folder is whole or not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from core.errors import ModelMissing, SurroundingsError
from core.weights.folder import Record


class SourceAway(SurroundingsError):
    """A server of weights does not answer: check the network, or use --mirror or --from; what has come is kept."""

    code = "source_away"


class WeightsWrong(ModelMissing):
    """What a source gave is not what the manifest says: nothing of it is kept."""

    code = "weights_wrong"


class State(StrEnum):
    """What of an entry is here."""

    HERE = "here"
    PART = "part"
    MISSING = "missing"


@dataclass(frozen=True)
class Way:
    """Where and how weights come.

    models: the folder of weights. hub: the hub's address, no slash at the end. hub_token: sent to the hub alone.
    mirror: a server with the layout of a models folder, asked instead of the sources. offline: such a folder, used
    instead of any network. ollama_url: Ollama's server. patience_s: the longest silence of a server. pause_s: the first
    wait before a server is asked again; each further one is twice as long.
    """

    models: Path
    hub: str = "https://huggingface.co"
    hub_token: SecretStr | None = None
    mirror: str | None = None
    offline: Path | None = None
    ollama_url: str = "http://127.0.0.1:11434"
    patience_s: float = 30.0
    pause_s: float = 1.0


class Progress(Protocol):
    """Told by fetchers, shown by the command line."""

    def begin(self, what: str, total: int | None, done: int = 0) -> None:
        """A file, a layer or a step is under way, and the one before is over. total: bytes, None if not known;
        done: of them, already here."""

    def advance(self, count: int) -> None:
        """So many more bytes have come. Negative where some must come once more."""

    def note(self, text: str) -> None:
        """A line that stays."""


class Fetcher(Protocol):
    """One entry of the manifest and one way. Made as `Kind(weights, way)`; asks nothing until it is used."""

    def state(self) -> State:
        """A quick look, without the network (Ollama's server excepted; MISSING where it is away)."""

    def size(self) -> int:
        """Bytes that `fetch` will still write below the models folder; 0 for what is kept elsewhere. Raises
        SourceAway, WeightsWrong."""

    def fetch(self, progress: Progress) -> Record:
        """Brings all that lacks into `models/<name>/` (it is there, this process's alone, and holds no record now);
        goes on where an earlier one was broken off. Raises SourceAway, WeightsWrong, StorageError,
        ConfigurationError."""

    def verify(self, progress: Progress) -> list[str]:
        """What is wrong with what is here, by reading all of it: a sentence each, without the command that mends it."""

    def remove(self) -> str:
        """Deletes it, and says so in a sentence. Nothing outside the models folder is touched, except a model that
        Ollama's server keeps."""
