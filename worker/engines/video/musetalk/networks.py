"""MuseTalk 1.5's networks: one pass of a denoiser, with neither noise nor steps, from a masked face, the face itself
and the sound of the moment to the face that says it (Zhang et al. 2024, arXiv 2410.10122).

The denoiser is diffusers' `UNet2DConditionModel` as it is, the autoencoder and the ears are those of worker.networks.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from core.weights.folder import folder_of
from worker.engines.video.musetalk.features import positions, states_of
from worker.networks import checkpoint
from worker.networks.compiling import compiled, is_compiled
from worker.networks.mel import Sound
from worker.networks.precision import dtype_of, finite
from worker.networks.quiet import quiet
from worker.networks.vae import VAE, as_frames, filled
from worker.networks.whisper import Whisper

if TYPE_CHECKING:
    from torch import Tensor, dtype

WEIGHTS = ("musetalk", "sd-vae-ft-mse", "whisper-tiny")
"""Names in models/manifest.toml."""
NETWORK, CONFIG = "musetalkV15/unet.pth", "musetalkV15/musetalk.json"

Faces = NDArray[np.uint8]
"""(n, side, side, 3), RGB."""

_BATCH = {"cpu": 4, "cuda": 8}
"""Faces at once; on a card they leave the whole within 4 GiB."""


class Networks:
    """On one device, in one type of numbers; the ears, which take hardly any time, in float32."""

    def __init__(self, network: Any, vae: VAE, whisper: Whisper, device: str) -> None:
        self._network, self._vae, self._whisper = network, vae, whisper
        self.side: int = network.config.sample_size * vae.scale // 2
        """Pixels of a face: 256. The network was made for pictures of twice that, which its configuration names."""
        self.batch = _BATCH["cpu" if device == "cpu" else "cuda"]
        self._longest = 0  # faces that were drawn at once

    @classmethod
    def open(cls, models: Path, device: str, dtype: dtype | None = None, *, compile: bool = False) -> Self:
        """models: the folder of weights. dtype: None for what suits the device. Raises ModelMissing, CheckpointError,
        VideoError."""
        import torch

        own, autoencoder, ears = (folder_of(models, name) for name in WEIGHTS)
        kind = dtype_of(device) if dtype is None else dtype
        network = _network(own, device, kind)
        compiled(network, compile, "MuseTalk's network")
        vae = VAE.open(autoencoder, device, kind, compile=compile)
        whisper = Whisper.open(ears, device, torch.float32)
        if network.config.cross_attention_dim != whisper.width:
            raise VideoError(f"{own} listens to vectors of another length than {ears} gives")
        return cls(network, vae, whisper, device)

    def states(self, sound: Sound, count: int) -> Tensor:
        """As `features.states_of`."""
        return states_of(self._whisper, sound, count)

    def latents(self, faces: Faces) -> NDArray[np.float32]:
        """What the network is shown of faces: (n, 8, side / 8, side / 8), the face without its lower half, then the
        whole one."""
        import torch

        whole = torch.from_numpy(np.ascontiguousarray(faces)).permute(0, 3, 1, 2).float() / 127.5 - 1
        masked = whole.clone()
        masked[:, :, self.side // 2 :] = -1.0
        both = self._vae.encode(torch.cat([masked, whole]), 2 * self.batch).float().cpu()
        return np.asarray(torch.cat([both[: len(faces)], both[len(faces) :]], dim=1).numpy(), np.float32)

    def draw(self, latents: NDArray[np.float32], windows: Tensor) -> Faces:
        """Faces that say the windows (n, states, width), all at once. Raises NotANumber."""
        import torch

        given = torch.from_numpy(latents), windows + positions(*windows.shape[1:])
        count, self._longest = max(self._longest, len(windows)), 0  # what does not fit is not tried again
        if is_compiled(self._network):
            given = filled(given[0], count), filled(given[1], count)
        drawn = self._vae.decode(finite(self._network, self._called, *given))
        self._longest = count
        return np.asarray(as_frames(drawn[: len(windows)]), np.uint8)

    def _called(self, latents: Tensor, sound: Tensor) -> Tensor:
        import torch

        with torch.no_grad():
            first = torch.zeros(1, dtype=torch.long, device=latents.device)
            drawn: Tensor = self._network(latents, first, encoder_hidden_states=sound, return_dict=False)[0]
            return drawn


def _network(folder: Path, device: str, dtype: dtype) -> Any:
    import torch

    config = checkpoint.read_config(folder / CONFIG)
    with quiet("diffusers"):
        from diffusers import UNet2DConditionModel

        known = inspect.signature(UNet2DConditionModel).parameters
        with checkpoint.described(folder / CONFIG, "UNet2DConditionModel"):
            network = UNet2DConditionModel(**{key: value for key, value in config.items() if key in known})
    if (network.config.in_channels, network.config.out_channels) != (8, 4):
        raise checkpoint.CheckpointError(f"{folder / CONFIG} describes no network of MuseTalk: 8 channels in, 4 out")
    checkpoint.fill(network, checkpoint.read(folder / NETWORK), folder.name)
    with quiet("diffusers"):  # which warns that parts want float32, and names none
        network.to(device, dtype)
    if torch.device(device).type == "cuda":
        network.to(memory_format=torch.channels_last)
    return network
