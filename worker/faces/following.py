"""A face followed through frames as they come, by MediaPipe's face mesh in a process of its own.

`python -m worker.faces.following` is that process. It reads height and width (two little-endian uint32) and the frame's
bytes, RGB, and answers each frame with the 468 points as float32, NaN where it sees no face; a frame of no size ends a
film and has no answer. It ends with its input, or at once with `worker.faces.mesh`'s status where mediapipe lacks.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np

from core.errors import ModelMissing, UpscaleError
from worker.faces import mesh as meshes
from worker.faces.landmarks import COUNT, Points
from worker.surroundings import bare

LIMIT_S = 60.0
"""The longest that a frame may take; the first one waits for the library, seconds on a slow core."""
_HEAD = struct.Struct("<II")
_ANSWER = COUNT * 2 * 4
_LOST_EVERY = 8
"""Of the frames in which the mesh has lost the face, the detectors look at each eighth; they take far longer."""
_ASTRAY = 0.15
"""Of the window's side: so far from its middle, the face gets a new window."""


class Follower:
    """One process, one thread at a time; it is started where there is none."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._before: tuple[meshes.Image, Points | None] | None = None

    def start(self) -> None:
        """Returns before the process is ready; idempotent."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        command = [sys.executable, "-P", "-m", "worker.faces.following"]
        both, none = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=both, stdout=both, stderr=none, env=bare(), cwd="/")

    def begin(self) -> None:
        """A new film."""
        self.start()
        self._before = None
        self._exchanged(_HEAD.pack(0, 0), 0)

    def points(self, frame: meshes.Image) -> Points | None:
        """(468, 2) in pixels of the film's next frame, None where no face is seen. A frame that is the last one again
        has the last one's. Raises ModelMissing, and UpscaleError where the process died or hung."""
        if self._before is None or not np.array_equal(self._before[0], frame):
            height, width = frame.shape[:2]
            answer = self._exchanged(_HEAD.pack(height, width) + frame.tobytes(), _ANSWER)
            points = np.frombuffer(answer, np.float32).reshape(COUNT, 2)
            self._before = frame.copy(), points if np.isfinite(points).all() else None
        return self._before[1]

    def close(self) -> None:
        process, self._process = self._process, None
        self._before = None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it did not read is of no use to anyone
                    pipe.close()

    def _exchanged(self, question: bytes, length: int) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise UpscaleError("the process that follows the face was closed")
        watch = threading.Timer(LIMIT_S, process.kill)
        watch.start()
        try:
            process.stdin.write(question)
            process.stdin.flush()
            answer = process.stdout.read(length)
        except OSError:
            answer = b""
        finally:
            watch.cancel()
        if len(answer) == length:
            return answer
        raise self._ended(process)

    def _ended(self, process: subprocess.Popen[bytes]) -> UpscaleError | ModelMissing:
        process.kill()
        status = process.wait()
        self.close()
        if status == meshes.NO_MODEL:
            return ModelMissing(meshes.LACK)
        return UpscaleError(f"the process that follows the face ended with {status}: the film is sent as it was drawn")


class _Seeker:
    """The mesh looks in a window about the face, twice as large as it: its own detector sees only faces that are large
    in what it is given, and those of half a person are not."""

    def __init__(self) -> None:
        from mediapipe.python.solutions.face_mesh import FaceMesh

        self._model: Any = FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=False)
        self._window: _Window | None = None
        self._lost = 0

    def begin(self) -> None:
        self._window, self._lost = None, 0

    def points(self, frame: meshes.Image) -> Points:
        """(468, 2), NaN where no face is seen."""
        found = None if self._window is None else self._in_window(frame, self._window)
        if found is None and self._found_anew(frame):
            assert self._window is not None
            found = self._in_window(frame, self._window)
        if found is None:
            self._window = None
            return np.full((COUNT, 2), np.nan, np.float32)
        if self._window is not None and self._window.is_left_by(found):
            self._window, self._lost = None, 0
        return found

    def _found_anew(self, frame: meshes.Image) -> bool:
        """Where the mesh has no window or has lost the face in it."""
        self._lost += 1
        if self._lost % _LOST_EVERY != 1:
            return False
        faces = meshes.faces(frame)
        if not faces:
            return False
        self._model.reset()
        self._window = _Window.about(faces[0])
        return True

    def _in_window(self, frame: meshes.Image, window: _Window) -> Points | None:
        seen = self._model.process(window.of(frame)).multi_face_landmarks
        if not seen:
            return None
        self._lost = 0
        places = np.array([(p.x, p.y) for p in seen[0].landmark], np.float32)
        return places * window.side + (window.left, window.top)


@dataclass(frozen=True)
class _Window:
    left: int
    top: int
    side: int

    @classmethod
    def about(cls, face: meshes.Found) -> Self:
        side = round(meshes.AROUND * max(face.width, face.height))
        return cls(round(face.middle[0] - side / 2), round(face.middle[1] - side / 2), side)

    def of(self, frame: meshes.Image) -> meshes.Image:
        """Beyond the frame its rim goes on."""
        move = np.array([[1.0, 0.0, -self.left], [0.0, 1.0, -self.top]])
        size = (self.side, self.side)
        shown = cv2.warpAffine(frame, move, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(shown, np.uint8)

    def is_left_by(self, points: Points) -> bool:
        x, y = (points.min(axis=0) + points.max(axis=0)) / 2
        away = abs(x - self.left - self.side / 2), abs(y - self.top - self.side / 2)
        return bool(max(away) > _ASTRAY * self.side)


def main() -> int:
    answers = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)  # what libraries print
    meshes.sparing()
    try:
        import mediapipe  # noqa: F401 - asked for before the work begins
    except ImportError:
        return meshes.NO_MODEL
    cv2.setNumThreads(1)
    seeker = _Seeker()
    while len(head := sys.stdin.buffer.read(_HEAD.size)) == _HEAD.size:
        height, width = _HEAD.unpack(head)
        if not height * width:
            seeker.begin()
            continue
        pixels = np.frombuffer(sys.stdin.buffer.read(height * width * 3), np.uint8)
        answers.write(seeker.points(pixels.reshape(height, width, 3)).astype(np.float32).tobytes())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
