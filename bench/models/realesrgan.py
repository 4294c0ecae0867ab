"""Folders of Real-ESRGAN's two networks with random weights, in the layout of the published files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from bench.beside import lend
from core.weights.folder import keep_record

Size = Literal["tiny", "full"]

GENERAL, PLUS = "realesr-general-x4v3", "realesrgan-x4plus"
FILES = {GENERAL: "realesr-general-x4v3.pth", PLUS: "RealESRGAN_x4plus.pth"}
_WRAPPERS = {GENERAL: "params", PLUS: "params_ema"}
_SEED = 20_250
_SHAPES = {
    (GENERAL, "tiny"): {"num_feat": 8, "num_conv": 2},
    (GENERAL, "full"): {"num_feat": 64, "num_conv": 32},
    (PLUS, "tiny"): {"num_filters": 8, "num_blocks": 2},
    (PLUS, "full"): {"num_filters": 64, "num_blocks": 23},
}
"""full: as published, 1.2 and 16.7 million parameters."""


def build(models: Path, size: Size = "tiny", which: str = GENERAL) -> Path:
    """Writes models/<which>/ whole, its record last, and returns it. The general network makes of a picture nearly the
    picture itself, enlarged, as the published one does; the other draws noise. Raises KeyError for another name."""
    import torch

    folder = models / which
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        state = _general(_SHAPES[which, size]) if which == GENERAL else _plus(_SHAPES[which, size])
    torch.save({_WRAPPERS[which]: state}, folder / FILES[which])
    keep_record(folder, f"random-{size}")
    return folder


def _general(shape: dict[str, int]) -> dict[str, Any]:
    import torch

    lend()
    from spandrel.architectures.Compact import Compact

    network = Compact(**shape)
    state = network.state_dict()
    last = f"body.{2 * shape['num_conv'] + 2}"
    for part in ("weight", "bias"):
        state[f"{last}.{part}"] = torch.randn_like(state[f"{last}.{part}"]) * 0.002
    return dict(state)


def _plus(shape: dict[str, int]) -> dict[str, Any]:
    """In the newer layout of keys, which the published file has; spandrel's network has the older."""
    import torch

    width, blocks, growth = shape["num_filters"], shape["num_blocks"], 32
    layers = {"conv_first": (3, width), "conv_body": (width, width), "conv_up1": (width, width)}
    layers |= {"conv_up2": (width, width), "conv_hr": (width, width), "conv_last": (width, 3)}
    for block in range(blocks):
        for dense in range(1, 4):
            for step in range(5):
                ends = width + step * growth, width if step == 4 else growth
                layers[f"body.{block}.rdb{dense}.conv{step + 1}"] = ends
    state = {}
    for name, (given, made) in layers.items():
        state[f"{name}.weight"] = torch.randn(made, given, 3, 3) * (0.7 / (9 * given) ** 0.5)
        state[f"{name}.bias"] = torch.randn(made) * 0.01
    return state
