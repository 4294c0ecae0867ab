"""MuseTalk 1.5: its network, what it is shown and hears, where it looks, and the mask of what it draws.

What is other on purpose is not compared: a film's frames are put together in its own planes, and go to and fro in an
order of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.reference.differences import Results
from tests.reference.drawn import levels, normal, speech

SIDE, LATENT, SEED = 64, 8, 9
SECONDS, FPS = 31.3, 25
"""A little more than Whisper's encoder hears at once."""
FACES = 3
SIZE = 512
BOXES = ((150, 120, 350, 341), (100, 90, 300, 310), (260, 200, 345, 301))
"""Left, top, right, bottom of faces, in a picture of SIZE."""
LIMITS: Mapping[str, float] = {}


def build(folder: Path) -> None:
    from bench.models.musetalk import build_all

    build_all(folder)


def ours(folder: Path) -> Results:
    import torch

    from worker.engines.tts.base import Speech
    from worker.engines.video.musetalk.boxes import box_about
    from worker.engines.video.musetalk.features import Hearing, positions
    from worker.engines.video.musetalk.networks import Networks
    from worker.faces.blending import feathered, square
    from worker.faces.crops import Box, Place

    networks = Networks.open(folder, "cpu")
    hearing = Hearing(networks.states)
    hearing.add(Speech(speech(SEED, SECONDS), 16_000, None))
    latents, sound = networks.latents(_faces()), normal(1, FACES, 50, 384)
    where = [Box(*map(float, box)) for box in BOXES]
    squares = [square(box) for box in where]
    return {
        "features of sound": hearing.windows(0, int(SECONDS * FPS)).numpy(),
        "positions": positions(50, 384).numpy(),
        "latents of faces": latents,
        "network": networks._called(torch.from_numpy(latents), sound + positions(50, 384)).numpy(),
        "faces": networks.draw(latents, sound),
        "boxes": np.array([box_about(*_outline(box), (SIZE, SIZE)) for box in BOXES], np.float32),
        "squares": np.array([(each.left, each.top, each.left + each.side, each.top + each.side) for each in squares]),
        "masks": np.stack([feathered(_region(), box, Place(0, 0, SIZE, SIZE), square(box).kernel) for box in where]),
    }


def theirs(folder: Path) -> Results:
    """Raises SurroundingsError without a checkout."""
    import torch
    from transformers import WhisperModel

    from bench.upstream import musetalk as upstream

    original = upstream.of_folder(folder, size=SIDE)
    whisper = WhisperModel.from_pretrained(folder / "whisper-tiny").eval()
    latents = torch.cat([original.latents(np.ascontiguousarray(face[..., ::-1])) for face in _faces()])
    sound = normal(1, FACES, 50, 384)
    marked = [upstream.box(_landmarks(box)) for box in BOXES]
    return {
        "features of sound": upstream.heard(whisper, speech(SEED, SECONDS), FPS).numpy(),
        "positions": original.positions(torch.zeros(1, 50, 384))[0].numpy(),
        "latents of faces": latents.numpy(),
        "network": original.predicted(latents, sound).numpy(),
        "faces": np.ascontiguousarray(original.mouths(latents, sound)[..., ::-1]),
        "boxes": np.array([(*sides, min(bottom + 10, SIZE)) for *sides, bottom in marked], np.float32),
        "squares": np.array([upstream.square(box) for box in BOXES]),
        "masks": np.stack([_white_on_black(box) for box in BOXES]),
    }


def _faces() -> NDArray[np.uint8]:
    return levels(2, FACES, SIDE, SIDE, 3)


def _landmarks(box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """68 points whose outline is as wide as the box and ends at its bottom; 29 is a little above its middle."""
    left, top, right, bottom = box
    points = np.full((68, 2), ((left + right) // 2, (top + bottom) // 2), np.float32)
    angle = np.linspace(0, np.pi, 17)
    points[:17, 0] = np.round((left + right) / 2 - (right - left) / 2 * np.cos(angle))
    points[:17, 1] = np.round(bottom - (bottom - top) / 2 * (1 - np.sin(angle)))
    points[29, 1] = (top + bottom) // 2 - 7
    return points


def _outline(box: tuple[int, int, int, int]) -> tuple[NDArray[np.float32], float]:
    points = _landmarks(box)
    return points[:17], float(points[29, 1])


def _region() -> NDArray[np.uint8]:
    """What of the picture is face, in place of the repository's network that finds it."""
    region = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(region, (260, 250), (90, 100), 0, 0, 360, 255, -1)
    return region


def _white_on_black(box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """The mask that the repository draws a face through, seen by drawing white through it onto black. Beyond the box it
    draws the picture onto itself there, which changes nothing."""
    from bench.upstream import musetalk as upstream

    left, top, right, bottom = upstream.square(box)
    around = cv2.copyMakeBorder(_region(), SIZE, SIZE, SIZE, SIZE, cv2.BORDER_CONSTANT)
    region = around[top + SIZE : bottom + SIZE, left + SIZE : right + SIZE]
    face = np.full((box[3] - box[1], box[2] - box[0], 3), 255, np.uint8)
    drawn = upstream.blended(np.zeros((SIZE, SIZE, 3), np.uint8), face, box, lambda _square: region)
    return np.ascontiguousarray(drawn[..., 0])
