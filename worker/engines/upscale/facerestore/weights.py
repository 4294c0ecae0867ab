"""Which network draws faces again."""

from __future__ import annotations

from pathlib import Path

from worker.engines.upscale.weights import Weights

_GPU_MB = 2048
"""Of either network: 0.4 GB of weights, and layers of 64 channels at 512 x 512 in float32."""

GFPGAN = Weights("gfpgan", "GFPGANv1.4.pth", "GFPGAN 1.4", "GFPGAN", "Apache-2.0", _GPU_MB, (2.0, 90.0))
CODEFORMER = Weights(
    "codeformer", "codeformer.pth", "CodeFormer", "CodeFormer", "LicenseRef-S-Lab-1.0", _GPU_MB, (3.0, 320.0)
)


def of_faces(models: Path) -> Weights:
    """CodeFormer where its weights are here: its licence forbids commercial use, and they are fetched only by someone
    who accepts that. Else GFPGAN, here or not."""
    return CODEFORMER if CODEFORMER.are_in(models) else GFPGAN
