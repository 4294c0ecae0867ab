"""Layers 5 and 6 in the pipeline: saved speech to a clip, by what draws it best in time, stepping down from engine to
engine."""

from __future__ import annotations

from core.errors import Cancelled, LayerError, UpscaleError, VideoError
from core.kinds import Layer
from worker.bar import Bar
from worker.clipping import Clipper
from worker.deciding.choosing import Candidate
from worker.deciding.decider import Decider
from worker.deciding.guard import TooSlow
from worker.scene import Scene

VOICE = "voice"
"""What an answer goes on with where no engine draws."""


class Drawer:
    """Draws while speech is still being made; runs in a thread of its own and never raises into it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._bar = Bar(scene.report)
        self._fatal: BaseException | None = None

    def raise_fatal(self) -> None:
        """Raises what ended the drawing and was not the drawing's own failure."""
        if self._fatal is not None:
            raise self._fatal

    def run(self) -> None:
        """Tries each engine that may draw, then without upscaling, before the answer steps down to voice."""
        try:
            self._draw(Decider(self._scene))
        except (Cancelled, LayerError):
            pass  # speech ended early: whoever makes it says why
        except BaseException as error:
            self._fatal = error

    def _draw(self, decider: Decider) -> None:
        self._wait_for_speech(decider)
        candidate = decider.choose()
        if candidate is None and decider.refused is not None:
            refused = decider.refused
            self._scene.lender.step(refused.engine, VideoError(f"{refused.engine}: {refused.why}"), VOICE)
        while candidate is not None:
            if self._drawn(decider, candidate):
                return
            self._wait_for_speech(decider)
            candidate = decider.choose()

    def _wait_for_speech(self, decider: Decider) -> None:
        """Where what would draw has no room beside those who speak; then all is known that there is to choose by."""
        candidate = decider.likely()
        if candidate and not self._scene.lender.along(Layer.VIDEO, self._scene.language, candidate.video):
            self._scene.parts.wait_for_end(self._scene.check)

    def _drawn(self, decider: Decider, candidate: Candidate) -> bool:
        """By one candidate, a second time where it ran out of memory. Else the decider knows that it does not."""
        error = self._tried(decider, candidate)
        if isinstance(error, VideoError) and error.exhausted:
            self._make_room(Layer.VIDEO, candidate.video)
            error = self._tried(decider, candidate)
        if error is not None:
            self._step(decider, candidate, error)
        return error is None

    def _step(self, decider: Decider, candidate: Candidate, error: VideoError | UpscaleError) -> None:
        if isinstance(error, UpscaleError):
            decider.enlarging_failed()
        elif isinstance(error, TooSlow):
            decider.too_slow(candidate, error)
        else:
            self._scene.lender.step(candidate.video, error, decider.then(candidate.video) or VOICE)
            decider.failed(candidate.video, error)

    def _tried(self, decider: Decider, candidate: Candidate) -> VideoError | UpscaleError | None:
        """What went wrong, without the frames that it went through: they hold memory of the card."""
        try:
            Clipper(self._scene, decider, candidate, self._bar, self._make_room_to_enlarge).run()
        except (VideoError, UpscaleError) as error:
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)
        return None

    def _make_room_to_enlarge(self, name: str) -> None:
        self._make_room(Layer.UPSCALE, name)

    def _make_room(self, layer: Layer, name: str) -> None:
        """Once speech has ended: then the language model and the voice can leave."""
        self._scene.parts.wait_for_end(self._scene.check)
        self._scene.lender.make_room(layer, name)
