"""The engine `puppet`: a portrait's rig, moved by the phonemes of its speech."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from core.catalogue import Avatar
from core.kinds import Tone
from worker.engines.base import Needs
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Frame, Picture
from worker.engines.video.puppet.drawing.painter import Painter
from worker.engines.video.puppet.drawing.stage import Layers
from worker.engines.video.puppet.manner.bearing import Bearing
from worker.engines.video.puppet.manner.cues import tell
from worker.engines.video.puppet.manner.curves import smooth
from worker.engines.video.puppet.manner.idle import idle_poses
from worker.engines.video.puppet.mouth.articulation import Articulation
from worker.engines.video.puppet.mouth.hearing import Hearing
from worker.engines.video.puppet.mouth.ipa import segments
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, TIP, TONGUE, Segment
from worker.engines.video.puppet.pose import INDEX, NEUTRAL, Pose
from worker.faces import matte
from worker.faces import rig as rigs
from worker.faces.build import read_picture
from worker.faces.rig import Rig

LOOK_AHEAD = 0.55
"""Seconds of speech that must be known beyond a frame before it is drawn: the reach of a dominance, the time in which
the face comes to rest, and the time before the end in which no blink begins."""

PAINTERS, FACES = 4, 3
"""Of each, how many are kept: 10 to 40 MB a painter, a third of a second to make; 10 MB a face, most of that time."""

EASE = (0.20, 0.40)
"""Seconds in which the face wakes at the start, and in which it comes to rest at the end."""

_SPOKEN = [INDEX[name] for name in ARTICULATORS[:TONGUE]]
_GATHERED = [ARTICULATORS.index(name) for name in ("round", "press")]


T = TypeVar("T")


class Puppet:
    """The video engine of the CPU; it draws at the canvas's own size. Silence or no speech at all is one neutral
    frame at least."""

    name: ClassVar[str] = "puppet"
    needs: ClassVar[Needs] = Needs()

    def __init__(self) -> None:
        self._faces: dict[tuple[Any, ...], _Face] = {}
        self._painters: dict[tuple[Any, ...], Painter] = {}

    def load(self) -> None:
        """A rig is read when its avatar first speaks. OpenCV works in the calling thread alone from now on: the
        encoder has the other core, and waiting for a pool of threads costs more than it gains on small pictures."""
        cv2.setNumThreads(1)

    def unload(self) -> None:
        self._painters.clear()
        self._faces.clear()

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return canvas.width, canvas.height

    def rate(self, canvas: Canvas) -> int:
        return canvas.fps

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Picture]:
        """Raises VideoError where the avatar has no usable rig or portrait."""
        painter = self._painter(avatar, canvas)
        for pose in poses(speech, seed=avatar.id, fps=canvas.fps, tone=tone, intensity=intensity):
            yield painter.draw(pose)

    def idle(self, avatar: Avatar, canvas: Canvas, seconds: float = 6.0) -> Iterator[Picture]:
        """The avatar that waits: round(seconds x fps) frames, the last followed by the first, which is neutral. They
        may be overwritten as those of `frames`. Raises VideoError."""
        painter = self._painter(avatar, canvas)
        for pose in idle_poses(avatar.id, canvas.fps, seconds):
            yield painter.draw(pose)

    def _painter(self, avatar: Avatar, canvas: Canvas) -> Painter:
        """Replaced portraits and rigs are read anew."""
        state = (_state(avatar.rig), _state(avatar.portrait))
        return _kept(self._painters, (*state, canvas), PAINTERS, lambda: self._new_painter(avatar, canvas, state))

    def _new_painter(self, avatar: Avatar, canvas: Canvas, state: tuple[Any, ...]) -> Painter:
        face = _kept(self._faces, state, FACES, lambda: _face(avatar))
        return Painter(face.rig, face.portrait, canvas, face.layers)


@dataclass(frozen=True)
class _Face:
    """What painters of every size share."""

    rig: Rig
    portrait: Frame
    layers: Layers


def _face(avatar: Avatar) -> _Face:
    rig, portrait = rigs.load(avatar.rig), read_picture(avatar.portrait)
    return _Face(rig, portrait, matte.layers(portrait, rig.alpha))


def _kept(store: dict[tuple[Any, ...], T], key: tuple[Any, ...], most: int, make: Callable[[], T]) -> T:
    """The store's, or a new one; of the store the `most` that were asked for last stay."""
    value = store.pop(key) if key in store else make()
    store[key] = value
    if len(store) > most:
        store.pop(next(iter(store)))
    return value


def _state(path: Path) -> tuple[Any, ...]:
    """What changes when a file is replaced."""
    try:
        state = path.stat()
    except OSError:
        return (str(path),)
    return str(path), state.st_ino, state.st_mtime_ns, state.st_size


def poses(speech: Iterable[Speech], *, seed: str, fps: int, tone: Tone, intensity: float) -> Iterator[Pose]:
    """What each frame shows; a pose comes as soon as enough of the speech is known. The first and last are neutral.

    seed: with the first piece's length it settles blinks and sway, so that two answers do not move alike.
    """
    score = _Score(fps, Bearing(seed, tone, intensity))
    for piece in speech:
        if score.seconds == 0:
            score.bearing = Bearing(f"{seed}:{len(piece.samples)}", tone, intensity)
        score.add(piece)
        yield from score.until(score.seconds - LOOK_AHEAD)
    yield from score.rest()


@dataclass
class _Score:
    """The speech so far, and the poses that were already taken from it."""

    fps: int
    bearing: Bearing
    seconds: float = 0.0
    taken: int = 0
    articulation: Articulation = field(default_factory=Articulation)
    hearing: Hearing = field(default_factory=Hearing)

    def add(self, piece: Speech) -> None:
        known = piece.phonemes is not None
        parts = self._segments(piece) if known else self.hearing.add(piece, self.seconds)
        tell(self.bearing, parts, self.seconds, self.seconds + piece.seconds, piece.text)
        if known:
            self.articulation.add(parts)
        self.seconds += piece.seconds

    def _segments(self, piece: Speech) -> list[Segment]:
        known = [phoneme for phoneme in piece.phonemes or () if phoneme.end > phoneme.start]
        return [
            part
            for phoneme in known
            for part in segments(phoneme.ipa, self.seconds + phoneme.start, self.seconds + phoneme.end)
        ]

    def until(self, end: float) -> Iterator[Pose]:
        """Poses of the moments before `end`, of speech that goes on."""
        while self.taken / self.fps < end:
            yield self._next(1.0)

    def rest(self) -> Iterator[Pose]:
        """The last poses, coming to rest; one pose even of no speech at all."""
        total = max(1, math.ceil(round(self.seconds * self.fps, 6)))
        last = (total - 1) / self.fps
        self.bearing.end(last)
        while self.taken < total:
            yield self._next(smooth((last - self.taken / self.fps) / min(EASE[1], max(last, 1e-6))))

    def _next(self, remaining: float) -> Pose:
        moment = self.taken / self.fps
        self.taken += 1
        awake = min(smooth(moment / EASE[0]), remaining)
        if awake == 0:
            return NEUTRAL
        self.articulation.forget(moment)
        self.hearing.forget(moment)
        frame = 1 / self.fps
        mouth = np.maximum(self.articulation.at(moment, frame), self.hearing.at(moment, frame))
        mouth *= np.float32(min(1.0, 3 * awake))
        return self._pose(mouth, moment, awake)

    def _pose(self, mouth: NDArray[np.float32], moment: float, awake: float) -> Pose:
        manner = self.bearing.at(moment, awake, float(mouth[_GATHERED].max()))
        muscles = np.zeros(len(INDEX), np.float32)
        muscles[_SPOKEN] = mouth[: len(_SPOKEN)]
        for name, pull in manner.muscles.items():
            muscles[INDEX[name]] += pull
        tongue, tip = float(mouth[TONGUE]), float(mouth[TIP])
        head = (manner.yaw, manner.pitch, manner.roll, manner.sway)
        return Pose(muscles, tongue, manner.lids, *head, tip, manner.gaze, manner.breath)
