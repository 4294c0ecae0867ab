"""One measurement of EchoMimicV2's sampler on tiny networks, in a process of its own (`python -m bench.painting CASE
MODELS SECONDS`), as JSON.

MODELS is what `bench.models.echomimic.build_all` wrote. CASE `ratio` draws a clip with our networks and with those of
the repository, in turn: how many times as long theirs take. CASE `ours` draws a clip of SECONDS from its sound to its
frames, `original` by the repository's pipeline: the most memory that the process ever held, and what it held before the
clip.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from worker.engines.video.base import Frame, unwatched

SIDE, FPS, RATE = 64, 24, 16_000
CLIP_S, STEPS, ROUNDS = 1.0, 3, 3
"""Of the ratio: three windows of 12 frames, three steps."""


class Ours:
    def __init__(self, models: Path) -> None:
        from worker.engines.video.echomimic.networks import Networks

        self.networks = Networks.open(models)
        self._portrait = self.networks.portrait(portrait())

    def latents(self, sound: Any, steps: int, guidance: float) -> Any:
        from worker.engines.video.echomimic.sampler import Options, sample

        return sample(self.networks, self._portrait, sound, hands, Options(steps, guidance), unwatched)

    def clip(self, seconds: float) -> int:
        """How many frames came."""
        from worker.engines.video.echomimic.features import Heard

        sound = Heard.of(self.networks.whisper, noise(seconds), FPS)
        return sum(1 for _ in self.networks.vae.frames(self.latents(sound, 1, 1.0)))


class Original:
    def __init__(self, models: Path) -> None:
        from diffusers import AutoencoderKL

        from bench.upstream import echomimic as upstream

        self._parts = upstream.of_folder(models)
        folder = models / "sd-vae-ft-mse"
        self._vae = AutoencoderKL.from_pretrained(folder, low_cpu_mem_usage=False).eval()

    def latents(self, sound: Any, steps: int, guidance: float, *, decoded: bool = False) -> Any:
        import torch
        from PIL import Image

        from bench.upstream import echomimic as upstream

        shown = torch.from_numpy(hands(range(len(sound)))).permute(3, 0, 1, 2)[None].float() / 255
        face, chance = Image.fromarray(portrait()), torch.Generator().manual_seed(0)
        how = upstream.Windows(steps, guidance)
        return self._parts.sample(self._vae, face, sound, shown, how, chance, decoded=decoded)

    def clip(self, seconds: float) -> int:
        import torch

        return len(self.latents(torch.zeros(round(seconds * FPS), 50, 384), 1, 1.0, decoded=True)[0, 0])


def ratio(models: Path) -> dict[str, float]:
    """Of the quickest of some rounds each."""
    import torch

    drawers: dict[str, Ours | Original] = {"ours": Ours(models), "original": Original(models)}
    sound, figures = torch.zeros(round(CLIP_S * FPS), 50, 384), dict[str, float]()
    for name, guidance in (("unguided", 1.0), ("guided", 2.5)):
        times: dict[str, list[float]] = {side: [] for side in drawers}
        for _ in range(ROUNDS + 1):  # the first is not counted
            for side, drawer in drawers.items():
                times[side].append(_seconds(partial(drawer.latents, sound, STEPS, guidance)))
        quickest = {side: min(took[1:]) for side, took in times.items()}
        figures |= {f"{name}_{side}_s": took for side, took in quickest.items()}
        figures[f"{name}_times"] = quickest["original"] / quickest["ours"]
    return figures


def memory(make: Callable[[Path], Ours | Original], models: Path, seconds: float) -> dict[str, float]:
    drawer = make(models)
    drawer.clip(0.5)  # what the first call alone needs is not the clip's
    before = psutil.Process().memory_info().rss / 2**20
    drawer.clip(seconds)
    return {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "before_mib": before}


def portrait() -> Frame:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def hands(frames: Sequence[int]) -> Frame:
    return np.zeros((len(frames), SIDE, SIDE, 3), np.uint8)


def noise(seconds: float) -> NDArray[np.float32]:
    return np.random.default_rng(1).standard_normal(round(seconds * RATE), np.float32) * np.float32(0.1)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(case: str, models: Path, seconds: float) -> dict[str, float]:
    if case == "ratio":
        return ratio(models)
    return memory(Ours if case == "ours" else Original, models, seconds)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))))
