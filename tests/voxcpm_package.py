"""The real package voxcpm without an environment of its own: `.venv` with its newer torch, and what
`make .venv/.models` puts beside it.

torchaudio, which voxcpm imports together with its first model and which no release fits torch 2.13, is an empty module:
VoxCPM2 uses nothing of it (librosa reads its recordings), and whoever did would meet an AttributeError.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.settings import HOME
from core.weights.environment import EnvironmentFetcher, interpreter
from core.weights.fetching import Way
from core.weights.folder import Record, hashed, write_record
from core.weights.manifest import read_manifest
from worker.engines.tts.voxcpm import loading
from worker.engines.tts.voxcpm.hosted import VoxCPM2
from worker.engines.tts.voxcpm.places import ENVIRONMENT
from worker.hosting.served import Progress

BESIDE = HOME / ".venv" / "beside"


def write_environment(models: Path) -> Path:
    """`voxcpm-env` in a folder of models, with its record; gives the interpreter."""
    assert (BESIDE / "voxcpm").is_dir(), f"{BESIDE} has no voxcpm: `scripts/environment.sh models` puts it there"
    venv = models / ENVIRONMENT / "venv"
    command = [sys.executable, "-I", "-m", "venv", "--without-pip", str(venv)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    site = next((venv / "lib").glob("python*/site-packages"))
    (site / "torchaudio.py").write_text("")
    (site / "ours.pth").write_text(f"{BESIDE}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    revision = EnvironmentFetcher(read_manifest().weights[ENVIRONMENT], Way(models)).revision
    write_record(models / ENVIRONMENT, Record(revision, (hashed(models / ENVIRONMENT, "venv/pyvenv.cfg"),)))
    return interpreter(models, ENVIRONMENT)


class Compared(VoxCPM2):
    """The hosted class, which writes the model that it loads, a tiny one that never says that it is done (in a process
    of its own torch would be imported once more), and can also load it as upstream does."""

    def __init__(self, progress: Progress, folder: str, device: str, stays: bool | None) -> None:
        runpy.run_path(str(HOME / "bench" / "models" / "voxcpm.py"), run_name="voxcpm_builder")["write"](
            Path(folder), "tiny", endless=True
        )
        super().__init__(progress, folder, device, stays)
        self._folder = folder

    def differing(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Names of tensors that are not the same, and how many there are."""
        from voxcpm import VoxCPM

        with loading._counting(Path(self._folder), "float32") as here:
            plain = VoxCPM.from_pretrained(str(here), load_denoiser=False, optimize=False, device="cpu").tts_model
        theirs = dict(_tensors(plain))
        ours = dict(_tensors(self._model))
        differing = [name for name in ours.keys() | theirs.keys() if not _are_equal(ours.get(name), theirs.get(name))]
        yield {"differing": differing, "count": len(theirs)}, b""


def _tensors(model: Any) -> Iterator[tuple[str, Any]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _are_equal(one: Any, other: Any) -> bool:
    return one is not None and other is not None and one.dtype == other.dtype and one.equal(other)
