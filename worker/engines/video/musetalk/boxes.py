"""Where MuseTalk looks: a box about the face whose middle is the nose, so that its lower half holds mouth and jaw.

The rule is upstream's (`musetalk/utils/preprocessing.py`, `get_landmark_and_bbox`), whose landmarks are the 68 of iBUG
300-W. Of those it uses the face's outline, which is MediaPipe's from ear to ear, and number 29, the bridge of the nose
two thirds of the way from between the eyes to the tip, which is MediaPipe's 5.
"""

from __future__ import annotations

from worker.faces.blending import Points
from worker.faces.crops import Box, within

CONTOUR = (
    *(127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
    *(377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356),
)
"""Of MediaPipe's mesh, from the viewer's left ear by way of the chin to the right one (`FACEMESH_FACE_OVAL`)."""
BRIDGE = 5
BELOW = 10.0
"""Pixels below the chin, into which it drops when the mouth opens (`extra_margin` of version 1.5)."""
_BELOW_SHARE = 0.04
"""Of the box's height: the same 10 pixels on a face of 250, which larger ones need more of."""


def box_of(points: Points, size: tuple[int, int]) -> Box:
    """points: (468, 2) of the mesh. size: width and height of the picture, within which the box lies."""
    outline = points[list(CONTOUR)]
    return box_about(outline, float(points[BRIDGE, 1]), size)


def box_about(outline: Points, bridge: float, size: tuple[int, int]) -> Box:
    """outline: (n, 2), of which the outermost and the lowest count. bridge: y of landmark 29."""
    left, right = float(outline[:, 0].min()), float(outline[:, 0].max())
    lowest = float(outline[:, 1].max())
    top = max(0.0, 2 * bridge - lowest)
    return within(Box(left, top, right, lowest + max(BELOW, _BELOW_SHARE * (lowest - top))), *size)
