"""Landmarks of a clip's face, frame by frame, by MediaPipe's face mesh in a process of its own.

`python -m bench.lipsync.landmarks CLIP TARGET` writes `mesh` (frames, 478, 3), pixels, NaN where no face is seen, and
`person` (h, w), where the first frame's person is, as `.npz`. The mesh looks for the face in the first frame and
follows it then: against looking anew in each frame it lags by nothing (0 ± 4 ms against the drawn jaw) and is half as
noisy (a shut mouth's gap: 0.0004 of the eyes' distance against 0.001). Cutting the face out or enlarging it changes
neither. Only the refined mesh has lips that meet: the plain one shows a shut mouth open by 5 % of its width.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from numpy.typing import NDArray

from core.errors import SurroundingsError
from core.settings import HOME
from worker.faces.landmarks import MESH_COUNT
from worker.faces.mesh import NO_MODEL, person, sparing

LIMIT_S = 300
AT_ONCE = 2


@dataclass(frozen=True)
class Seen:
    """mesh: (frames, 478, 3) pixels, depth towards the camera negative. person: (h, w) 0–1, of the first frame."""

    mesh: NDArray[np.float32]
    person: NDArray[np.float32]


def find(clips: Sequence[Path]) -> list[Seen]:
    """Two clips at a time. Raises SurroundingsError where mediapipe is missing or a frame shows no face."""
    with ThreadPoolExecutor(AT_ONCE) as pool, TemporaryDirectory(prefix="smarttalker-") as folder:
        targets = [Path(folder) / f"{number}.npz" for number in range(len(clips))]
        return list(pool.map(_found, clips, targets))


def _found(clip: Path, target: Path) -> Seen:
    command = [sys.executable, "-m", "bench.lipsync.landmarks", str(clip), str(target)]
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    try:
        ended = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, timeout=LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise SurroundingsError(f"{clip.name}: looking for the face took more than {LIMIT_S} s") from error
    if ended.returncode == NO_MODEL:
        raise SurroundingsError("mediapipe, which finds a face's landmarks, is not installed: run `make install`")
    if ended.returncode:
        raise SurroundingsError(f"{clip.name}: looking for the face failed: {ended.stderr.decode()[-300:]}")
    with np.load(target, allow_pickle=False) as stored:
        seen = Seen(stored["mesh"], stored["person"])
    if np.isnan(seen.mesh).any():
        raise SurroundingsError(f"{clip.name}: no face in {int(np.isnan(seen.mesh[:, 0, 0]).sum())} frames")
    return seen


def main(clip: str, target: str) -> int:
    sparing()
    try:
        from mediapipe.python.solutions.face_mesh import FaceMesh
    except ImportError:
        return NO_MODEL
    meshes, first = [], None
    with FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=True) as model, av.open(clip) as container:
        for frame in container.decode(video=0):
            rgb = np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
            first = rgb if first is None else first
            meshes.append(_points(model.process(rgb).multi_face_landmarks, frame.width, frame.height))
    if first is None:
        raise ValueError("a clip without a frame")
    np.savez(target, mesh=np.stack(meshes), person=person(first))
    return 0


def _points(found: list[object] | None, width: int, height: int) -> NDArray[np.float32]:
    if not found:
        return np.full((MESH_COUNT, 3), np.nan, np.float32)
    points = [(p.x, p.y, p.z) for p in found[0].landmark]  # type: ignore[attr-defined]
    return np.asarray(points, np.float32) * np.array([width, height, width], np.float32)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
