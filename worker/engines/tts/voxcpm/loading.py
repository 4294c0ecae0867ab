"""Making the model ready. Imported in its own environment."""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

from worker.hosting.served import Progress
from worker.voicing.cards import check_card

_STAYS_MB = 36_000
"""A card on which the voice may stay loaded from turn to turn, beside all else. Compiling takes half a minute or more
at each start, though its kernels are kept; on a smaller card, where it comes back because somebody wants to hear it, a
person would wait for that."""
_BFLOAT16 = (8, 0)
"""Compute capability of the first cards that count in it (CUDA C++ Programming Guide, "Arithmetic Instructions")."""
_SHORT = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
"""Upstream's other names of precisions."""


def loaded(folder: Path, device: str, stays: bool | None, progress: Progress) -> tuple[Any, str]:
    """The package's VoxCPM, ready to speak, and why nothing was compiled. Raises Refused where there is no card, and
    what upstream raises."""
    if device != "cpu":
        import torch

        check_card(torch, "VoxCPM")
    voice = _read(folder, device, progress)
    if librosa := sys.modules.get("librosa"):
        librosa.load  # noqa: B018  # imported when it is first looked at: better now than with the first sentence
    if eager := _why_eager(device, stays):
        return voice, eager
    progress("compiling")
    if eager := _compiled(voice.tts_model):
        del voice
        free()
        voice = _read(folder, device, progress)
    return voice, eager


def _read(folder: Path, device: str, progress: Progress) -> Any:
    from voxcpm import VoxCPM

    progress("loading the weights")
    precision = "float32" if device == "cpu" else _precision(folder)
    with _counting(folder, precision) as here, _unmade(precision):
        return VoxCPM.from_pretrained(
            str(here), load_denoiser=False, optimize=False, device=device, local_files_only=True
        )


def _compiled(model: Any) -> str:
    """Compiles it as upstream does with optimize=True, and speaks once; why it could not, empty where it could.

    Only now, since torch would compile all anew when the default precision is another (its GLOBAL_STATE guard)."""
    try:
        model.optimize()
        model.generate(target_text="Hello, this is the first test sentence.", max_len=10)
    except Exception as error:  # whatever torch, Triton and a C compiler have to say; the model works without them
        return f"it failed: {type(error).__name__}"
    return ""


def _why_eager(device: str, stays: bool | None) -> str:
    """Empty where it is possible to compile, and worth while."""
    if device == "cpu":
        return "it works on a processor"
    from torch import cuda

    if cuda.get_device_capability() < _BFLOAT16:
        return "the card has no bfloat16"
    if stays is False or cuda.mem_get_info()[1] >> 20 < _STAYS_MB:
        return "it leaves the card too soon"
    if find_spec("triton") is None:
        return "triton is not installed"
    if not any(map(which, (os.environ.get("CC") or "cc", "gcc", "clang"))):
        return "there is no C compiler: install gcc"
    return ""


def _precision(folder: Path) -> str:
    """Of the weights, as torch calls it."""
    told = str(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("dtype", "bfloat16"))
    return _SHORT.get(told, told)


@contextmanager
def _counting(folder: Path, precision: str) -> Iterator[Path]:
    """The folder with another `dtype` in its config.json, which upstream takes as it stands: processors without
    bfloat16 emulate it, several times slower."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if config.get("dtype") == precision:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="voxcpm2-") as made:
        for file in folder.iterdir():
            (Path(made) / file.name).symlink_to(file.resolve())
        (Path(made) / "config.json").unlink()
        (Path(made) / "config.json").write_text(json.dumps({**config, "dtype": precision}), encoding="utf-8")
        yield Path(made)


@contextmanager
def _unmade(precision: str) -> Iterator[None]:
    """Networks made meanwhile get numbers of this precision and no random weights: two thousand million of them take a
    quarter of a minute and, at first in float32, 9 GB, before those of the file replace them. The same tensors come
    out."""
    import torch

    names = ("kaiming_uniform_", "normal_", "trunc_normal_", "uniform_")
    kept = {name: getattr(torch.nn.init, name) for name in names}
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, precision))
    for name in names:
        setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
        for name, made in kept.items():
            setattr(torch.nn.init, name, made)


def free() -> None:
    """Gives back what nothing refers to any more."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
