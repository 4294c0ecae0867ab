"""The picture of two hands that EchoMimicV2's pose encoder is shown: on black, nothing else of the body.

Colours, strokes and sizes are those of its training (antgroup/echomimic_v2, `draw_pose_select_v2` with ref_w=800): a
stroke for each bone in its own hue, a red dot for each point, both the darker the less sure the point is; drawn at 800
pixels and then made as large as the portrait.
"""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.base import Frame
from worker.faces.hands import POINTS, WRIST

DRAWN = 800
"""Pixels of the square that is drawn on."""
STROKE, DOT = 2, 4
"""Thickness of a bone, radius of a point."""

BONES = tuple(
    (WRIST if place % 4 == 1 else place - 1, place)  # each finger begins at the wrist
    for place in range(1, POINTS)
)
HUES = tuple(colorsys.hsv_to_rgb(place / len(BONES), 1.0, 1.0) for place in range(len(BONES)))

Hands = NDArray[np.float32]
"""(2, 21, 2): x, y, 0–1 of the square; see worker.faces.hands for the order."""


def drawn(hands: NDArray[np.floating], scores: NDArray[np.floating], side: int) -> Frame:
    """(side, side, 3). hands: (n, 21, 2), 0–1 of the square; scores: (n, 21), 0 for a point that is not shown, 1 for a
    sure one. A point left of or above the square is not drawn, nor is a bone that ends in it."""
    canvas = np.zeros((DRAWN, DRAWN, 3), np.uint8)
    for hand, sure in zip(hands, scores, strict=True):
        _draw(canvas, hand, sure)
    return cv2.resize(canvas, (side, side)).astype(np.uint8)


def _draw(canvas: Frame, hand: NDArray[np.floating], sure: NDArray[np.floating]) -> None:
    points = [(int(x * DRAWN), int(y * DRAWN)) for x, y in hand]
    for (begin, end), hue in zip(BONES, HUES, strict=True):
        light = int(sure[begin] * sure[end] * 255)
        if min(*points[begin], *points[end]) > 0:
            blue, green, red = (part * light for part in hue)  # the training's colours went through OpenCV's BGR
            cv2.line(canvas, points[begin], points[end], (red, green, blue), STROKE)
    for point, certainty in zip(points, sure, strict=True):
        if min(point) > 0:
            cv2.circle(canvas, point, DOT, (int(certainty * 255), 0, 0), -1)
