"""What the render process hands to its child, and what the child reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.kinds import Mode


@dataclass(frozen=True)
class Job:
    """One turn for the pipeline; everything in it is JSON.

    media: the decoded voice note (WAV, 16 kHz, mono) where the user spoke. language: asked for; known_language: the
    conversation's. history: [{"role", "text"}], oldest first. outputs: what earlier attempts saved, by layer, by part.
    folder: where this attempt writes its files; its name ends with the fence. width … thumbnail: of the video that
    the channel is sent. deadline_s: seconds left until it should be there, below zero once it is late; None: it may
    take as long as it likes. waiting: turns that wait for this one to end. avoid: engines that were drawing when an
    earlier attempt, or another turn's a moment ago, ended without a word; they draw only where nothing else can.
    """

    turn_id: str
    folder: str
    avatar: str
    modes: tuple[str, ...]
    text: str | None = None
    media: str | None = None
    language: str | None = None
    known_language: str | None = None
    voice: str | None = None
    emotion_enabled: bool = True
    history: tuple[Mapping[str, str], ...] = ()
    outputs: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    width: int = 512
    height: int = 512
    fps: int = 25
    max_video_bytes: int = 16_000_000
    thumbnail: bool = False
    deadline_s: float | None = None
    waiting: int = 0
    avoid: tuple[str, ...] = ()

    def saved(self, layer: str, part: int = 0) -> Mapping[str, Any] | None:
        return self.outputs.get(layer, {}).get(str(part))

    @property
    def path(self) -> Path:
        return Path(self.folder)

    @property
    def speaks(self) -> bool:
        return Mode.VOICE in self.modes or Mode.VIDEO in self.modes

    def packed(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def unpacked(cls, data: Mapping[str, Any]) -> Job:
        lists = {name: tuple(data[name]) for name in ("modes", "history", "avoid") if name in data}
        return cls(**{**data, **lists})


class Report(Protocol):
    """Tells the render process something. kind: one of

    layer     {"layer", "progress" 0 … 1}            where the turn is
    partial   {"text"}                               the answer so far
    output    {"layer", "part", "data", "ms", "engine", "gpu_mb", "ram_mb"}   finished, to be saved
    voice, video   {"path", "seconds", "bytes", …}   a finished file
    time      {"layer", "ms", "engine", "gpu_mb", "ram_mb"}   what a layer took that has no output to save
    step      {"layer", "engine", "code", "then", "detail"}   an engine failed; then: what the answer goes on with;
                                                     detail: for the log, no word of what was said in it
    choice    worker.deciding.choosing.Choice        what draws the picture, and why; the last one stands
    exhausted {"layer", "engine"}                    memory did not suffice; what came of it is told by what follows
    alive     {}                                     an engine is rightly silent
    """

    def __call__(self, kind: str, **data: Any) -> None: ...
