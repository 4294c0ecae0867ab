"""The upscalers' networks as their repositories define them, to stand beside spandrel's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

from bench.upstream.checkout import Absent, checkout, importing, module, shell

_WIDTH, _STEPS = 64, (1, 2, 2, 4, 4, 8)


def compact(state: Mapping[str, Any], scale: int = 4) -> Any:
    """Real-ESRGAN's small network, of `realesr-general-x4v3`, its sizes read from the weights."""
    convolutions = [tensor.shape for name, tensor in state.items() if name.endswith("weight") and tensor.ndim == 4]
    folder = checkout("realesrgan")
    own = shell("realesrgan.archs", folder / "realesrgan" / "archs")
    with importing(folder, given=_registry() | {"realesrgan": Absent("realesrgan"), "realesrgan.archs": own}):
        network = module("realesrgan.archs.srvgg_arch").SRVGGNetCompact
    return _filled(network(num_feat=convolutions[0][0], num_conv=len(convolutions) - 2, upscale=scale), state)


def dense(state: Mapping[str, Any], scale: int = 4) -> Any:
    """The large one, of `RealESRGAN_x4plus`."""
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("body."))
    width, growth = state["conv_first.weight"].shape[0], state["body.0.rdb1.conv1.weight"].shape[0]
    network = _of_codeformer("rrdbnet_arch").RRDBNet
    return _filled(network(3, 3, scale=scale, num_feat=width, num_block=blocks, num_grow_ch=growth), state)


def codeformer(state: Mapping[str, Any]) -> Any:
    """Called with pictures (n, 3, 512, 512) in -1 … 1 and the weight of fidelity, it yields pictures first. The
    repository has the published widths written down; what is narrower is put together of its parts."""
    parts = _of_codeformer("codeformer_arch")
    codes, width = state["quantize.embedding.weight"].shape[0], state["encoder.blocks.0.weight"].shape[0]
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("ft_layers."))
    sizes = list(dict.fromkeys(name.split(".")[1] for name in state if name.startswith("fuse_convs_dict.")))
    network = parts.CodeFormer(state["position_emb"].shape[1], 8, layers, codes, connect_list=sizes)
    if width != _WIDTH:
        network.encoder = parts.Encoder(3, width, 256, _STEPS, 2, 512, [16])
        network.generator = parts.Generator(width, 256, _STEPS, 2, 512, [16])
        for size in sizes:
            channels = network.channels[size] * width // _WIDTH
            network.fuse_convs_dict[size] = parts.Fuse_sft_block(channels, channels)
    return partial(_filled(network, state), adain=True)  # as inference_codeformer.py asks for it


def _filled(network: Any, state: Mapping[str, Any]) -> Any:
    network.load_state_dict(dict(state))
    return network.eval().requires_grad_(False)


def _of_codeformer(name: str) -> Any:
    import torch  # noqa: F401  # looks for what is installed before anything is stood in for

    base = checkout("codeformer") / "basicsr"
    given = _registry() | {
        "basicsr": shell("basicsr", base),
        "basicsr.archs": shell("basicsr.archs", base / "archs"),
        "basicsr.ops": Absent("basicsr.ops"),
        "basicsr.ops.dcn": Absent("basicsr.ops.dcn"),
    }
    with importing(base.parent, ("torchvision", "distutils", "distutils.version"), given):
        return module(f"basicsr.archs.{name}")


def _registry() -> dict[str, ModuleType]:
    """`basicsr.utils`, of which the networks take a list to stand in and a log."""
    kept: Callable[[], Callable[[type], type]] = lambda: lambda network: network  # noqa: E731
    registry = ModuleType("basicsr.utils.registry")
    vars(registry)["ARCH_REGISTRY"] = SimpleNamespace(register=kept)
    utils = Absent("basicsr.utils")
    vars(utils)["get_root_logger"] = logging.getLogger
    return {"basicsr": Absent("basicsr"), "basicsr.utils": utils, "basicsr.utils.registry": registry}
