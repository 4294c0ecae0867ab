"""The face of a film, drawn again frame by frame and put into the enlarged frames."""

from __future__ import annotations

from worker.engines.upscale.facerestore.calming import Calm
from worker.engines.upscale.facerestore.restoring import Restorer
from worker.engines.video.base import Frame
from worker.faces.aligned import Alignment, alignment, cut, five, oval, put
from worker.faces.landmarks import Points
from worker.faces.steadying import Steady

_FADE = 8
"""Frames over which a restored face goes where the tracker has lost it, and comes where it has found it again."""
_SMALLEST = 48.0
"""Pixels of the frame that the aligned square takes at least: the networks invent what smaller faces lack."""


class Painter:
    """State of one film; the frames come in order."""

    def __init__(self, restorer: Restorer) -> None:
        self._restorer = restorer
        self._mask = oval(restorer.side)
        self._steady, self._calm = Steady(), Calm()
        self._at: Alignment | None = None
        self._share: float | None = None

    def painted(self, frame: Frame, large: Frame, points: Points | None) -> Frame:
        """large: the frame, enlarged; may be drawn over. points: (468, 2) of the frame; without them the face fades
        where it was seen last. A frame without a face passes as it is. Raises as Restorer does."""
        self._look(points)
        if self._at is None or not self._share:
            return large
        face = cut(frame, self._at, self._restorer.side)
        restored = self._calm.calmed(face, self._restorer.restored(face))
        put(large, restored, self._mask * self._share, self._at, (frame.shape[1], frame.shape[0]))
        return large

    def _look(self, points: Points | None) -> None:
        """Where the face is, and how much of the restored one covers it: all from the first frame on."""
        seen = None if points is None else alignment(five(points))
        if seen is not None and seen.side >= _SMALLEST:
            self._at = self._steady.followed(seen)
            self._share = 1.0 if self._share is None else min(self._share + 1 / _FADE, 1.0)
            return
        self._share = max((self._share or 0.0) - 1 / _FADE, 0.0)
        if not self._share:
            self._at = None
            self._steady.forget()
            self._calm.forget()
