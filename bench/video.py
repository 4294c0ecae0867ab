"""How fast the puppet makes its picture, beside x264 alone with the same settings on the same frames."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench import drawing
from bench.figures import Figures
from bench.speakers import FACE, text_of
from bench.stack import own_folder
from core.catalogue import Catalogue
from core.errors import SurroundingsError
from core.settings import HOME
from worker.child_process import ALONE
from worker.engines.tts.base import Speech
from worker.engines.tts.espeak import Espeak

SIDES = (512, 1080)
SECONDS = 20.0
LIMIT_S = 600
RIGS = 3
WITHOUT_KERNEL = {"SMARTTALKER_KERNEL": "off"}


def measure() -> Figures:
    """Each case in a process of its own; the rounds of one ratio in the same. Raises SurroundingsError where one
    fails."""
    figures: Figures = {}
    with own_folder() as folder:
        speech = folder / "speech.npz"
        drawing.save(speech, _speech())
        for side in SIDES:
            whole, beside = (_case(case, speech, side, folder) for case in ("loop", "ratio"))
            plain = _case("loop", speech, side, folder, WITHOUT_KERNEL)
            figures |= {f"video_{side}_{name}": value for name, value in (whole | beside).items()}
            figures[f"video_{side}_cv2_times_real"] = plain["times_real"]
            figures[f"video_{side}_cv2_cpu_ms_a_frame"] = plain["cpu_ms_a_frame"]
        figures["photo_to_rig_s"] = _rig_s(folder)
    return figures


def _speech() -> Speech:
    """One piece of whole sentences."""
    engine = Espeak()
    text, _ = text_of(SECONDS)
    try:
        (piece,) = engine.speak(text, language="en", voice=Catalogue(HOME).voice(FACE))
    finally:
        engine.unload()
    return piece


def _case(case: str, speech: Path, side: int, folder: Path, settings: dict[str, str] | None = None) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.drawing", case, str(speech), str(side), str(folder)]
    answer: dict[str, float] = json.loads(_said(command, settings or {}))
    return answer


def _rig_s(folder: Path) -> float:
    """A portrait sent as a photo, to its portrait and rig: the best of some, the process' start among it."""
    photo, times = HOME / "avatars" / FACE / "portrait.png", []
    for _ in range(RIGS):
        target = folder / "face"
        target.mkdir()
        began = time.perf_counter()
        said = _said([sys.executable, "-m", "worker.adding.rigging", str(photo), str(target), str(HOME / "avatars")])
        times.append(time.perf_counter() - began)
        if not (target / "rig.npz").exists():
            raise SurroundingsError(f"the photo was not taken: {said.strip()}")
        shutil.rmtree(target)
    return min(times)


def _said(command: list[str], settings: dict[str, str] | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTTALKER_")}
    environment = {**ALONE, **environment, "PYTHONPATH": str(HOME), **(settings or {})}
    ended = subprocess.run(
        command, cwd=HOME, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    if ended.returncode:
        raise SurroundingsError(f"`{' '.join(command[2:4])}` failed: {ended.stderr.strip()[-300:]}")
    return ended.stdout
