"""What every engine of every layer has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self
from urllib.parse import urlsplit

from core.settings import HOME

if TYPE_CHECKING:
    from core.catalogue import Avatar
    from worker.engines.video.base import Canvas

_LOOPBACK = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104
"""Compared with, not listened on."""


@dataclass(frozen=True)
class Needs:
    """What an engine asks of the machine, and of a voice.

    languages: BCP 47 primary tags, empty for any. gpu_mb: GPU memory in MiB while loaded, working space included.
    elsewhere: it is held by another process. weights: names in models/manifest.toml. packages: import names beyond the
    everyday ones (`make gpu` installs them). licence: SPDX of the weights. exclusive: gets its input whole, with the
    card to itself. patience_s: the longest that one call (a load, or the wait for the next piece) may be silent; 0: no
    longer than a lease. recording: a voice: it speaks like a recording of one, and not at all without any. pace_s: a
    picture's engine: seconds of computing that a second of video likely takes, until it has been measured.
    """

    languages: tuple[str, ...] = ()
    gpu_mb: int = 0
    elsewhere: bool = False
    weights: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    licence: str = "MIT"
    exclusive: bool = False
    patience_s: float = 0.0
    recording: bool = False
    pace_s: float = 0.0


@dataclass(frozen=True)
class Place:
    """What a composition root tells engines of the machine that they run on.

    models: the folder of weights. device: "cpu", or torch's name of a card ("cuda:0"). ollama_url, llm_model,
    llm_context: the server, the model's name there, and its context in tokens. llm_wait_s: the longest that the first
    word of an answer may take, seconds. cosyvoice_repo: a checkout of CosyVoice's repository; None: the fetched one.
    echomimic: which of EchoMimicV2's weights draw. compile: whether networks are compiled (torch.compile). data: where
    what was worked out of an avatar is kept; None: nowhere. ground: gives a film of an avatar that waits (an MP4 that
    joins on to itself), for engines that move the mouth alone; None: there is none.
    """

    models: Path = field(default=HOME / "models")
    device: str = "cpu"
    ollama_url: str = "http://127.0.0.1:11434"
    llm_model: str = "qwen2.5:14b"
    llm_context: int = 8192
    llm_wait_s: float = 120.0
    cosyvoice_repo: Path | None = None
    echomimic: Literal["accelerated", "normal"] = "accelerated"
    compile: bool = False
    data: Path | None = None
    ground: Callable[[Avatar, Canvas], Path] | None = None

    @property
    def ollama_is_here(self) -> bool:
        """Whether Ollama shares this machine's card. An address without a scheme is one too: `127.0.0.1:11434`."""
        url = self.ollama_url if "://" in self.ollama_url else f"//{self.ollama_url}"
        return (urlsplit(url).hostname or "") in _LOOPBACK


class Engine(Protocol):
    """An engine is made cheaply, loaded lazily and unloaded explicitly; one thread at a time uses it.

    One that must know its Place has a classmethod `at` (PlacedEngine); the others are made without arguments. One
    that waits for another process may have `interrupt() -> None`: what it does, load or use, fails at once. It is
    called from another thread, once or several times, when the turn is cancelled; what is done next is done again.

    One whose speed hangs on more than its weights may have `mode: str`, which names it: what was measured in one mode,
    or with some weights, says nothing of another.
    """

    @property
    def name(self) -> str:
        """As in the settings and in worker.engines.registry."""

    @property
    def needs(self) -> Needs:
        """May depend on the Place: a smaller model needs less."""

    def load(self) -> None:
        """Makes the engine ready; idempotent. Raises ModelMissing where weights lack, or its layer's error."""

    def unload(self) -> None:
        """Gives back memory and processes; idempotent, and `load` works again afterwards. Returns when the memory
        is free, or raises its layer's error."""


class PlacedEngine(Engine, Protocol):
    """An engine of models, a card or a server."""

    name: ClassVar[str]

    @classmethod
    def at(cls, place: Place) -> Self:
        """A new engine, not loaded; reads and asks nothing yet."""

    def look(self) -> str:
        """A few words about what the engine stands on (`qwen2.5:14b on Ollama 0.12.3`), asked now and without
        loading. Raises ModelMissing or its layer's error; their texts say what to do."""
