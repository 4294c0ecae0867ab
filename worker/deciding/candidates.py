"""Who may draw a turn's picture: each engine with what enlarges its frames, then without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from core.catalogue import Avatar
from core.errors import LayerError
from core.kinds import Layer
from worker.deciding.choosing import Candidate, LeftOut
from worker.deciding.speeds import HALF_S, Speeds
from worker.engines.video.base import Canvas, VideoEngine
from worker.lending import Lender

LOOKING_S = 120.0
"""An avatar's picture that nobody has looked at yet is looked at in a process of its own, which may take a minute."""
_WORDS = 200
"""Characters of a reason that are kept."""


@dataclass(frozen=True)
class Terms:
    """What a turn asks of an engine."""

    avatar: Avatar
    canvas: Canvas
    language: str


@dataclass
class Cast:
    """candidates: the best first. left_out: engines that can't draw the avatar."""

    candidates: list[Candidate] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


class Casting:
    """Asks the engines of one turn, without loading any."""

    def __init__(self, lender: Lender, terms: Terms, speeds: Speeds) -> None:
        self._lender = lender
        self._terms = terms
        self._speeds = speeds

    def cast(self) -> Cast:
        """The settings' engine and its stand-ins; of one alone that draws at the canvas's size nothing is asked but
        whether it can."""
        found = Cast()
        names = self._lender.names(Layer.VIDEO, self._terms.language)
        for place, name in enumerate(names):
            try:
                why = self._why_not(name, stands_in=place > 0)
                if why is None:
                    found.candidates += self._with_and_without(name, alone=len(names) == 1)
                    continue
            except LayerError as error:
                why = error.cause
            found.left_out.append(LeftOut(name, why[:_WORDS]))
        return found

    def _why_not(self, name: str, *, stands_in: bool) -> str | None:
        """Why an engine can't draw the avatar; of a stand-in also that it was never set up."""
        if stands_in and not self._lender.is_here(Layer.VIDEO, name):
            return "not installed"
        return self._lender.asked(Layer.VIDEO, name, self._refusal, LOOKING_S)

    def _refusal(self, engine: Any) -> str | None:
        refuses = getattr(engine, "refuses", None)
        why = refuses(self._terms.avatar) if refuses else None
        return None if why is None else str(why)

    def _with_and_without(self, name: str, *, alone: bool) -> Iterator[Candidate]:
        small = self.enlarged(name)
        video_s = 0.0 if alone and not small else self._seconds(Layer.VIDEO, name, self.video_key(name))
        if small:
            upscale = self._lender.name(Layer.UPSCALE, self._terms.language)
            upscale_s = self._seconds(Layer.UPSCALE, upscale, self.upscale_key(upscale, name))
            yield Candidate(name, upscale, video_s, upscale_s)
        yield Candidate(name, None, video_s)

    def now(self, candidate: Candidate) -> Candidate:
        """With the time that it takes to load what is not loaded now."""
        load_s = self._load_s(Layer.VIDEO, candidate.video)
        if candidate.upscale is not None:
            load_s += self._load_s(Layer.UPSCALE, candidate.upscale)
        return replace(candidate, load_s=load_s)

    def _load_s(self, layer: Layer, name: str) -> float:
        if self._lender.is_loaded(layer, name):
            return 0.0
        return self._speeds.of(self._key(layer, name, "load")) or 0.0

    def remember_load(self, layer: Layer, name: str) -> None:
        """Keeps what loading an engine took, where this process has loaded it."""
        load_s = self._lender.load_s(layer, name)
        if load_s is not None:
            self._speeds.add(self._key(layer, name, "load"), load_s, HALF_S)

    def size(self, name: str) -> tuple[int, int]:
        """(width, height) of the frames that an engine draws. Raises VideoError."""
        return self._lender.asked(Layer.VIDEO, name, self._drawn_size)

    def _drawn_size(self, engine: VideoEngine) -> tuple[int, int]:
        return engine.size(self._terms.canvas)

    def enlarged(self, name: str) -> bool:
        """Whether an engine's frames are smaller than the canvas."""
        return is_smaller(self.size(name), self._terms.canvas)

    def video_key(self, name: str) -> str:
        """What an engine's speed is kept by."""
        width, height = self.size(name)
        return self._key(Layer.VIDEO, name, f"{width}x{height}")

    def upscale_key(self, upscale: str, name: str) -> str:
        """What the speed of enlarging an engine's frames is kept by."""
        (width, height), canvas = self.size(name), self._terms.canvas
        return self._key(Layer.UPSCALE, upscale, f"{width}x{height} {canvas.width}x{canvas.height}")

    def length_key(self) -> str:
        """What the usual length of answers is kept by."""
        return f"answers | {self._terms.language}"

    def _key(self, layer: Layer, name: str, what: str) -> str:
        return " | ".join((self._lender.runs_on, layer.value, name, self._lender.asked(layer, name, _mode), what))

    def _seconds(self, layer: Layer, name: str, key: str) -> float:
        """As it was measured; before that as the engine guesses."""
        measured = self._speeds.of(key)
        if measured is not None:
            return measured
        return float(self._lender.asked(layer, name, lambda engine: engine.needs.pace_s))


def is_smaller(size: tuple[int, int], canvas: Canvas) -> bool:
    """Whether frames must be enlarged; those that are larger in both ways, or as large, need not."""
    return size[0] < canvas.width or size[1] < canvas.height


def _mode(engine: Any) -> str:
    """What an engine's speed hangs on beside the size; of one that does not say, its weights."""
    return str(getattr(engine, "mode", "")) or ", ".join(engine.needs.weights)
