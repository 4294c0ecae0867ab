"""The way from noise to picture: DDIM (Song et al. 2021, equation 12, sigma 0) on predictions of velocity (Salimans
and Ho 2022) with a last step of pure noise and trailing steps (Lin et al. 2024, "Common Diffusion Noise Schedules and
Sample Steps are Flawed")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moment:
    """One step: time is what the network is told (0 … 999). The latents behind it are `keep` x latents + `add` x
    predicted velocity."""

    time: int
    keep: float
    add: float


@dataclass(frozen=True)
class Schedule:
    """How noisy the latents of a training step were: variances from `start` to `end` in a straight line (EchoMimicV2,
    configs/inference/inference_v2.yaml)."""

    start: float = 0.00085
    end: float = 0.012
    trained: int = 1000

    def moments(self, steps: int) -> list[Moment]:
        """The steps in order, 1 … trained of them: 6 steps of 1000 are 999, 832, 666, 499, 332, 166. Raises
        ValueError."""
        if not 1 <= steps <= self.trained:
            raise ValueError(f"{steps} steps, though 1 to {self.trained} can be taken")
        signal = self._signal()
        times = np.round(np.arange(self.trained, 0, -self.trained / steps)).astype(int) - 1
        return [self._moment(signal, int(time), int(time) - self.trained // steps) for time in times[:steps]]

    def _signal(self) -> NDArray[np.float64]:
        """(trained,) the share of the picture in a step's latents, 0 in the last (Lin et al. 2024, algorithm 1)."""
        betas = np.linspace(self.start, self.end, self.trained)
        root = np.sqrt(np.cumprod(1.0 - betas))
        scaled = (root - root[-1]) * root[0] / (root[0] - root[-1])
        return np.asarray(scaled**2)

    @staticmethod
    def _moment(signal: NDArray[np.float64], time: int, following: int) -> Moment:
        """The picture is a x latents - b x velocity, the noise a x velocity + b x latents, with a² the share of the
        picture and b² that of the noise; both are mixed anew as the following step has them."""
        now, then = signal[time], signal[following] if following >= 0 else 1.0
        a, b = np.sqrt(now), np.sqrt(1.0 - now)
        picture, noise = np.sqrt(then), np.sqrt(1.0 - then)
        return Moment(time, float(picture * a + noise * b), float(noise * a - picture * b))
