"""The engines of the picture on the processor, on tiny networks, beside the modules of the original repositories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figures
from bench.stack import own_folder
from bench.upstream.checkout import VARIABLES, at_hand
from core.errors import SurroundingsError
from core.settings import HOME
from worker.engines.video.base import Frame

LENGTHS_S = (2, 10, 30, 60)
"""Of clips of ours whose memory is compared; of the repository's only the first two."""
_LIMIT_S = 900
_FRAMES, _FACE = 50, 256
_CHOICES = 2000


def measure() -> Figures:
    """Each clip in a process of its own. What needs a checkout is left out where the environment names none. Raises
    SurroundingsError where torch or diffusers is not installed, or a process fails."""
    _check_installed()
    figures: Figures = {}
    with own_folder() as folder:
        from bench.models.echomimic import build_all

        build_all(folder)
        figures |= _memory(folder)
        if at_hand("echomimic"):
            figures |= {f"echomimic_{name}": value for name, value in _said("ratio", folder).items()}
        figures |= _choice(folder)
    return figures | _blending()


def _memory(folder: Path) -> Figures:
    """Peaks, how much a minute takes of what two seconds take, and how much ten do of the repository's."""
    figures: Figures = {}
    for case, lengths in (("ours", LENGTHS_S), ("original", LENGTHS_S[:2] if at_hand("echomimic") else ())):
        for length in lengths:
            told = _said(case, folder, length)
            figures[f"echomimic_{case}_{length}s_peak_mib"] = told["peak_mib"]
            figures[f"echomimic_{case}_{length}s_more_mib"] = told["peak_mib"] - told["before_mib"]
        if lengths:
            least, most = (figures[f"echomimic_{case}_{length}s_peak_mib"] for length in (lengths[0], lengths[-1]))
            figures[f"echomimic_{case}_{lengths[-1]}s_to_2s_ratio"] = most / least
    return figures


def _blending() -> Figures:
    """Frames a second into which a face is put, in a film of 512 x 512, its mask prepared."""
    from bench.gpu.mouths import faces, film_and_face
    from worker.engines.video.musetalk.clip import Ground, joined
    from worker.engines.video.musetalk.preparing import prepared

    film, found = film_and_face(_FRAMES)
    (face,) = faces(1, _FACE)
    ground = Ground(film, prepared(film, found, _FACE, _unseen, lambda _: None))
    took = _seconds(lambda: [joined(ground, frame, face) for frame in range(_FRAMES)])
    figures = {"musetalk_blending_fps": _FRAMES / took}
    if at_hand("musetalk"):
        from bench.upstream import musetalk as upstream

        left, top, right, bottom = (round(edge) for edge in ground.prepared.box(0))
        where, whole = (left, top, right, bottom), film.copy(0).rgb()
        around = upstream.square(where)
        mask = np.full((around[3] - around[1], around[2] - around[0]), 128, np.uint8)
        took = _seconds(lambda: [upstream.pasted(whole, face, where, mask) for _ in range(_FRAMES)])
        figures["musetalk_original_blending_fps"] = _FRAMES / took
    return figures


def _unseen(shown: Frame) -> NDArray[np.float32]:
    """In the place of latents, which blending does not need."""
    return np.zeros((len(shown), 8, 1, 1), np.float32)


def _choice(folder: Path) -> Figures:
    """What it takes to choose among five ways whose speeds are read from the file."""
    from worker.deciding.choosing import Candidate, choose
    from worker.deciding.speeds import Speeds

    speeds = Speeds(folder / "speeds.json")
    names = [("echomimic", "realesrgan"), ("echomimic", None), ("musetalk", "realesrgan"), ("musetalk", None)]
    for name, upscale in names:
        speeds.add(f"{name} {upscale}", 4.0, 60.0)

    def chosen() -> object:
        known = [Candidate(*name, speeds.of(f"{name[0]} {name[1]}") or 0.0) for name in names]
        return choose([*known, Candidate("puppet")], 10.0, 30.0)

    took = _seconds(lambda: [chosen() for _ in range(_CHOICES)])
    return {"choice_ms": 1000 * took / _CHOICES}


def _said(case: str, models: Path, seconds: float = 0.0) -> dict[str, float]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SMARTTALKER_")}
    kept |= {name: os.environ[name] for name in VARIABLES.values() if name in os.environ}
    command = [sys.executable, "-m", "bench.painting", case, str(models), str(seconds)]
    environment = {**kept, "PYTHONPATH": str(HOME)}
    ended = subprocess.run(
        command, cwd=HOME, env=environment, capture_output=True, text=True, timeout=_LIMIT_S, check=False
    )
    if ended.returncode:
        raise SurroundingsError(f"`{' '.join(command[2:4])}` failed: {ended.stderr.strip()[-300:]}")
    told: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return told


def _check_installed() -> None:
    try:
        import diffusers  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise SurroundingsError(f"{error.name} is not installed: run `make gpu`") from error


def _seconds(work: Callable[[], object]) -> float:
    """The less of two."""
    took = []
    for _ in range(2):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)
