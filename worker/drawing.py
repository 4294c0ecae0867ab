"""Layers 5 and 6 in the pipeline: saved speech to a clip, stepping down from engine to engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

from core.catalogue import Avatar
from core.errors import Cancelled, LayerError, UpscaleError, VideoError
from core.kinds import Layer, Tone
from worker.costs import Costs
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Frame, Picture, VideoEngine, as_rgb
from worker.fitting import fit
from worker.guard import closed, failing_as
from worker.job import Job, Report
from worker.lending import Lender
from worker.media import Mp4Writer
from worker.parts import Parts
from worker.thumbnails import write_thumbnail

PROGRESS_EVERY = 10
"""Frames between two reports of progress."""

T = TypeVar("T")


class Timed(Generic[T]):
    """An iterator that counts the seconds spent in the one behind it."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self.seconds = 0.0

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        began = time.perf_counter()
        try:
            return next(self._source)
        finally:
            self.seconds += time.perf_counter() - began

    def close(self) -> None:
        if close := getattr(self._source, "close", None):
            close()


@dataclass(frozen=True)
class Scene:
    """What every attempt at a turn's clip shares. `check` raises Cancelled."""

    lender: Lender
    job: Job
    report: Report
    check: Callable[[], None]
    parts: Parts
    avatar: Avatar
    language: str
    tone: Tone
    intensity: float

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.job.width, self.job.height, self.job.fps)


class Drawer:
    """Draws while speech is still being made; runs in a thread of its own and never raises into it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._fatal: BaseException | None = None

    def raise_fatal(self) -> None:
        """Raises what ended the drawing and was not the drawing's own failure."""
        if self._fatal is not None:
            raise self._fatal

    def run(self) -> None:
        """Tries each engine that may draw, then without upscaling, before the answer steps down to voice."""
        try:
            self._draw()
        except (Cancelled, LayerError):
            pass  # speech ended early: whoever makes it says why
        except BaseException as error:
            self._fatal = error

    def _draw(self) -> None:
        scene, upscaled, roomy = self._scene, True, False
        if not scene.lender.along(Layer.VIDEO, scene.language):
            scene.parts.wait_for_end(scene.check)
        names = scene.lender.names(Layer.VIDEO, scene.language)
        while names:
            error = self._tried(names[0], upscaled)
            if error is None:
                return
            enlarging = isinstance(error, UpscaleError)
            name = scene.lender.name(Layer.UPSCALE, scene.language) if enlarging else names[0]
            if error.exhausted and not roomy:
                self._make_room(Layer.UPSCALE if enlarging else Layer.VIDEO, name)
                roomy = True
            elif enlarging:
                scene.lender.step(name, error, "unscaled")
                upscaled = False
            else:
                names.pop(0)
                scene.lender.step(name, error, names[0] if names else "voice")
                roomy = False

    def _tried(self, name: str, upscaled: bool) -> VideoError | UpscaleError | None:
        """What went wrong, without the frames that it went through: they hold memory of the card."""
        try:
            Clipper(self._scene, name, upscaled).run()
        except (VideoError, UpscaleError) as error:
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)
        return None

    def _make_room(self, layer: Layer, name: str) -> None:
        """Once speech has ended: then the language model and the voice can leave."""
        self._scene.parts.wait_for_end(self._scene.check)
        self._scene.lender.make_room(layer, name)


class Clipper:
    """One attempt at the clip with one engine."""

    def __init__(self, scene: Scene, name: str, upscaled: bool) -> None:
        self._scene = scene
        self._name = name
        self._upscaled = upscaled
        self._writer: Mp4Writer | None = None
        self._size = (0, 0)
        self._first: Frame | None = None

    def run(self) -> None:
        """Raises VideoError or UpscaleError, and StorageError, Cancelled or speech's own error as they are."""
        try:
            with failing_as(VideoError, self._name):
                self._film()
        finally:
            if self._writer is not None:
                self._writer.abort()

    def _film(self) -> None:
        scene, lender = self._scene, self._scene.lender
        speech = Timed(scene.parts.read(scene.check))
        with lender.costs(Layer.VIDEO, self._name) as drawing, lender.lent(Layer.VIDEO, self._name) as engine:
            own = engine.size(scene.canvas)
            self._size = (scene.canvas.width, scene.canvas.height) if self._upscaled else own
            drawn = Timed(lender.pieces(Layer.VIDEO, self._frames(engine, speech), engine))
            with closed(drawn), self._shown(drawn, own) as (shown, enlarging):
                began = time.perf_counter()
                for number, frame in enumerate(shown):
                    self._put(number, frame)
                took = time.perf_counter() - began
        clip = self._finished()
        enlarging_s = shown.seconds - drawn.seconds
        if enlarging is not None:
            scene.report("time", **enlarging.shared(enlarging_s))
        scene.report("time", **drawing.shared(took - speech.seconds - enlarging_s))
        scene.report("video", **clip)

    def _frames(self, engine: VideoEngine, speech: Timed[Speech]) -> Iterator[Picture]:
        scene = self._scene
        heard = self._heard(speech)
        return engine.frames(
            heard, avatar=scene.avatar, canvas=scene.canvas, tone=scene.tone, intensity=scene.intensity
        )

    @contextmanager
    def _shown(self, drawn: Timed[Picture], own: tuple[int, int]) -> Iterator[tuple[Timed[Picture], Costs | None]]:
        """The pictures at the size that is wanted, and what enlarging them took where they had to be."""
        if own == self._size:
            yield drawn, None
            return
        lender, (width, height) = self._scene.lender, self._size
        name = lender.name(Layer.UPSCALE, self._scene.language)
        with lender.costs(Layer.UPSCALE, name) as costs, lender.lent(Layer.UPSCALE, name) as engine:
            with failing_as(UpscaleError, name):
                larger = engine.upscale(map(as_rgb, drawn), width=width, height=height)
            shown = Timed[Picture](lender.pieces(Layer.UPSCALE, larger, engine))
            with closed(shown):
                yield shown, costs

    def _heard(self, pieces: Iterator[Speech]) -> Iterator[Speech]:
        """The speech as the engine asks for it; the same samples go into the clip's sound."""
        for speech in pieces:
            self._open(speech.sample_rate).add_sound(speech.samples)
            yield speech

    def _open(self, sample_rate: int) -> Mp4Writer:
        if self._writer is None:
            width, height = self._size
            path = self._scene.job.path / "video.mp4"
            self._writer = Mp4Writer(path, width, height, self._scene.canvas.fps, sample_rate)
        return self._writer

    def _put(self, number: int, frame: Picture) -> None:
        self._scene.check()
        if self._writer is None:
            raise VideoError(f"{self._name} drew before anything was said")
        if self._first is None and self._scene.job.thumbnail:
            self._first = as_rgb(frame).copy()
        self._writer.add_frame(frame)
        if number % PROGRESS_EVERY == 0:
            total = self._scene.parts.total_seconds
            share = min(number / (total * self._scene.canvas.fps), 1.0) if total else 0.0
            self._scene.report("layer", layer=Layer.VIDEO, progress=round(share, 3))

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
