"""EchoMimicV2's own networks and pipeline, with the weights of a folder in the format in which they are published."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bench.upstream.checkout import checkout, importing, module
from worker.engines.video.echomimic import keys
from worker.engines.video.echomimic.architecture import Architecture, Hidden, pose_widths
from worker.networks.checkpoint import read

Mode = Literal["accelerated", "normal"]
WEIGHTS, REFERENCE, POSES = "echomimic-v2", "reference_unet.pth", "pose_encoder.pth"
DENOISERS: Mapping[Mode, tuple[str, str, str]] = {
    "accelerated": (WEIGHTS, "denoising_unet_acc.pth", "motion_module_acc.pth"),
    "normal": ("echomimic-v2-normal", "denoising_unet.pth", "motion_module.pth"),
}

_ABSENT = ("ffmpeg",)
_DOWN = ("CrossAttnDownBlock", "CrossAttnDownBlock", "CrossAttnDownBlock", "DownBlock")
_UP = ("UpBlock", "CrossAttnUpBlock", "CrossAttnUpBlock", "CrossAttnUpBlock")
_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "clip_sample": False,
    "steps_offset": 1,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
"""As configs/inference/inference_v2.yaml has it."""


@dataclass(frozen=True)
class Geometry:
    """Sizes of the networks."""

    blocks: tuple[int, ...]
    layers: int
    heads: int
    groups: int
    motion_heads: int
    motion_length: int
    audio_width: int
    pose_blocks: tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """How a clip is sampled."""

    steps: int
    guidance: float
    frames: int = 12
    overlap: int = 3


@dataclass
class Original:
    """Modules as the repository defines them, in evaluation mode. half_banks: round what is kept of the portrait to
    half precision whatever the networks' own, as the repository does; it costs 1e-4 where they are in single precision.
    """

    reference: Any
    denoiser: Any
    pose_encoder: Any
    half_banks: bool = False

    def banks(self, latent: Any) -> dict[str, Any]:
        """(1, 4, h, w) of a portrait → names of the reference network's blocks and what is kept of each."""
        import torch

        writer = _attention()(self.reference, mode="write", fusion_blocks="full")
        with torch.no_grad():
            self.reference(latent, torch.zeros((), dtype=torch.long, device=latent.device), None, return_dict=False)
        kept = {name: part.bank[0] for name, part in self.reference.named_modules() if getattr(part, "bank", None)}
        for part in self.reference.modules():
            if hasattr(part, "bank"):
                part.bank.clear()
        del writer
        return kept

    def denoise(self, latents: Any, step: int, sound: Any, poses: Any, portrait: Any, *, guided: bool) -> Any:
        """One call. latents: (b, 4, f, h, w), both halves where `guided`. sound: (b, f, 50, 384). poses: (b, c, f, h,
        w) of the encoder. portrait: (1, 4, h, w), which the reference network reads first."""
        import torch

        writer = _attention()(
            self.reference, do_classifier_free_guidance=guided, mode="write", batch_size=1, fusion_blocks="full"
        )
        reader = self._reader(guided)
        with torch.no_grad():
            self.reference(portrait, torch.zeros((), dtype=torch.long, device=portrait.device), None, return_dict=False)
            reader.update(writer, do_classifier_free_guidance=guided, **self._rounding())
            time = torch.tensor(step, device=latents.device)
            yielded = self.denoiser(latents, time, None, audio_cond_fea=sound, face_musk_fea=poses, return_dict=False)
        reader.clear()
        writer.clear()
        return yielded[0]

    def sample(
        self,
        vae: Any,
        portrait: Any,
        sound: Any,
        poses: Any,
        windows: Windows,
        generator: Any = None,
        *,
        noise: Any = None,
        decoded: bool = False,
    ) -> Any:
        """The repository's pipeline from the portrait to latents (1, 4, n, h, w), or to pictures (1, 3, n, 8h, 8w) in
        0 … 1 where `decoded`.

        portrait: a PIL picture. sound: (n, 50, 384), in place of what it would read from a file. poses: (1, 3, n, 8h,
        8w) in 0 … 1. noise: (1, 4, n, h, w), clamped already, in place of what `generator` yields.
        """
        import torch

        pipe = _pipeline()(vae, self.reference, self.denoiser, _Heard(sound), self.pose_encoder, scheduler())
        pipe.set_progress_bar_config(disable=True)
        if not decoded:
            pipe.decode_latents = lambda latents: latents
        if noise is not None:
            pipe.prepare_latents_smooth = lambda *_given, **_named: noise
        _attention().update.__defaults__ = self._update_defaults()
        high, wide = poses.shape[-2:]
        with _silence():
            yielded = pipe(
                portrait,
                "",
                poses,
                wide,
                high,
                len(sound),
                windows.steps,
                windows.guidance,
                generator=generator,
                context_frames=windows.frames,
                context_overlap=windows.overlap,
                fps=24,
                output_type="as they are",
                return_dict=False,
            )
        return torch.as_tensor(yielded)

    def _reader(self, guided: bool) -> Any:
        return _attention()(
            self.denoiser, do_classifier_free_guidance=guided, mode="read", batch_size=1, fusion_blocks="full"
        )

    def _rounding(self) -> dict[str, Any]:
        return {"dtype": self._update_defaults()[-1]}

    def _update_defaults(self) -> tuple[bool, Any]:
        import torch

        return False, torch.float16 if self.half_banks else self.denoiser.dtype


@contextmanager
def _silence() -> Iterator[None]:
    """The repository prints, warns and draws bars of progress."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()), warnings.catch_warnings(action="ignore"):
        yield


class _Heard:
    """Stands where the pipeline asks for Whisper."""

    def __init__(self, sound: Any) -> None:
        self._sound = sound

    def audio2feat(self, _path: str) -> Any:
        return self._sound.cpu().float()

    def feature2chunks(self, feature_array: Any, fps: int) -> Any:
        return feature_array


def of_folder(models: Path, mode: Mode = "accelerated", device: str = "cpu", dtype: Any = None) -> Original:
    """With the published files below `models`, or others of their format. Every key must have its place, so the two
    files of the denoiser are merged as the repository's own loading does it. Raises SurroundingsError without a
    checkout, RuntimeError of torch where keys don't fit. dtype: None for single precision."""
    import torch

    _root()
    folder, main, moving = DENOISERS[mode]
    reference, poses = (_read(models / WEIGHTS / name) for name in (REFERENCE, POSES))
    denoiser = {**_read(models / folder / moving), **_read(models / folder / main)}
    _hush()
    geometry = _geometry(models / folder, denoiser, poses)
    parts = Original(_reference(geometry), _denoiser(geometry), _pose_encoder(geometry))
    for part, state in ((parts.reference, reference), (parts.denoiser, denoiser), (parts.pose_encoder, poses)):
        part.load_state_dict(state)
        part.to(device, dtype or torch.float32).eval().requires_grad_(False)
    _place_attention(device)
    return parts


def scheduler() -> Any:
    from diffusers import DDIMScheduler

    return DDIMScheduler(**_SCHEDULE)


def windows(count: int, frames: int, overlap: int) -> list[list[int]]:
    """Which frames belong together in the first step."""
    made = _imported("src.pipelines.context").get_context_scheduler("uniform")
    return [list(map(int, window)) for window in made(0, None, count, frames, 1, overlap)]


def hands(pose: Mapping[str, Any], high: int, wide: int) -> NDArray[np.uint8]:
    """One frame's pose as the repository's files hold it → (high, wide, 3)."""
    drawn = _imported("src.utils.dwpose_util").draw_pose_select_v2(dict(pose), high, wide, ref_w=800)
    return np.ascontiguousarray(np.transpose(drawn, (1, 2, 0)))


def heard(whisper: Mapping[str, Any], heads: int, samples: NDArray[np.float32], fps: int) -> NDArray[np.float32]:
    """16 kHz → (n, 50, 384). whisper: the encoder as Hugging Face's files name it, without `encoder.`."""
    import torch

    own = _encoder_keys(whisper)
    width, mels = own["conv1.weight"].shape[:2]
    layers = 1 + max(int(name.split(".")[1]) for name in own if name.startswith("blocks."))
    model = _imported("src.models.whisper.whisper.model")
    encoder = model.AudioEncoder(mels, own["positional_embedding"].shape[0], width, heads, layers)
    encoder.load_state_dict(own)
    feature = _imported("src.models.whisper.audio2feature").Audio2Feature
    listener = feature.__new__(feature)
    asked = SimpleNamespace(encoder=encoder.eval(), device=torch.device("cpu"))
    asked.transcribe = partial(_imported("src.models.whisper.whisper.transcribe").transcribe, asked)
    listener.model = asked
    with _silence(), torch.no_grad():
        states = listener.audio2feat(samples)
        chunks: NDArray[np.float32] = listener.feature2chunks(feature_array=states, fps=fps)
    return chunks


_ENCODER = {
    ".embed_positions.weight": ".positional_embedding",
    ".layer_norm.": ".ln_post.",
    ".layers.": ".blocks.",
    ".self_attn_layer_norm.": ".attn_ln.",
    ".self_attn.q_proj.": ".attn.query.",
    ".self_attn.k_proj.": ".attn.key.",
    ".self_attn.v_proj.": ".attn.value.",
    ".self_attn.out_proj.": ".attn.out.",
    ".fc1.": ".mlp.0.",
    ".fc2.": ".mlp.2.",
    ".final_layer_norm.": ".mlp_ln.",
}
"""Whisper's encoder by Hugging Face's names and by OpenAI's."""


def _encoder_keys(whisper: Mapping[str, Any]) -> dict[str, Any]:
    """A layer's middle is four times as wide there always; what is missing of that is zero, which changes nothing."""
    from torch.nn.functional import pad

    own = {_renamed(name): tensor for name, tensor in whisper.items()}
    for name, tensor in own.items():
        if (there := re.search(r"\.mlp\.(0\.weight|0\.bias|2\.weight)$", name)) is not None:
            lack = 4 * own["positional_embedding"].shape[1] - tensor.shape[1 if there[1] == "2.weight" else 0]
            own[name] = pad(tensor, (0, lack) if there[1] != "0.weight" else (0, 0, 0, lack))
    return own


def _renamed(name: str) -> str:
    name = f".{name}"
    for theirs, own in _ENCODER.items():
        name = name.replace(theirs, own)
    return name[1:]


def _geometry(folder: Path, denoiser: Mapping[str, Any], poses: Mapping[str, Any]) -> Geometry:
    told = Architecture.of_denoiser(keys.denoiser(denoiser, {}), Hidden.of(folder), folder.name)
    hidden, (_, pose_blocks) = told.hidden, pose_widths(poses, folder.name)
    within = told.widths, told.layers, hidden.heads, hidden.groups
    return Geometry(*within, hidden.motion_heads, told.moments, told.sound, pose_blocks)


def _read(path: Path) -> dict[str, Any]:
    return {key: tensor.float() for key, tensor in read(path).items()}


def _reference(geometry: Geometry) -> Any:
    network = _imported("src.models.unet_2d_condition").UNet2DConditionModel
    return network(
        sample_size=64,
        block_out_channels=geometry.blocks,
        layers_per_block=geometry.layers,
        norm_num_groups=geometry.groups,
        attention_head_dim=geometry.heads,
        cross_attention_dim=768,
        down_block_types=tuple(f"{name}2D" for name in _DOWN),
        up_block_types=tuple(f"{name}2D" for name in _UP),
    )


def _denoiser(geometry: Geometry) -> Any:
    network = _imported("src.models.unet_3d_emo").EMOUNet3DConditionModel
    motion = {
        "num_attention_heads": geometry.motion_heads,
        "num_transformer_block": 1,
        "attention_block_types": ("Temporal_Self", "Temporal_Self"),
        "temporal_position_encoding": True,
        "temporal_position_encoding_max_len": geometry.motion_length,
        "temporal_attention_dim_div": 1,
    }
    return network(
        sample_size=64,
        block_out_channels=geometry.blocks,
        layers_per_block=geometry.layers,
        norm_num_groups=geometry.groups,
        attention_head_dim=geometry.heads,
        cross_attention_dim=geometry.audio_width,
        use_inflated_groupnorm=True,
        use_motion_module=True,
        motion_module_mid_block=True,
        motion_module_type="Vanilla",
        motion_module_kwargs=motion,
        unet_use_cross_frame_attention=False,
        unet_use_temporal_attention=False,
    )


def _pose_encoder(geometry: Geometry) -> Any:
    network = _imported("src.models.pose_encoder").PoseEncoder
    return network(geometry.blocks[0], conditioning_channels=3, block_out_channels=geometry.pose_blocks)


def _attention() -> Any:
    return _imported("src.models.mutual_self_attention").ReferenceAttentionControl


def _place_attention(device: str) -> None:
    """The repository's code says `cuda` in a default."""
    import torch

    hooks = _attention().register_reference_hooks
    hooks.__defaults__ = tuple(
        torch.device(device) if isinstance(value, torch.device) else value for value in hooks.__defaults__
    )


def _hush() -> None:
    """What today's diffusers says of yesterday's calls costs time at each call, which is not the networks'."""
    from diffusers.models import downsampling, lora, resnet, upsampling
    from diffusers.utils import logging

    logging.set_verbosity_error()
    for place in (downsampling, lora, resnet, upsampling):
        place.deprecate = lambda *_given, **_named: None


def _pipeline() -> Any:
    return _imported("src.pipelines.pipeline_echomimicv2_acc").EchoMimicV2Pipeline


def _imported(name: str) -> Any:
    with importing(_root(), _ABSENT):
        return module(name)


def _root() -> Path:
    return checkout("echomimic")
