"""One attempt at a turn's clip: frames of one engine, at the size that is wanted, with the speech that they show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from core.errors import VideoError
from core.kinds import Layer
from worker.bar import Bar
from worker.deciding.candidates import is_smaller
from worker.deciding.choosing import Candidate
from worker.deciding.decider import PLAIN, Decider
from worker.engines.tts.base import Speech
from worker.engines.video.base import Frame, Picture, VideoEngine, as_rgb
from worker.fitting import fit
from worker.guard import closed, failing_as
from worker.lending import Pulse
from worker.media import Mp4Writer
from worker.scaling import Enlarging, Timed, shrunk
from worker.scene import Scene
from worker.thumbnails import write_thumbnail

PROGRESS_EVERY = 10
"""Frames between two reports of progress."""


class Clipper:
    """One attempt with one candidate."""

    def __init__(
        self, scene: Scene, decider: Decider, candidate: Candidate, bar: Bar, make_room: Callable[[str], None]
    ) -> None:
        """make_room: frees memory for an engine that enlarges."""
        self._scene = scene
        self._decider = decider
        self._candidate = candidate
        self._name = candidate.video
        self._bar = bar
        self._make_room = make_room
        self._guard = decider.guard(candidate)
        self._writer: Mp4Writer | None = None
        self._size = (0, 0)
        self._rate = 0
        self._frames = 0
        self._first: Frame | None = None
        self._pulse = Pulse()
        self._began = 0.0
        self._speech = Timed[Speech](iter(()))
        self._drawn = Timed[Picture](iter(()))
        self._shown = Timed[Picture](iter(()))
        self._enlarging: Enlarging | None = None

    def run(self) -> None:
        """Raises VideoError (TooSlow where another engine is to draw) or UpscaleError, and StorageError, Cancelled or
        speech's own error as they are."""
        self._bar.begin()
        try:
            with failing_as(VideoError, self._name):
                self._film()
        finally:
            if self._writer is not None:
                self._writer.abort()

    def _film(self) -> None:
        scene, lender = self._scene, self._scene.lender
        self._speech = Timed(scene.parts.read(scene.check))
        with lender.costs(Layer.VIDEO, self._name) as drawing, lender.lent(Layer.VIDEO, self._name) as engine:
            own = engine.size(scene.canvas)
            self._rate = engine.rate(scene.canvas)
            frames = self._drawing(engine)
            self._drawn = Timed(lender.pieces(Layer.VIDEO, frames, engine, self._called, self._pulse))
            with closed(self._drawn), self._sized(own) as self._shown:
                self._began = time.perf_counter()
                for frame in self._shown:
                    self._put(frame)
                took = self._own_seconds
        clip = self._finished()
        scene.report("time", **drawing.shared(took))
        self._remember(clip["seconds"], took)
        scene.report("video", **clip)

    def _drawing(self, engine: VideoEngine) -> Iterator[Picture]:
        scene = self._scene
        return engine.frames(
            self._heard(), avatar=scene.avatar, canvas=scene.canvas, tone=scene.tone, intensity=scene.intensity
        )

    @contextmanager
    def _sized(self, own: tuple[int, int]) -> Iterator[Timed[Picture]]:
        """The pictures at the size that is wanted: a smaller one where nothing enlarges them, else the canvas's."""
        canvas = self._scene.canvas
        small = is_smaller(own, canvas)
        self._size = own if small and self._candidate.upscale is None else (canvas.width, canvas.height)
        if own == self._size:
            yield self._drawn
            return
        sized: Iterator[Picture] = self._enlarged() if small else shrunk(self._drawn, *self._size)
        shown = Timed(sized)
        with closed(shown):
            yield shown

    def _enlarged(self) -> Iterator[Frame]:
        scene = self._scene
        names = scene.lender.names(Layer.UPSCALE, scene.language)
        self._enlarging = Enlarging(
            scene.lender, scene.report, names, self._drawn, self._size, self._make_room, self._goes_on
        )
        return self._enlarging.frames()

    def _goes_on(self, name: str, frames: int, seconds: float) -> str | None:
        """What enlarges the rest, where the engine that did until now would make the clip late."""
        if self._guard is None or name == PLAIN or not self._guard.enlarging_is_late(frames / self._rate, seconds):
            return None
        self._decider.enlarging_dropped(self._candidate, name, self._guard)
        return PLAIN

    @property
    def _own_seconds(self) -> float:
        """That the engine has drawn for: not those of waiting for speech, nor of enlarging."""
        passed = time.perf_counter() - self._began
        enlarging_s = self._shown.seconds - self._drawn.seconds if self._enlarging else 0.0
        return passed - self._speech.seconds - enlarging_s

    def _heard(self) -> Iterator[Speech]:
        """The speech as the engine asks for it; the same samples go into the clip's sound."""
        for speech in self._speech:
            self._pulse()
            self._open(speech.sample_rate).add_sound(speech.samples)
            yield speech
        self._pulse()
        if not self._frames:
            self._decider.check(self._candidate)

    def _open(self, sample_rate: int) -> Mp4Writer:
        if self._writer is None:
            path = self._scene.job.path / "video.mp4"
            self._writer = Mp4Writer(path, *self._size, self._rate, sample_rate)
        return self._writer

    def _called(self, share: float) -> None:
        """The engine has done a share of its work."""
        if not self._frames:
            self._bar.call(share)
        if self._guard is not None:
            self._guard.on_call(share, self._own_seconds)

    def _put(self, frame: Picture) -> None:
        self._scene.check()
        if self._writer is None:
            raise VideoError(f"{self._name} drew before anything was said")
        if self._first is None and self._scene.job.thumbnail:
            self._first = as_rgb(frame).copy()
        self._writer.add_frame(frame)
        if self._frames % PROGRESS_EVERY == 0:
            total = self._scene.parts.total_seconds
            self._bar.frame(self._frames / (total * self._rate) if total else 0.0)
        self._frames += 1
        if self._guard is not None:
            self._guard.on_frame(self._frames / self._rate, self._own_seconds)

    def _remember(self, clip_s: float, took: float) -> None:
        self._decider.drawn(self._candidate, self._guard, clip_s, took)
        for name, (frames, seconds) in self._enlarging.spent.items() if self._enlarging else ():
            self._decider.enlarged(self._candidate, name, frames / self._rate, seconds)

    def _finished(self) -> dict[str, Any]:
        """The clip as it is reported."""
        if self._writer is None:
            raise VideoError(f"{self._name} drew nothing")
        clip = self._writer.close()
        self._writer = None
        still = self._thumbnail()
        fitted = fit(clip.path, self._scene.job.max_video_bytes)
        return asdict(clip) | {"path": str(clip.path), "bytes": fitted} | still

    def _thumbnail(self) -> dict[str, str]:
        """Where the channel wants one."""
        if not self._scene.job.thumbnail or self._first is None:
            return {}
        path = self._scene.job.path / "video.jpg"
        write_thumbnail(path, self._first)
        return {"thumbnail": str(path)}
