"""`echomimic`: from a portrait, sound and hands to the frames of a clip, without encoding them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figures
from bench.gpu import levers
from bench.gpu.meters import Meter
from bench.gpu.trial import Size, built, seconds
from bench.upstream.checkout import at_hand
from worker.engines.base import Place
from worker.engines.video.base import unwatched

Mode = Literal["accelerated", "normal"]

FPS = 24
MANY = 4
"""Windows in a call."""
STEPS: Mapping[Mode, tuple[int, float]] = {"accelerated": (6, 1.0), "normal": (30, 2.5)}
"""And guidance, as published."""


@dataclass(frozen=True)
class Scale:
    """side: of the frames. short, long: frames of the clips whose memory is compared. clip: of that which each lever
    is tried on, in windows of `window` frames that share `overlap`. steps: of the accelerated and the normal mode."""

    side: int
    short: int
    long: int
    clip: int
    steps: tuple[int, int]
    window: int = 12
    overlap: int = 3


SCALES: Mapping[Size, Scale] = {
    "full": Scale(768, 10 * FPS, 60 * FPS, 2 * FPS, (6, 30)),
    "tiny": Scale(64, 2, 5, 5, (1, 1), 4, 1),
}


@dataclass(frozen=True)
class Make:
    """How networks are opened. dtype: None for the one that suits the device."""

    mode: Mode = "accelerated"
    compiled: bool = False
    dtype: Any = None


@dataclass(frozen=True)
class Variant:
    """Which levers are pulled. windows: in a call. kept: the portrait's keys and values are made once."""

    windows: int = MANY
    kept: bool = True
    channels_last: bool = True
    make: Make = field(default_factory=Make)


PLAIN = Variant(1, kept=False, channels_last=False)


def measure(place: Place, meter: Callable[[], Meter], size: Size) -> Figures:
    """Random weights compute what real ones do. Each figure is of a clip of two seconds, but for the memory.

    meter: a new one for each measurement.
    """
    from bench.models.echomimic import build_all

    scale = SCALES[size]
    built(size, build_all, place.models, size, "normal")
    figures: Figures = {}
    for make, named in groupby(variants(place.device).items(), lambda item: item[1].make):
        with levers.held():
            figures |= _of(Trial(place, scale, make), dict(named), meter)
    if at_hand("echomimic"):
        figures |= _originals(place, scale, meter)
    return figures


def variants(device: str) -> dict[str, Variant]:
    """By the name of their figures, those that are opened alike together: all levers but compiling, which the settings
    leave out too; none; each alone; all of them; and other types of numbers."""
    tried = {
        "accelerated": Variant(),
        "plain": PLAIN,
        "plain_kept": replace(PLAIN, kept=True),
        "plain_windows": replace(PLAIN, windows=MANY),
        "plain_channels_last": replace(PLAIN, channels_last=True),
        "normal": Variant(make=Make("normal")),
    }
    if device != "cpu":  # where compiling takes minutes
        compiled = Make(compiled=True)
        tried |= {"compiled": Variant(make=compiled), "plain_compiled": replace(PLAIN, make=compiled)}
    return tried | {kind: Variant(make=Make(dtype=dtype)) for kind, dtype in levers.types(device).items()}


def _of(trial: Trial, named: Mapping[str, Variant], meter: Callable[[], Meter]) -> Figures:
    figures: Figures = {}
    clip, device = trial.scale.clip, trial.place.device
    for name, variant in named.items():
        trial.pull(variant)
        figures |= levers.rates(name, levers.timed(partial(trial.drawn, clip), device), clip, FPS)
    if trial.make == Make():
        trial.pull(Variant())
        figures["load_s"] = trial.load_s
        figures |= levers.peaks(trial.drawn, trial.scale.short, trial.scale.long, meter)
    return figures


class Trial:
    """Networks that are opened one way, and how they are used."""

    def __init__(self, place: Place, scale: Scale, make: Make) -> None:
        self.place, self.scale, self.make = place, scale, make
        self.load_s = seconds(self._open)
        self._kept = self._networks.portrait(picture(scale.side))
        self._seen = _seen(self._networks, picture(scale.side))
        self.pull(Variant())

    def pull(self, variant: Variant) -> None:
        """Networks that were compiled are compiled anew at their next call."""
        from worker.engines.video.echomimic.attention import Seeing
        from worker.engines.video.echomimic.denoiser import layers

        self._variant = variant
        self._portrait = self._kept if variant.kept else replace(self._kept, kept=self._seen)
        pull = levers.channels_last if variant.channels_last else levers.contiguous
        pull(self._networks.denoiser, self._networks.vae._network)
        for _, block in layers(self._networks.denoiser):
            block.attn1.__class__ = Seeing if variant.kept else _projecting()

    def drawn(self, frames: int) -> int:
        """How many frames came, all of them."""
        import torch

        from worker.engines.video.echomimic import sampler

        scale, (_, guidance) = self.scale, STEPS[self.make.mode]
        steps = scale.steps[self.make.mode == "normal"]
        options = sampler.Options(steps, guidance, scale.window, scale.overlap, self._variant.windows)
        sound = torch.zeros(1, 50, 384).expand(frames, -1, -1)
        latents = sampler.sample(self._networks, self._portrait, sound, self._hands, options, unwatched)
        return sum(1 for _ in self._networks.vae.frames(latents))

    def _open(self) -> None:
        from worker.engines.video.echomimic.networks import Networks

        make, place = self.make, self.place
        how = {"mode": make.mode, "dtype": make.dtype, "compile": make.compiled}
        self._networks = Networks.open(place.models, device=place.device, **how)

    def _hands(self, frames: Sequence[int]) -> NDArray[np.uint8]:
        return np.zeros((len(frames), self.scale.side, self.scale.side, 3), np.uint8)


def picture(side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def _seen(networks: Any, face: NDArray[np.uint8]) -> dict[str, Any]:
    """What the denoiser's layers make keys and values of, in the place of these."""
    import torch

    from worker.engines.video.echomimic.pose_encoder import as_given

    bank: dict[str, Any] = {}
    with torch.no_grad():
        networks.reference.look(networks.vae.encode(as_given(face[None]) * 2 - 1).to(networks.dtype), bank)
    return {layer: (seen, seen[:, :0]) for layer, seen in bank.items()}


@cache
def _projecting() -> type:
    """An attention that makes keys and values of the portrait in each step and frame anew, as the repository does."""
    import torch

    from worker.engines.video.echomimic.attention import Seeing

    class Projecting(Seeing):
        def forward(self, hidden: Any, *, kept: Any = None, free: int = 0, **unused: Any) -> Any:
            if kept is None:
                return self.within(hidden)
            bank = kept[self.layer][0].expand(len(hidden) - free, -1, -1)
            seen = torch.cat((hidden[free:], bank), dim=1)
            told = self.attended(self.to_q(hidden[free:]), self.to_k(seen), self.to_v(seen))
            return self.output(told) if not free else torch.cat((self.within(hidden[:free]), self.output(told)))

    return Projecting


def _originals(place: Place, scale: Scale, meter: Callable[[], Meter]) -> Figures:
    """The repository's own modules and pipeline on the same work, in half precision on a card, as it is told to be."""
    figures: Figures = {}
    modes: tuple[Mode, ...] = ("accelerated", "normal")
    for mode in modes:
        with levers.held():
            took = levers.timed(partial(Original(place, scale, mode).drawn, scale.clip), place.device)
            figures |= levers.rates(f"original_{mode}", took, scale.clip, FPS)
    with levers.held():
        drawn = partial(Original(place, scale, "accelerated").drawn, scale.short)
        figures["original_peak_10s_mib"] = levers.peak(drawn, meter())
        del drawn
    return figures


class Original:
    """The repository's pipeline, ready to draw."""

    def __init__(self, place: Place, scale: Scale, mode: Mode) -> None:
        import torch
        from diffusers import AutoencoderKL

        from bench.upstream import echomimic as upstream

        self._device, self._scale, self._mode = place.device, scale, mode
        self._dtype = torch.float32 if place.device == "cpu" else torch.float16
        self._parts = upstream.of_folder(place.models, mode, place.device, self._dtype)
        self._parts.half_banks = True
        folder = place.models / "sd-vae-ft-mse"
        self._vae = AutoencoderKL.from_pretrained(folder, low_cpu_mem_usage=False).to(place.device, self._dtype).eval()

    def drawn(self, frames: int) -> Any:
        import torch
        from PIL import Image

        from bench.upstream import echomimic as upstream

        scale, (_, guidance) = self._scale, STEPS[self._mode]
        how = upstream.Windows(scale.steps[self._mode == "normal"], guidance, scale.window, scale.overlap)
        sound = torch.zeros(frames, 50, 384)
        poses = torch.zeros(1, 3, frames, scale.side, scale.side, device=self._device, dtype=self._dtype)
        face, chance = Image.fromarray(picture(scale.side)), torch.Generator(self._device).manual_seed(0)
        return self._parts.sample(self._vae, face, sound, poses, how, chance, decoded=True)
