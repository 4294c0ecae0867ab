"""The face in each frame of a film, found by MediaPipe's face mesh in a process of its own.

`python -m worker.faces.tracking FILM TARGET` is that process: it writes `.npz` with `points`, (n, 468, 2) in pixels of
the film, and `size`, its width and height. Frames without a face hold no numbers. Exit status as `worker.faces.mesh`'s,
or 5 where the film can't be read.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import ModelMissing, VideoError
from worker.faces import mesh as meshes
from worker.faces.landmarks import COUNT
from worker.surroundings import bare

Tracks = NDArray[np.float32]
"""(n, 468, 2), x and y in pixels, one frame after the other."""

NO_FILM = 5
LONGEST = 20 * 30
"""Frames of a film that are looked at: waiting is shown for a few seconds, over and over."""
TRACKED_S = 180.0
"""Seconds that a film may take: 7 ms a frame on a quick core, and ten times that on a busy one."""
LOST_EVERY = 8
"""Of the frames in which the mesh lost the face, the detectors look at each eighth."""
STEADY = 2.0
"""Frames: the deviation of the Gaussian over time that takes the mesh's trembling away, a quarter of a pixel."""


@dataclass(frozen=True)
class Found:
    """points: NaN in frames without a face. size: width and height of the film."""

    points: Tracks
    size: tuple[int, int]


class Tracker:
    """One film at a time; `stop` ends the work from another thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def track(self, film: Path) -> Found:
        """Raises ModelMissing where mediapipe is not installed, VideoError where the film can't be read, shows no
        face, or `stop` was called."""
        with tempfile.TemporaryDirectory(prefix="smarttalker-") as folder:
            target = Path(folder) / "tracks.npz"
            status = self._run([sys.executable, "-P", "-m", "worker.faces.tracking", str(film.absolute()), str(target)])
            if status == meshes.NO_MODEL:
                raise ModelMissing(meshes.LACK)
            if status == meshes.NO_FACE:
                raise VideoError("no face was found in the film of the avatar", refused=True)
            if status != 0:
                raise VideoError(f"the process that looks for the face ended with {status}")
            with np.load(target, allow_pickle=False) as found:
                width, height = (int(side) for side in found["size"])
                return Found(found["points"].astype(np.float32), (width, height))

    def stop(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _run(self, command: list[str]) -> int:
        silent = subprocess.DEVNULL
        with self._lock:
            process = subprocess.Popen(command, stdin=silent, stdout=silent, stderr=silent, env=bare(), cwd="/")
            self._process = process
        try:
            return process.wait(TRACKED_S)
        except subprocess.TimeoutExpired:
            raise VideoError(f"looking for the face took longer than {TRACKED_S:g} s") from None
        finally:
            with self._lock:
                self._process = None
            process.kill()
            process.wait()


def filled(points: Tracks) -> Tracks:
    """Frames without a face take the one of the frame that is nearest in time, of a film that goes on with its first
    frame after its last. At least one frame has a face."""
    count = len(points)
    seen = np.flatnonzero(np.isfinite(points).all(axis=(1, 2)))
    away = np.abs(np.arange(count)[:, None] - seen[None])
    nearest = np.minimum(away, count - away).argmin(axis=1)
    return np.asarray(points[seen[nearest]], np.float32)


def steadied(points: Tracks) -> Tracks:
    """Smoothed over time, with a film that goes on with its first frame after its last."""
    reach = min(int(3 * STEADY), len(points) - 1)
    if reach < 1:
        return points
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / STEADY) ** 2)
    weights /= weights.sum()
    smooth = sum(weight * np.roll(points, shift, axis=0) for shift, weight in enumerate(weights, -reach))
    return np.asarray(smooth, np.float32)


def main(film: str, target: str) -> int:
    meshes.sparing()
    try:
        import mediapipe  # noqa: F401 - asked for before the work begins
    except ImportError:
        return meshes.NO_MODEL
    cv2.setNumThreads(1)
    try:
        frames = _frames(Path(film))
        first = next(frames, None)
        if first is None:
            return NO_FILM
        points = np.stack(list(_tracked(chain([first], frames))))
    except (OSError, av.FFmpegError):
        return NO_FILM
    if not np.isfinite(points).all(axis=(1, 2)).any():
        return meshes.NO_FACE
    with Path(target).open("wb") as file:
        np.savez(file, points=points, size=np.array(first.shape[1::-1], np.int32))
    return 0


def _frames(film: Path) -> Iterator[meshes.Image]:
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= LONGEST:
                return
            yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _tracked(frames: Iterable[meshes.Image]) -> Iterator[Tracks]:
    """The mesh follows the face from frame to frame; where it loses it, or the face is too small for its own detector,
    those for portraits look in the whole picture, now and then: they take far longer."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    lost = 0
    with FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=False) as model:
        for frame in frames:
            height, width = frame.shape[:2]
            found = model.process(np.ascontiguousarray(frame)).multi_face_landmarks
            if found:
                yield np.array([(p.x * width, p.y * height) for p in found[0].landmark], np.float32)
                continue
            lost += 1
            yield _alone(frame) if lost % LOST_EVERY == 1 else _nobody()


def _alone(frame: meshes.Image) -> Tracks:
    faces = meshes.faces(frame)
    points = meshes.mesh(frame, faces[0]) if faces else None
    return _nobody() if points is None else points[:COUNT, :2]


def _nobody() -> Tracks:
    return np.full((COUNT, 2), np.nan, np.float32)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
