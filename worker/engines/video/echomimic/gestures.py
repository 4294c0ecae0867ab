"""How hands move: shipped motions that fit any pair of hands, because they say what moves and not where it is.

A motion begins and ends at rest. It was made by `scripts/poses.py`; nobody's hands were recorded for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.kinds import Tone
from worker.faces.half import size_of
from worker.faces.hands import KNUCKLE, WRIST

FOLDER = Path(__file__).parent / "motions"
FPS = 24
FIELDS = ("out", "down", "turn", "near", "thumb", "index", "middle", "ring", "little")
"""Of a hand in a motion. out, down: the wrist's way from its rest, away from the body's middle and downwards, in sizes
of the hand (from wrist to the middle finger's knuckle). turn: of the hand about the wrist, its fingers outwards, in
radians. near: how much larger it is seen, as a share. The rest: how far each finger is bent from how it rests, 1 is a
right angle in all."""
LIVELY = {Tone.CHEERFUL: 0.9, Tone.LIVELY: 1.0}
"""Tones that move the hands more, and how much of the lively motion they show at full intensity."""
LEAST = 0.6
"""The share at no intensity."""
FORESHORTENED, BENT = 0.22, 0.16
"""Of a finger's bone for one step along the finger: how much shorter it is seen when bent, and how far it turns towards
the palm's middle, in radians."""
ROOM = 0.012
"""Hands stay so far within the picture, in its sides, unless they rest nearer to its edge."""

Motion = NDArray[np.float32]
"""(n, 2, 9): frames, hands (the viewer's right one first), FIELDS."""


@cache
def motions(name: str) -> NDArray[np.float32]:
    """(v, n, 2, 9): the variants of a shipped motion, `calm`, `lively` or `rest`, at FPS. Of `rest` the last frame is
    followed by the first."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as stored:
        return np.asarray(stored["motions"], np.float32)


@dataclass(frozen=True)
class Manner:
    """A shipped motion by name, and how much of it is shown, 0–1."""

    name: str
    share: float

    @classmethod
    def of(cls, tone: Tone, intensity: float) -> Manner:
        if tone in LIVELY:
            return cls("lively", LIVELY[tone] * (LEAST + (1 - LEAST) * min(max(intensity, 0.0), 1.0)))
        return cls("calm", 1.0 if tone is Tone.NEUTRAL else 0.8)


def moved(hands: NDArray[np.float32], motion: Motion) -> NDArray[np.float32]:
    """(n, 2, 21, 2): the hands (2, 21, 2) as the motion moves them; at rest they are where they were."""
    return np.stack([_hand(hands[side], motion[:, side], outwards) for side, outwards in enumerate(OUTWARDS)], axis=1)


OUTWARDS = (1.0, -1.0)
"""The sign of x away from the body's middle, of each hand."""


def _hand(hand: NDArray[np.float32], motion: NDArray[np.float32], outwards: float) -> NDArray[np.float32]:
    """(n, 21, 2) of one hand (21, 2) and its motion (n, 9)."""
    wrist, size = hand[WRIST], size_of(hand)
    near = 1 + motion[:, 3, None, None]
    way = motion[:, :2] * (outwards * size, size)
    shown = _turned(_bent(hand - wrist, motion[:, 4:]), motion[:, 2, None] * outwards) * near
    return np.asarray(shown + (wrist + way)[:, None], np.float32)


def _bent(hand: NDArray[np.float32], fingers: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 21, 2): a hand (21, 2) about its wrist, its fingers bent by so much (n, 5)."""
    shown, palm = np.repeat(hand[None], len(fingers), axis=0), hand[KNUCKLE] * 0.6
    for finger in range(fingers.shape[1]):
        first, bend = 1 + 4 * finger, fingers[:, finger]
        inward = palm - hand[first]
        for step, bone in enumerate(np.diff(hand[first : first + 4], axis=0), start=1):
            side = np.sign(bone[0] * inward[1] - bone[1] * inward[0])
            seen = np.maximum(1 - FORESHORTENED * step * bend, 0.3)[:, None]
            shown[:, first + step] = shown[:, first + step - 1] + _turned(bone, BENT * step * side * bend) * seen
    return shown


def _turned(points: NDArray[np.float32], angle: NDArray[np.float32]) -> NDArray[np.float32]:
    """Clockwise as a picture is seen. points: (…, 2), angle: in radians, of their leading axes."""
    cosine, sine, x, y = np.cos(angle), np.sin(angle), points[..., 0], points[..., 1]
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=-1)


def within(hands: NDArray[np.float32], motion: Motion) -> Motion:
    """As much of the motion, the same share in all its frames, as keeps each of the hands (2, 21, 2) in the picture."""
    fitted = np.zeros_like(motion)
    for side, outwards in enumerate(OUTWARDS):
        low = np.minimum(hands[side].min(axis=0), ROOM) - 1e-6
        high = np.maximum(hands[side].max(axis=0), 1 - ROOM) + 1e-6
        for tenths in range(10, 0, -1):
            part = motion[:, side] * np.float32(tenths / 10)
            path = _hand(hands[side], part, outwards)
            if (path >= low).all() and (path <= high).all():
                fitted[:, side] = part
                break
    return fitted
