"""{"do": "idle", "avatar", "media"}: an avatar that waits, half its body, filmed by EchoMimicV2."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.catalogue import Avatar
from core.errors import Cancelled, VideoError
from core.idling import FPS, SECONDS
from core.idling import HALF_ENGINE as ENGINE
from core.kinds import DEFAULT_LANGUAGE, Layer
from worker.deciding.candidates import LOOKING_S, Casting, Terms
from worker.deciding.pace import Pace
from worker.deciding.speeds import Speeds
from worker.engines.video.base import Canvas
from worker.interrupting import interrupting
from worker.job import Report
from worker.lending import Lender
from worker.looping import write_looping
from worker.media import Clip
from worker.orders.base import Bench

CANVAS = Canvas(768, 768, FPS)


@dataclass(frozen=True)
class Idle:
    """avatar: its id. media: the MP4 to be written, where none is there yet.

    It comes to {"bytes", "seconds"} of the film. The engine's windows close into a ring, so the last of its pictures is
    followed by the first; it draws 24 a second, and the film shows FPS of them: nobody sees that it waits a little
    faster.
    """

    avatar: str
    media: Path

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        return cls(told["avatar"], Path(told["media"]))

    @property
    def names(self) -> Mapping[str, str]:
        return {"avatar": self.avatar}

    @property
    def language(self) -> str | None:
        return None

    def carry_out(self, bench: Bench, report: Report, stop: threading.Event) -> Mapping[str, Any]:
        """Raises NotFound where there is no such avatar, VideoError (refused where the engine can't draw it)."""

        def check() -> None:
            if stop.is_set():
                raise Cancelled

        lender, avatar = Lender(bench.engines, report, check), bench.catalogue.avatar(self.avatar)
        shoot = _Shoot(lender, avatar, self.media, bench.pipeline.speeds)
        with interrupting(stop, bench.engines.interrupt):
            clip = shoot.clip()
        return {"bytes": clip.bytes, "seconds": clip.seconds}


class _Shoot:
    """One film."""

    def __init__(self, lender: Lender, avatar: Avatar, path: Path, speeds: Speeds) -> None:
        self._lender = lender
        self._avatar = avatar
        self._path = path
        self._speeds = speeds

    def clip(self) -> Clip:
        """Made once more where memory did not suffice, when all other engines have left."""
        try:
            return self._clip()
        except VideoError as error:
            if not error.exhausted:
                raise
        # Here the error is gone, and with it what the frames that it went through held on the card.
        self._lender.make_room(Layer.VIDEO, ENGINE)
        return self._clip()

    def _clip(self) -> Clip:
        pace, began = Pace(), 0.0

        def watch(share: float) -> None:
            pace.mark(share, time.perf_counter() - began)

        if why := self._lender.asked(Layer.VIDEO, ENGINE, lambda engine: engine.refuses(self._avatar), LOOKING_S):
            raise VideoError(f"{ENGINE} can't draw {self._avatar.id}: {why}", refused=True)
        with self._lender.lent(Layer.VIDEO, ENGINE) as engine:
            began = time.perf_counter()
            drawn = engine.idle(self._avatar, CANVAS, SECONDS)
            pictures = self._lender.pieces(Layer.VIDEO, drawn, engine, watch)
            (width, height), frames = engine.size(CANVAS), round(SECONDS * engine.rate(CANVAS))
            clip = write_looping(self._path, pictures, frames, width, height, FPS)
            self._remember(pace)
        return clip

    def _remember(self, pace: Pace) -> None:
        """How fast the engine is: then the first turns know."""
        casting = Casting(self._lender, Terms(self._avatar, CANVAS, DEFAULT_LANGUAGE), self._speeds)
        casting.remember_load(Layer.VIDEO, ENGINE)
        if pace.seconds is not None:
            self._speeds.add(casting.video_key(ENGINE), pace.seconds / SECONDS, SECONDS)
