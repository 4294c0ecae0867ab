"""From noise to the latents of a whole clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import torch
from torch import Tensor

from worker.engines.video.base import Frame, Watch
from worker.engines.video.echomimic.attention import Kept
from worker.engines.video.echomimic.features import Heard
from worker.engines.video.echomimic.networks import Networks, Portrait
from worker.engines.video.echomimic.schedule import Moment, Schedule
from worker.engines.video.echomimic.windows import counts, windows
from worker.networks.chunks import chunked
from worker.networks.compiling import is_compiled
from worker.networks.precision import finite

Sound: TypeAlias = Tensor | Heard
"""(n, 50, 384) on the CPU, whole or worked out of less for the frames that are asked for."""


class Half(Enum):
    """Of a guided call: the prediction that knows nothing but the noise, and the one that is told everything."""

    FREE = "free"
    TOLD = "told"


Poses = Callable[[Sequence[int]], Frame]
"""The pictures of hands, (k, side, side, 3), of these frames."""

_LOUDEST = 1.5
"""The noise that a clip begins with goes no further from 0 (EchoMimicV2, `prepare_latents_smooth`)."""
_CHANNELS = 4
_AT_ONCE = 12
"""Pictures of hands that are encoded together."""
_ROOM = 1 << 30
"""Bytes on the device for encoded hands: as many frames as fit are encoded once, the others in each step anew."""


@dataclass(frozen=True)
class Options:
    """How a clip is drawn; as it stands, what the accelerated weights are for.

    guidance: how much further the prediction goes from the unconditional one than to the conditional one; 1: the
    unconditional half is not computed. window, overlap: frames. batch: windows in one call.
    """

    steps: int = 6
    guidance: float = 1.0
    window: int = 12
    overlap: int = 3
    batch: int = 1
    seed: int = 0
    schedule: Schedule = field(default_factory=Schedule)


def sample(
    networks: Networks, portrait: Portrait, sound: Sound, poses: Poses, options: Options, watch: Watch
) -> Tensor:
    """Latents (n, 4, side, side), float32 on the CPU, of the clip that has this sound.

    The whole clip's latents and sound lie on the CPU and a call's windows on the device, so that the device's memory
    does not grow with the length. The same seed gives the same noise on every device. watch is called between the
    networks' calls; what it raises passes. A call whose outcome is not finite is made again in float32, else
    NotANumber; one for which memory does not suffice is made again, once, with half as many windows (a single
    guided one in halves), and so are the following ones, else torch's error passes.
    """
    latents = noise(len(sound), portrait.side, options.seed)
    watch(0.0)
    with torch.no_grad():
        work = _Work(networks, portrait, sound, poses, options, watch)
        for step, moment in enumerate(options.schedule.moments(options.steps)):
            velocity = work.velocity(latents, step, moment)
            latents.mul_(moment.keep).add_(velocity, alpha=moment.add)
    return latents


def noise(frames: int, side: int, seed: int) -> Tensor:
    """(frames, 4, side, side) on the CPU; the numbers are drawn in upstream's order."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn((_CHANNELS, frames, side, side), generator=generator)
    return drawn.clamp_(-_LOUDEST, _LOUDEST).transpose(0, 1).contiguous()


class _Work:
    """One clip."""

    def __init__(
        self, networks: Networks, portrait: Portrait, sound: Sound, poses: Poses, options: Options, watch: Watch
    ) -> None:
        self._network = networks.denoiser
        self._kept = portrait.to(networks.device, networks.dtype).kept
        self._sound = sound
        self._hands = _Hands(networks, poses)
        self._options = options
        self._watch = watch
        self._batch = options.batch
        self._halves = len(Half)  # of a guided call, at once
        self._longest = 0  # windows that were computed at once

    def velocity(self, latents: Tensor, step: int, moment: Moment) -> Tensor:
        """(n, 4, side, side): what the windows of a step predict, the mean where they overlap."""
        options = self._options
        all_windows = windows(len(latents), step, options.window, options.overlap)
        total = torch.zeros_like(latents)

        def predicted(begin: int, end: int) -> tuple[int, Tensor]:
            part = self._filled(all_windows[begin:end])
            velocities = self._predicted(latents, part, moment.time)
            self._longest = len(part)
            return end - begin, velocities[: (end - begin) * len(part[0])]

        at, most = 0, 1
        for size, velocities in chunked(len(all_windows), self._batch, predicted, "EchoMimicV2's denoiser"):
            for window, velocity in zip(all_windows[at : at + size], velocities.chunk(size), strict=True):
                total.index_add_(0, torch.tensor(window), velocity)
            at, most = at + size, max(most, size)
            self._watch((step + at / len(all_windows)) / options.steps)
        self._batch = min(self._batch, most)
        return total.div_(torch.tensor(counts(len(latents), all_windows)).view(-1, 1, 1, 1))

    def _filled(self, part: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """For a compiled network as many windows as before, the last again and again. What does not fit into memory is
        not tried again."""
        lacking, self._longest = self._longest - len(part), 0
        return part + part[-1:] * lacking if is_compiled(self._network) else part

    def _predicted(self, latents: Tensor, part: Sequence[Sequence[int]], time: int) -> Tensor:
        """(windows x frames, 4, side, side) on the CPU."""
        guidance = self._options.guidance
        if guidance <= 1.0:
            return self._asked(latents, part, time, (Half.TOLD,))
        made = self._asked(latents, part, time, tuple(Half)) if len(part) > 1 else self._halved(latents, part, time)
        free, told = made.chunk(2)
        return torch.lerp(free, told, guidance)

    def _halved(self, latents: Tensor, part: Sequence[Sequence[int]], time: int) -> Tensor:
        """Both halves, one after the other where memory does not suffice: one window has no smaller pieces."""

        def asked(begin: int, end: int) -> Tensor:
            return self._asked(latents, part, time, tuple(Half)[begin:end])

        made = list(chunked(len(Half), self._halves, asked, "EchoMimicV2's denoiser"))
        self._halves = 1 if len(made) > 1 else len(Half)
        return torch.cat(made)

    def _asked(self, latents: Tensor, part: Sequence[Sequence[int]], time: int, halves: Sequence[Half]) -> Tensor:
        """(halves x windows x frames, 4, side, side) on the CPU."""
        frames = [frame for window in part for frame in window]
        told = (self._sound[frames], self._hands(frames)) if Half.TOLD in halves else ()

        def call(latents: Tensor, *told: Tensor) -> Tensor:
            now = torch.tensor([time], device=latents.device)
            sound, hands, kept = (*told, _as(self._kept, latents.dtype)) if told else (None, None, None)
            return self._network(latents, now, len(part[0]), sound, hands, kept, len(halves) > 1)

        return finite(self._network, call, latents[frames], *told).float().cpu()


class _Hands:
    """What the pose encoder makes of each frame's hands."""

    def __init__(self, networks: Networks, draw: Poses) -> None:
        self._networks = networks
        self._draw = draw
        self._kept: dict[int, Tensor] = {}

    def __call__(self, frames: Sequence[int]) -> Tensor:
        """(k, channels, side / 8, side / 8) on the device, in any order, some perhaps twice."""
        wanted = [frame for frame in dict.fromkeys(frames) if frame not in self._kept]
        fresh: dict[int, Tensor] = {}
        for begin in range(0, len(wanted), _AT_ONCE):
            part = wanted[begin : begin + _AT_ONCE]
            fresh |= zip(part, self._networks.hands(self._draw(part)), strict=True)
        made = torch.stack([fresh[frame] if frame in fresh else self._kept[frame] for frame in frames])
        self._keep(fresh)
        return made

    def _keep(self, fresh: dict[int, Tensor]) -> None:
        for frame, encoded in fresh.items():
            if (len(self._kept) + 1) * encoded.nbytes <= _ROOM:
                self._kept[frame] = encoded.clone()


def _as(kept: Kept, dtype: torch.dtype) -> Kept:
    return {layer: (first.to(dtype), second.to(dtype)) for layer, (first, second) in kept.items()}
