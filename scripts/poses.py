"""How EchoMimicV2's hands move: the shipped motions, and poses of others made safe.

python -m scripts.poses motions                   writes worker/engines/video/echomimic/motions/*.npz, always alike
python -m scripts.poses convert FOLDER poses.npz  a folder of upstream's 0.npy, 1.npy … as an avatar's poses.npz

The motions are made of slow sway, which both hands mostly share, and of beats: strokes up and outwards that fall on a
slow schedule, as hands that speak along do (McNeill, Hand and Mind, 1992: preparation, stroke, retraction).
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from worker.engines.video.echomimic.gestures import FIELDS, FOLDER, FPS
from worker.engines.video.echomimic.poses import MOST_FRAMES, checked
from worker.faces.hands import POINTS

MOST_BYTES = 1 << 20
"""Of one .npy; upstream's have 9 kB."""


@dataclass(frozen=True)
class Kind:
    """A shipped motion. seconds: of each of its variants. sway: how far the wrist strays, in hands' sizes. every:
    seconds between two beats, from … to; none without. stroke: how high a beat goes, in hands' sizes, from … to."""

    seconds: float
    variants: int
    sway: float
    every: tuple[float, float] | None = None
    stroke: tuple[float, float] = (0.0, 0.0)


KINDS = {
    "calm": Kind(14.0, 3, 0.12, (2.4, 4.0), (0.28, 0.50)),
    "lively": Kind(12.0, 3, 0.20, (1.2, 2.2), (0.65, 1.25)),
    "rest": Kind(6.0, 1, 0.035),
}
SHARED = 0.7
"""Of the sway, both hands have so much in common."""
STRAY = {"out": 1.0, "down": 0.8, "turn": 0.35, "near": 0.16}
"""How far each strays when the wrist strays by 1."""
RELAXED = 0.5
"""How far the fingers bend when the wrist strays by 1."""
STROKE = {"out": 0.45, "down": -1.0, "turn": 0.22, "near": 0.05}
"""What a beat of height 1 moves; the fingers open by OPENS."""
OPENS = -0.35
PHASES = (0.42, 0.16, 0.85)
"""Seconds of a beat: up, down to half its height, back to rest."""
BOTH = 0.55
"""Of the beats, so many are made by both hands."""
EASE_S = 0.9
"""In so many seconds a motion begins and ends."""
SLOW, FAST = 0.07, 0.45
"""Hertz between which the sway lies."""


def motions() -> Mapping[str, NDArray[np.float16]]:
    """Each shipped motion: (variants, frames, 2, FIELDS)."""
    made = {}
    for number, (name, kind) in enumerate(KINDS.items()):
        chance = np.random.default_rng(20_000 + number)
        made[name] = np.stack([_motion(kind, chance) for _ in range(kind.variants)]).astype(np.float16)
    return made


def _motion(kind: Kind, chance: np.random.Generator) -> NDArray[np.float64]:
    frames = round(kind.seconds * FPS)
    common, single = _sway(frames, chance, 1), _sway(frames, chance, 2)
    motion = kind.sway * (SHARED * common + np.sqrt(1 - SHARED**2) * single)
    motion -= motion[:1]
    if kind.every is None:
        return motion
    for begin, height, hands in _beats(kind, chance):
        motion[:, hands] += height * _beat(frames, begin)[:, None, None] * _direction(chance)
    return motion * _eased(frames)[:, None, None]


def _sway(frames: int, chance: np.random.Generator, hands: int) -> NDArray[np.float64]:
    """(frames, hands, FIELDS): periodic noise of a standard deviation of STRAY."""
    seconds = frames / FPS
    first, last = max(round(SLOW * seconds), 1), round(FAST * seconds)
    turns = np.arange(frames)[:, None] * np.arange(first, last + 1) * 2 * np.pi / frames
    strength = 1 / np.arange(first, last + 1)
    phase = chance.uniform(0, 2 * np.pi, (hands, len(FIELDS), len(strength)))
    waves = np.einsum("k,fhck->fhc", strength, np.sin(turns[:, None, None] + phase))
    fingers = waves[..., 4:]
    fingers[...] = 0.75 * fingers[..., 1:2] + 0.25 * fingers  # they bend together
    return waves / waves.std(axis=0) * [STRAY.get(name, RELAXED) for name in FIELDS]


def _beats(kind: Kind, chance: np.random.Generator) -> list[tuple[float, float, list[int]]]:
    """When each begins in seconds, how high it goes, and with which hands."""
    assert kind.every is not None
    beats, moment = [], EASE_S + chance.uniform(0, kind.every[0])
    while moment + sum(PHASES) < kind.seconds - EASE_S / 2:
        hands = [0, 1] if chance.random() < BOTH else [int(chance.integers(2))]
        beats.append((moment, chance.uniform(*kind.stroke), hands))
        moment += chance.uniform(*kind.every)
    return beats


def _beat(frames: int, begin: float) -> NDArray[np.float64]:
    """(frames,) 0–1: up, a quick stroke down to half, and slowly back."""
    times = begin + np.cumsum([0, *PHASES])
    now = np.arange(frames) / FPS
    path = np.interp(now, times, (0, 1, 0.5, 0))
    width = np.arange(-6, 7) / (0.10 * FPS)
    kernel = np.exp(-(width**2) / 2)
    return np.convolve(path, kernel / kernel.sum(), mode="same")


def _direction(chance: np.random.Generator) -> NDArray[np.float64]:
    """What a beat of height 1 moves, a little different each time."""
    plain = np.array([STROKE.get(name, OPENS) for name in FIELDS])
    return plain * chance.normal(1.0, 0.18, len(FIELDS))


def _eased(frames: int) -> NDArray[np.float64]:
    """(frames,) 0–1–0, level at both ends."""
    rim = np.minimum(np.arange(frames), frames - 1 - np.arange(frames)) / (EASE_S * FPS)
    return 0.5 - 0.5 * np.cos(np.pi * np.minimum(rim, 1))


class _Plain(pickle.Unpickler):
    """Of pickles, arrays, numbers, texts, lists and dicts; whatever else one names is refused, and so never run."""

    ALLOWED = {
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (("multiarray", "_reconstruct"), ("multiarray", "scalar"), ("numeric", "_frombuffer"))
    } | {("numpy", "ndarray"), ("numpy", "dtype")}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no business in a pose")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_npy(path: Path) -> dict[str, Any]:
    """Upstream's file of one frame: a dict in an array without axes. Raises ValueError."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes")
    with io.BytesIO(path.read_bytes()) as file:
        _skip_header(path, file)
        try:
            held = _Plain(file).load()
        except Exception as error:  # a crooked pickle raises whatever it likes
            raise ValueError(f"{path} is no pose: {error}") from error
    table = held.item() if isinstance(held, np.ndarray) and held.shape == () else held
    if not isinstance(table, dict):
        raise ValueError(f"{path} holds no table")
    return table


def _skip_header(path: Path, file: BinaryIO) -> None:
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    except ValueError as error:
        raise ValueError(f"{path} is no pose: {error}") from error
    if shape != () or not dtype.hasobject:
        raise ValueError(f"{path} holds no table")


def read_folder(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """hands and scores of 0.npy, 1.npy … Raises ValueError."""
    numbered = sorted((path for path in folder.glob("*.npy") if path.stem.isdigit()), key=lambda path: int(path.stem))
    if not 1 <= len(numbered) <= MOST_FRAMES:
        raise ValueError(f"{folder} holds {len(numbered):,} frames (0.npy, 1.npy …): 1 to {MOST_FRAMES:,} are taken")
    frames = [_frame(path) for path in numbered]
    try:
        return checked(np.stack([hands for hands, _ in frames]), np.stack([scores for _, scores in frames]))
    except ValueError as error:
        raise ValueError(f"{folder} holds no poses: {error}") from error


def _frame(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(2, 21, 2), 0–1 of the square, and (2, 21), the viewer's right hand first as upstream has them."""
    table = read_npy(path)
    try:
        hands = np.asarray(table["hands"], np.float64)[:2]
        scores = np.asarray(table["hands_score"], np.float64)[:2]
        params = table.get("draw_pose_params", (1, 1, 0, 1, 0, 1))
        height, width, top, bottom, left, right = (float(number) for number in params)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} holds no hands: {error}") from error
    if hands.shape != (2, POINTS, 2) or scores.shape != (2, POINTS):
        raise ValueError(f"{path} holds hands of {hands.shape}, scores of {scores.shape}")
    side = max(height, width, 1.0)
    del bottom, right
    return (hands * (width, height) + (left, top)) / side, scores


def write(path: Path, **arrays: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
    print(f"{path}: {path.stat().st_size:,} bytes")


def main(arguments: Sequence[str]) -> int:
    if list(arguments[:1]) == ["motions"] and len(arguments) == 1:
        for name, made in motions().items():
            write(FOLDER / f"{name}.npz", motions=made)
        return 0
    if list(arguments[:1]) == ["convert"] and len(arguments) == 3:
        try:
            hands, scores = read_folder(Path(arguments[1]))
            write(Path(arguments[2]), hands=hands, scores=scores)
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
