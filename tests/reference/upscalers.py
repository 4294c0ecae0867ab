"""The upscalers' networks: spandrel's beside those of Real-ESRGAN and CodeFormer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.reference.differences import Results
from tests.reference.drawn import normal

LIMITS: Mapping[str, float] = {}
COMPACT, DENSE, FACE = "realesr-general-x4v3", "RealESRGAN x4plus", "CodeFormer, fidelity 0.5"


def build(folder: Path) -> None:
    from bench.models import facerestore, realesrgan

    for which in realesrgan.FILES:
        realesrgan.build(folder, which=which)
    facerestore.build(folder, which="codeformer")


def ours(folder: Path) -> Results:
    from bench.beside import lend
    from worker.networks.pictures import open_network

    lend()
    opened = {name: open_network(path, kinds).network for name, (path, kinds) in _files(folder).items()}
    return _drawn(opened)


def theirs(folder: Path) -> Results:
    """Raises SurroundingsError without a checkout."""
    from bench.upstream import upscalers as upstream
    from worker.networks.checkpoint import read

    states = {name: read(path) for name, (path, _) in _files(folder).items()}
    return _drawn(
        {
            COMPACT: upstream.compact(states[COMPACT]),
            DENSE: upstream.dense(states[DENSE]),
            FACE: upstream.codeformer(states[FACE]),
        }
    )


def _files(folder: Path) -> dict[str, tuple[Path, tuple[str, ...]]]:
    from bench.models import facerestore, realesrgan

    general, plus, face = realesrgan.GENERAL, realesrgan.PLUS, facerestore.CODEFORMER
    return {
        COMPACT: (folder / general / realesrgan.FILES[general], ("Compact",)),
        DENSE: (folder / plus / realesrgan.FILES[plus], ("ESRGAN",)),
        FACE: (folder / face / facerestore.FILES[face], ("CodeFormer",)),
    }


def _drawn(networks: Mapping[str, Any]) -> Results:
    import torch

    picture, face = normal(1, 1, 3, 24, 20).sigmoid(), normal(2, 1, 3, 512, 512).tanh()
    with torch.no_grad():
        drawn = {name: networks[name](picture) for name in (COMPACT, DENSE)}
        drawn[FACE] = networks[FACE](face, 0.5)[0]
    return {name: large.numpy() for name, large in drawn.items()}
