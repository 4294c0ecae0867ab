"""What shows between the lips: plates laid over each other behind the skin, and the light that reaches them.

The order is: the mouth's depth in one colour (`Interior.depth`), then the layers of a pose, each over the ones before,
then the light. Everything is in pixels of the texture, that is the portrait at the scale at which it is drawn, on the
skull: before the head turns, and not moved by the expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.engines.video.puppet.pose import INDEX, Pose
from worker.faces.rig import Rig

Field = NDArray[np.float32]

Plate = NDArray[np.uint8]
"""(h, w, 4): RGB premultiplied with alpha, alpha. Outside it there is nothing."""

DUSK = 0.92
"""Of the lips' light, what reaches their inner flesh."""

DEEP = (0.2, 0.5)
"""The mouth's depth and the palate, of the tongue's colour."""


class Layer(NamedTuple):
    """The plate's pixel (column i, row j) lies at x = dx + i, y = dy + sy * j of the texture."""

    plate: Plate
    dx: float
    dy: float
    sy: float


@dataclass(frozen=True)
class Shade:
    """What the lips make of the layers' colour at a place in the mouth.

    below, above: pixels below the upper lip's rim and above the lower lip's; x: the texture's column; left, right: the
    columns of the mouth's corners, and t from -1 to 1 between them. First the light:

        factor = gain * rise(below, *upper) * rise(above, *lower) * max(1 - fall * t², corner)
        rise(distance, floor, reach) = min(floor + (1 - floor) * max(distance, 0) / reach, 1)
        colour = depth + factor * (colour - depth)

    Then the lips' own inner flesh, which rounds off the opening's corners:

        e = min((t / full)², 1);  tall = (below + above) / 2 * sqrt(1 - e * (oval + (1 - oval) * e))
        amount = clip(|below - above| / 2 - tall + 1, 0, 1)
        colour = colour + amount * (flesh * DUSK - colour), flesh between that of the left and of the right corner by t

    trim: as the lips part, the dark crease of the portrait's closed lips is cut off both rims: where they are `gap`
    pixels apart, min(0.6 * gap, trim) pixels of each.
    """

    gain: float
    upper: tuple[float, float]
    lower: tuple[float, float]
    left: float
    right: float
    fall: float
    corner: float
    full: float
    oval: float
    trim: float

    def along(self, x: Field) -> Field:
        """t."""
        t = (2 * x - self.left - self.right) / max(self.right - self.left, 1.0)
        return np.asarray(np.clip(t, -1, 1), np.float32)

    def factor(self, t: Field, below: Field, above: Field) -> Field:
        side = np.maximum(1 - self.fall * t**2, self.corner)
        return np.asarray(self.gain * _rise(below, *self.upper) * _rise(above, *self.lower) * side, np.float32)

    def amount(self, t: Field, below: Field, above: Field) -> Field:
        """How much of the place is the lips' flesh, 0 to 1."""
        e = np.minimum((t / self.full) ** 2, 1)
        tall = (below + above) / 2 * np.sqrt(1 - e * (self.oval + (1 - self.oval) * e))
        return np.asarray(np.clip(np.abs(below - above) / 2 - tall + 1, 0, 1), np.float32)


class Interior:
    """The plates of one rig at one scale.

    depth: (3,) RGB, the mouth's depth. flesh: (2, 3) RGB of the lips at the left and at the right corner. Upper teeth
    and palate rest on the skull; lower teeth and tongue on the jaw.
    """

    def __init__(self, rig: Rig, scale: float) -> None:
        """scale: texture pixels for one of the portrait's."""
        self._half = rig.mouth_half * scale
        self._middle = _texture(float(rig.seam[0, 0] + rig.seam[-1, 0]) / 2, scale)
        self._line = _texture(float(rig.seam[:, 1].mean()), scale)
        self._teeth_at = (_texture(float(rig.teeth_at[0]), scale), _texture(float(rig.teeth_at[1]), scale))
        self._upper, self._lower = (_resized(plate, scale) for plate in (rig.teeth_upper, rig.teeth_lower))
        self._edge = self._teeth_at[1] + float((self._upper[..., 3].max(axis=1) > 127).sum())
        self._travel, self._taken = float(rig.jaw_travel) * scale, float(rig.teeth_jaw) * scale
        self._corners = np.array([_texture(float(end), scale) for end in rig.seam[[0, -1], 0]], np.float32)
        self._corner_moves = _corner_moves(rig) * np.float32(scale)
        self.flesh = rig.flesh.astype(np.float32)
        colour = rig.tongue.astype(np.float32)
        self.depth = colour * DEEP[0]
        self._palate = _palate(self._half, colour * DEEP[1])
        self._tongue = _tongue(self._half, colour)
        self._tip = _tip(self._half, colour)

    def layers(self, pose: Pose) -> list[Layer]:
        """Back to front."""
        drop = self._drop(pose)
        x, y = self._teeth_at
        found = [
            Layer(self._palate, self._middle - self._palate.shape[1] / 2, self._line - 0.3 * self._half, 1.0),
            self._tongue_layer(pose, drop),
            Layer(self._lower, x, y + drop - self._taken, 1.0),
            Layer(self._upper, x, y, 1.0),
        ]
        return [*found, self._tip_layer(pose)] if pose.tip > 0 else found

    def shade(self, pose: Pose) -> Shade:
        rounding = min(max(float(pose.muscles[INDEX["round"]]), 0.0), 1.0)
        half = self._half
        left, right = self._corners + pose.muscles @ self._corner_moves
        return Shade(
            gain=1.0 - 0.35 * rounding,
            upper=(0.55 - 0.15 * rounding, (0.12 + 0.1 * rounding) * half),
            lower=(0.75, 0.08 * half),
            left=float(left),
            right=float(right),
            fall=0.55,
            corner=0.25,
            full=0.93 - 0.29 * rounding,
            oval=rounding,
            trim=0.055 * half,
        )

    def _drop(self, pose: Pose) -> float:
        """Pixels that the lower teeth have moved down from where they meet the upper."""
        muscles = pose.muscles
        return self._travel * float(muscles[INDEX["jaw"]]) + self._taken * float(muscles[INDEX["wide"]])

    def _tongue_layer(self, pose: Pose, drop: float) -> Layer:
        """Its back lies behind the lower teeth, lower as the jaw drops; raised, it reaches the upper teeth."""
        half, raised = self._half, min(max(pose.tongue, 0.0), 1.0)
        top = self._line + 0.10 * half + 0.62 * drop - raised * (0.03 * half + 0.5 * drop)
        return Layer(self._tongue, self._middle - self._tongue.shape[1] / 2, top, 1.0)

    def _tip_layer(self, pose: Pose) -> Layer:
        """From below up to the upper teeth's edge, which it touches, in front of the lower teeth."""
        out = min(pose.tip, 1.0)
        top = self._edge - 0.04 * self._half + (1 - out) * 0.2 * self._half
        return Layer(self._tip, self._middle - self._tip.shape[1] / 2, top, 0.4 + 0.6 * out)


def _corner_moves(rig: Rig) -> NDArray[np.float32]:
    """(muscles, 2): how far each muscle moves the left and the right corner across, in the portrait's pixels."""
    places = np.rint((rig.seam[[0, -1]] - rig.origin) / rig.spacing).astype(int)
    sides = (rig.upper.astype(np.float32) + rig.lower.astype(np.float32)) / 2
    return np.stack([sides[:, row, column, 0] for column, row in places], axis=1)


def _rise(distance: NDArray[np.float32], floor: float, reach: float) -> NDArray[np.float32]:
    return np.minimum(floor + (1 - floor) / reach * np.maximum(distance, 0), 1)


def _texture(place: float, scale: float) -> float:
    """A place of the portrait in the texture."""
    return (place + 0.5) * scale - 0.5


def _resized(plate: Plate, scale: float) -> Plate:
    size = (max(1, round(plate.shape[1] * scale)), max(1, round(plate.shape[0] * scale)))
    return cv2.resize(plate, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC).astype(np.uint8)


def _uv(half: float, wide: float, tall: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """u from -1 to 1 across, v from 0 to 1 down, of a plate `wide` by `tall` half widths of the mouth."""
    width, height = max(2, round(wide * half)), max(2, round(tall * half))
    u, v = np.meshgrid(np.linspace(-1, 1, width), np.linspace(0, 1, height))
    return u.astype(np.float32), v.astype(np.float32)


def _plate(colour: NDArray[np.float32], light: NDArray[np.float32], alpha: NDArray[np.float32]) -> Plate:
    rgb = np.clip(colour * light[..., None], 0, 255) * alpha[..., None]
    return np.concatenate([rgb, 255 * alpha[..., None]], axis=2).round().astype(np.uint8)


def _palate(half: float, colour: NDArray[np.float32]) -> Plate:
    """The roof behind the upper teeth, lost in the dark further back."""
    u, v = _uv(half, 2.2, 1.0)
    alpha = np.clip(1.25 - v / (0.75 - 0.25 * u**2), 0, 1) * np.clip(1.2 - 1.2 * u**2, 0, 1)
    return _plate(colour, np.ones_like(u), alpha.astype(np.float32))


def _tongue(half: float, colour: NDArray[np.float32]) -> Plate:
    """An ellipse with a soft rim, brighter on its back, with a groove along its middle."""
    u, v = _uv(half, 1.24, 0.68)
    alpha = np.clip((1 - u**2 - (2 * v - 1) ** 2) * 2.2, 0, 1)
    light = np.clip(0.55 + 0.35 * (1 - 2 * v), 0.35, 1) * (1 - 0.18 * np.exp(-((u / 0.19) ** 2)))
    return _plate(colour, light.astype(np.float32), alpha.astype(np.float32))


def _tip(half: float, colour: NDArray[np.float32]) -> Plate:
    """What is seen of it from the front between the teeth: a flat, moist end."""
    u, v = _uv(half, 0.8, 0.3)
    alpha = np.clip((1 - np.abs(u) ** 3 - np.abs(2 * v - 1) ** 3) * 3, 0, 1)
    light = 1.12 - 0.45 * v
    return _plate(colour, light.astype(np.float32), alpha.astype(np.float32))
