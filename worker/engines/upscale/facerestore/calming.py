"""What a network draws anew in every frame, held still where the face stands still.

Two measures, both in the aligned square, where a face that moves stands still. The network's light and colours, which
may change from frame to frame, give way to the frame's own. Of its detail, each pixel keeps most of the frame before's
where the face has not changed there; where it has (the mouth, the eyes), all of it is new.
"""

from __future__ import annotations

import cv2
import numpy as np

from worker.engines.upscale.facerestore.restoring import Square
from worker.faces.aligned import Picture

_COARSE = 1 / 20
"""Of the side, the deviation of a Gaussian: what is larger is light and colour, what is smaller is detail."""
_NEAR = 1 / 100
"""Of the side: over so much, a change counts for its neighbours too."""
_KEPT = 0.9
"""Of the frame before's detail, where nothing has changed: detail is then a mean over some ten frames."""
_CHANGE = 4.0
"""Levels of 255: where the face changes by so much, 37 % of that is kept, of twice as much 2 %. Noise of coding changes
a pixel by one or two."""


class Calm:
    """State of one film."""

    def __init__(self) -> None:
        self._face: Square | None = None
        self._detail: Square | None = None

    def forget(self) -> None:
        self._face = self._detail = None

    def calmed(self, face: Picture, drawn: Square) -> Picture:
        """face: the aligned square of the frame. drawn: what the network made of it."""
        given = face.astype(np.float32)
        detail = drawn - given
        detail -= _blurred(detail, _COARSE)
        if self._face is not None and self._detail is not None:
            change = _blurred(np.abs(given - self._face).max(axis=2), _NEAR)
            kept = _KEPT * np.exp(-((change / _CHANGE) ** 2))[..., None]
            detail += kept * (self._detail - detail)
        self._face, self._detail = given, detail
        return np.asarray(np.rint(given + detail).clip(0, 255), np.uint8)


def _blurred(picture: Square, share: float) -> Square:
    """Beyond the side it is mirrored. At a quarter of the size where that shows no more."""
    deviation = share * picture.shape[0]
    if deviation < 8:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation, borderType=cv2.BORDER_REFLECT_101), np.float32)
    side = picture.shape[0] // 4
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), deviation / 4, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(cv2.resize(small, picture.shape[:2], interpolation=cv2.INTER_LINEAR), np.float32)
