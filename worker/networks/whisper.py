"""What Whisper's encoder makes of speech, layer by layer, with the weights `whisper-tiny`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from worker.networks import checkpoint
from worker.networks.precision import finite, move
from worker.networks.quiet import quiet

if TYPE_CHECKING:
    import torch
    from torch import Tensor

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_PREFIXES = ("model.encoder.", "encoder.")
"""The published file is of the whole model with its decoder's head; others are of the model without."""


class Whisper:
    """The encoder alone: of the decoder's weights nothing is kept. A call whose outcome is not finite is made again in
    float32. Raises NotANumber."""

    def __init__(self, network: Any) -> None:
        self._network = network
        config = network.config
        self.width: int = config.d_model
        self.layers: int = config.encoder_layers + 1
        self.positions: int = config.max_source_positions
        self.bins: int = config.num_mel_bins

    @classmethod
    def open(cls, folder: Path, device: str, dtype: torch.dtype) -> Self:
        """From the folder's configuration and weights alone, of any size. Raises CheckpointError and ModelMissing."""
        network = _built(folder / CONFIG)
        path = folder / WEIGHTS
        state = checkpoint.read(path, only=lambda key: key.startswith(_PREFIXES))
        checkpoint.fill(network, {_within(key): tensor for key, tensor in state.items()}, checkpoint.weights_of(path))
        move(network, device, dtype)
        return cls(network)

    def to_dtype(self, dtype: torch.dtype) -> Self:
        """Itself, computing in another type from here on."""
        move(self._network, dtype)
        return self

    def states(self, mel: Tensor, normed: bool) -> Tensor:
        """Of log-mel pieces (n, bins, 2 x positions): what goes into the first layer (the convolutions' outcome with
        positions) and what comes out of each: (n, positions, layers, width), for Whisper tiny (n, 1500, 5, 384).

        normed: the last is taken behind the final LayerNorm, as transformers counts hidden states; else before it, as
        openai-whisper's blocks give it. On the device of the network, in its type.
        """
        wanted = (self.bins, 2 * self.positions)
        if mel.ndim != 3 or tuple(mel.shape[1:]) != wanted:
            raise ValueError(f"mel pieces of {tuple(mel.shape)}, not (n, {wanted[0]}, {wanted[1]})")
        return finite(self._network, lambda pieces: self._states(pieces, normed), mel)

    def _states(self, mel: Tensor, normed: bool) -> Tensor:
        import torch

        with torch.no_grad(), self._heard() as states:
            last = self._network(mel).last_hidden_state
        if normed:
            states[-1] = last
        return torch.stack(states, dim=2)

    @contextmanager
    def _heard(self) -> Iterator[list[Tensor]]:
        """Filled while the network runs. Its own `output_hidden_states` has the last state only behind the norm."""
        states: list[Tensor] = []

        def before(_: Any, given: tuple[Tensor, ...]) -> None:
            states.append(given[0])

        def behind(_: Any, given: tuple[Tensor, ...], out: Any) -> None:
            states.append(out[0] if isinstance(out, tuple) else out)

        with ExitStack() as hooks:
            layers = self._network.layers
            hooks.callback(layers[0].register_forward_pre_hook(before).remove)
            for layer in layers:
                hooks.callback(layer.register_forward_hook(behind).remove)
            yield states


def _built(path: Path) -> Any:
    config = checkpoint.read_config(path)
    with quiet("transformers"):
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder

        with checkpoint.described(path, "Whisper"):
            known = WhisperConfig.from_dict(config)
            known._attn_implementation = "sdpa"
            return WhisperEncoder(known)


def _within(key: str) -> str:
    return next(key.removeprefix(prefix) for prefix in _PREFIXES if key.startswith(prefix))
