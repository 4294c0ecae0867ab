"""{"do": "idle", "avatar", "media"}: an avatar that waits, half its body, filmed by EchoMimicV2."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.catalogue import Avatar
from core.errors import Cancelled, VideoError
from core.idling import FPS, SECONDS
from core.idling import HALF_ENGINE as ENGINE
from core.kinds import Layer
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
        with interrupting(stop, bench.engines.interrupt):
            clip = self._filmed(lender, avatar)
        return {"bytes": clip.bytes, "seconds": clip.seconds}

    def _filmed(self, lender: Lender, avatar: Avatar) -> Clip:
        """Once more where memory did not suffice, when all others have left."""
        try:
            return self._film(lender, avatar)
        except VideoError as error:
            if not error.exhausted:
                raise
        # Here the error is gone, and with it what the frames that it went through held on the card.
        lender.make_room(Layer.VIDEO, ENGINE)
        return self._film(lender, avatar)

    def _film(self, lender: Lender, avatar: Avatar) -> Clip:
        with lender.lent(Layer.VIDEO, ENGINE) as engine:
            if why := engine.refuses(avatar):
                raise VideoError(f"{ENGINE} can't draw {avatar.id}: {why}", refused=True)
            width, height = engine.size(CANVAS)
            pictures = lender.pieces(Layer.VIDEO, engine.idle(avatar, CANVAS, SECONDS), engine)
            return write_looping(self.media, pictures, round(SECONDS * engine.rate(CANVAS)), width, height, FPS)
