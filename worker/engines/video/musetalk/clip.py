"""One answer's frames: the film of an avatar that waits, its mouth redrawn to the speech as that comes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from worker.engines.tts.base import Speech
from worker.engines.video.base import Frame, Planes
from worker.engines.video.colour import levels
from worker.engines.video.musetalk.features import FPS, Hearing
from worker.engines.video.musetalk.ground import Film
from worker.engines.video.musetalk.networks import Faces, Networks
from worker.engines.video.musetalk.playing import Playing
from worker.engines.video.musetalk.preparing import Prepared
from worker.faces.blending import blend
from worker.faces.crops import put
from worker.networks.chunks import chunked

LOOK_AHEAD = 0.5
"""Seconds of speech that must be known beyond a frame before it is drawn: what the network hears behind it (0.12 s),
and time for the face to come to rest when nothing more is said."""
EASE = 3
"""Frames in which the mouth passes from the film's to the drawn one, and back at the end."""


@dataclass(frozen=True)
class Ground:
    """What answers of one avatar at one size share."""

    film: Film
    prepared: Prepared


class Clip:
    """For one answer."""

    def __init__(self, networks: Networks, ground: Ground) -> None:
        self._networks, self._ground = networks, ground
        self._hearing, self._playing = Hearing(networks.states), Playing(len(ground.film))
        self._batch = networks.batch
        self._drawn = 0

    def frames(self, speech: Iterable[Speech]) -> Iterator[Planes]:
        """As `VideoEngine.frames`. Raises whatever the networks do."""
        for piece in speech:
            self._hearing.add(piece)
            known = self._hearing.seconds
            self._playing.plan(_frames_in(known) - self._drawn)
            yield from self._until(math.floor(round((known - LOOK_AHEAD) * FPS, 6)), None)
        end = max(1, _frames_in(self._hearing.seconds))
        self._playing.plan(end - self._drawn)
        yield from self._until(end, end - 1)

    def _until(self, end: int, last: int | None) -> Iterator[Planes]:
        """Those before `end`; last: the whole clip's last, where it is known."""
        begin = self._drawn
        weights = [_weight(number, last) for number in range(begin, max(begin, end))]
        for part in _parts(weights, self._batch):
            yield from self._part(begin, part)
            begin += len(part)

    def _part(self, begin: int, weights: list[float]) -> Iterator[Planes]:
        """weights: of consecutive frames, either all 0 or none."""
        shown = [self._playing.next() for _ in weights]
        self._drawn += len(weights)
        if weights[0] == 0:
            yield from map(self._ground.film.copy, shown)
            return
        windows = self._hearing.windows(begin, begin + len(shown))
        latents = self._ground.prepared.latents[shown]

        def drawn(first: int, behind: int) -> Faces:
            return self._networks.draw(latents[first:behind], windows[first:behind])

        done, sizes = 0, []
        for faces in chunked(len(shown), self._batch, drawn, "MuseTalk's network"):
            sizes.append(len(faces))
            for face in faces:
                yield joined(self._ground, shown[done], face, weights[done])
                done += 1
        if len(sizes) > 1:  # memory did not suffice for all at once, nor will it for the next ones
            self._batch = max(sizes)
        self._hearing.forget(self._drawn)


def joined(ground: Ground, number: int, face: Frame, weight: float = 1.0) -> Planes:
    """A frame of the film with the face (side, side, 3) put into it, as far as the mask and the weight (0 … 1) say.
    Nothing changes beyond the mask."""
    planes, place = ground.film.copy(number), ground.prepared.place(number)
    shown = levels(put(face, ground.prepared.box(number), place))
    alpha = ground.prepared.alphas[number] * np.float32(weight / 255)
    halves = (place.width // 2, place.height // 2)
    chroma = np.asarray(cv2.resize(shown, halves, interpolation=cv2.INTER_AREA), np.uint8)
    half = np.asarray(cv2.resize(alpha, halves, interpolation=cv2.INTER_AREA), np.float32)
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, place.left + place.width)
    blend(planes.y[rows, columns], shown[..., 0], alpha)
    rows = slice(place.top // 2, (place.top + place.height) // 2)
    columns = slice(place.left // 2, (place.left + place.width) // 2)
    blend(planes.u[rows, columns], chroma[..., 1], half)
    blend(planes.v[rows, columns], chroma[..., 2], half)
    return planes


def _frames_in(seconds: float) -> int:
    return math.ceil(round(seconds * FPS, 6))


def _weight(number: int, last: int | None) -> float:
    """How much of the mouth is drawn: nothing in the first frame and in the last."""
    return min(1.0, number / EASE, math.inf if last is None else (last - number) / EASE)


def _parts(weights: list[float], most: int) -> Iterator[list[float]]:
    """In order, `most` at once; those of weight 0 by themselves, which no network need draw."""
    part: list[float] = []
    for weight in weights:
        if part and (len(part) == most or (weight == 0) != (part[-1] == 0)):
            yield part
            part = []
        part.append(weight)
    if part:
        yield part
