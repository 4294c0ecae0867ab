"""EchoMimicV2: each network, what goes into them, and the sampler as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.differences import Results
from tests.reference.drawn import levels, normal, speech

SIDE, LATENT, SEED = 64, 8, 7
WINDOW, OVERLAP, STEPS, FRAMES = 4, 1, 2, 7
"""Seven frames are three windows that overlap, and go round the clip's end."""
TIME = 499
SECONDS, FPS = 31.3, 24
"""A little more than Whisper's encoder hears at once."""
HALF = "sampler, guidance 2.5, the portrait rounded to half as the repository does"
LIMITS = {HALF: 1e-2}
QUIET = 0.7
"""Of the random denoiser's matrices. At full strength an untrained network makes of what single precision rounds a
hundred times as much a step, in the repository's code as in ours."""
CLIPS = ((6, 4, 1), (12, 12, 3), (13, 12, 3), (30, 12, 3), (240, 12, 3))
"""Frames, window, overlap."""


def build(folder: Path) -> None:
    import torch

    from bench.models.echomimic import build_all

    build_all(folder)
    for name in ("denoising_unet_acc", "motion_module_acc"):
        path = folder / "echomimic-v2" / f"{name}.pth"
        state = torch.load(path, weights_only=True)
        kept = {key for key, tensor in state.items() if tensor.ndim < 2 or key.endswith(".pe")}
        torch.save({key: tensor if key in kept else tensor * QUIET for key, tensor in state.items()}, path)


def ours(folder: Path) -> Results:
    import torch

    from worker.engines.video.echomimic import features, hands, sampler, schedule, windows
    from worker.engines.video.echomimic.networks import Networks

    networks = Networks.open(folder)
    portrait = networks.portrait(_portrait())
    latent = networks.vae.encode(_pictures(_portrait()[None]))
    bank: dict[str, Any] = {}
    with torch.no_grad():
        networks.reference.look(latent, bank)
        encoded = networks.hands(_hands(range(FRAMES)))

        def denoised(*windows: int, told: bool = True) -> Any:
            given = torch.cat([_latents(window) for window in windows])
            more = torch.cat([_sound()[:WINDOW] for _ in windows]), encoded[:WINDOW].repeat(len(windows), 1, 1, 1)
            return networks.denoiser(given, torch.tensor([TIME]), WINDOW, *((*more, portrait.kept) if told else ()))

        results = {
            "autoencoder: latents of the portrait": latent,
            "autoencoder: pictures": networks.vae.decode(_latents(0)),
            "reference network: what goes into its attentions": _joined(bank[name] for name in sorted(bank)),
            "kept keys and values": _joined(part for name in sorted(bank) for part in portrait.kept[name]),
            "pose encoder": encoded,
            "denoiser": denoised(0),
            "denoiser, unconditional": denoised(0, told=False),
            "denoiser, two windows in a call": denoised(0, 1),
            "features of sound": features.features(networks.whisper, speech(SEED, SECONDS), FPS),
            "initial noise": sampler.noise(FRAMES, LATENT, SEED),
        }

    def sampled(guidance: float, batch: int = 1) -> Any:
        options = sampler.Options(STEPS, guidance, WINDOW, OVERLAP, batch, SEED)
        return sampler.sample(networks, portrait, _sound(), _hands, options, _watch)

    guided = sampled(2.5)
    results |= {
        "sampler, guidance 1.0": sampled(1.0),
        "sampler, guidance 2.5": guided,
        "sampler, guidance 1.0, three windows in a call": sampled(1.0, 3),
        "sampler, guidance 2.5, three windows in a call": sampled(2.5, 3),
        HALF: guided,
    }
    moments = [moment for steps in (2, 6, 30) for moment in schedule.Schedule().moments(steps)]
    stepped = [moment.keep * normal(1, 8) + moment.add * normal(2, 8) for moment in moments]
    posed = _posed()
    return _arrays(results) | {
        "a step of the schedule": torch.stack(stepped).numpy(),
        "times of the schedule": np.array([moment.time for moment in moments]),
        "windows": _flat(windows.windows(count, 0, *clip) for count, *clip in CLIPS),
        "pictures of hands": np.stack([hands.drawn(*pose, side=768) for pose in zip(*posed, strict=True)]),
        "pictures of the clip": np.stack(list(networks.vae.frames(guided))),
    }


def theirs(folder: Path) -> Results:
    """Raises SurroundingsError without a checkout."""
    import torch
    from diffusers import AutoencoderKL
    from PIL import Image

    from bench.upstream import echomimic as upstream

    original = upstream.of_folder(folder)
    vae = AutoencoderKL.from_pretrained(folder / "sd-vae-ft-mse", low_cpu_mem_usage=False).eval()
    with torch.no_grad():
        latent = vae.encode(_pictures(_portrait()[None])).latent_dist.mean * 0.18215
        shown = _pictures(_hands(range(FRAMES))).add(1).div(2).transpose(0, 1)[None]
        encoded = original.pose_encoder(shown)
        bank = original.banks(latent)
        layers = {name: original.denoiser.get_submodule(name).attn1 for name in bank}
        kept = [part(bank[name]) for name in sorted(bank) for part in (layers[name].to_k, layers[name].to_v)]
        pictures = vae.decode(_latents(0) / 0.18215).sample
    sound, hands = _sound()[None, :WINDOW], encoded[:, :, :WINDOW]

    def denoised(window: int) -> Any:
        given = _latents(window).transpose(0, 1)[None]
        return _frames(original.denoise(given, TIME, sound, hands, latent, guided=False))

    both = _latents(0).transpose(0, 1)[None].repeat(2, 1, 1, 1, 1)
    told = torch.cat([torch.zeros_like(sound), sound]), torch.cat([torch.zeros_like(hands), hands])
    guided = _frames(original.denoise(both, TIME, *told, latent, guided=True))
    heard = torch.from_numpy(upstream.heard(_encoder(folder), 6, speech(SEED, SECONDS), FPS))

    def sampled(guidance: float, half: bool = False, decoded: bool = False) -> Any:
        original.half_banks = half
        how, generator = upstream.Windows(STEPS, guidance, WINDOW, OVERLAP), torch.Generator().manual_seed(SEED)
        portrait = Image.fromarray(_portrait())
        return _frames(original.sample(vae, portrait, _sound(), shown, how, generator, decoded=decoded))

    noise = torch.randn((1, 4, FRAMES, LATENT, LATENT), generator=torch.Generator().manual_seed(SEED)).clamp(-1.5, 1.5)
    results = {
        "autoencoder: latents of the portrait": latent,
        "autoencoder: pictures": pictures,
        "reference network: what goes into its attentions": _joined(bank[name] for name in sorted(bank)),
        "kept keys and values": _joined(kept),
        "pose encoder": _frames(encoded),
        "denoiser": denoised(0),
        "denoiser, unconditional": guided[:WINDOW],
        "denoiser, two windows in a call": torch.cat([denoised(0), denoised(1)]),
        "features of sound": heard[: -(-round(SECONDS * 16_000) * FPS // 16_000)],
        "initial noise": _frames(noise),
        "sampler, guidance 1.0": sampled(1.0),
        "sampler, guidance 2.5": sampled(2.5),
        "sampler, guidance 1.0, three windows in a call": sampled(1.0),
        "sampler, guidance 2.5, three windows in a call": sampled(2.5),
        HALF: sampled(2.5, half=True),
    }
    times, stepped = _stepped()
    drawn = sampled(2.5, decoded=True).permute(0, 2, 3, 1).mul(255).round().byte()
    posed = [{"bodies": None, "hands": hand, "hands_score": sure} for hand, sure in zip(*_posed(), strict=True)]
    return _arrays(results) | {
        "a step of the schedule": stepped,
        "times of the schedule": times,
        "windows": _flat(upstream.windows(*clip) for clip in CLIPS),
        "pictures of hands": np.stack([upstream.hands(pose, 768, 768) for pose in posed]),
        "pictures of the clip": drawn.numpy(),
    }


def _portrait() -> NDArray[np.uint8]:
    return levels(3, SIDE, SIDE, 3)


def _pictures(frames: NDArray[np.uint8]) -> Any:
    """(n, h, w, 3) → (n, 3, h, w) in -1 … 1."""
    import torch

    return torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255 * 2 - 1


def _latents(window: int) -> Any:
    return normal(10 + window, WINDOW, 4, LATENT, LATENT)


def _sound() -> Any:
    return normal(20, FRAMES, 50, 384)


def _hands(frames: Sequence[int]) -> NDArray[np.uint8]:
    return levels(30, FRAMES, SIDE, SIDE, 3)[list(frames)]


def _posed() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hands, some of whose points lie outside, and how sure each point is."""
    drawn = np.random.default_rng(40)
    return drawn.uniform(-0.1, 1.1, (3, 2, 21, 2)).astype(np.float32), drawn.random((3, 2, 21), np.float32)


def _encoder(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    state, prefix = load_file(folder / "whisper-tiny" / "model.safetensors"), "model.encoder."
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _stepped() -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of diffusers' schedule, as the repository sets it up: the times, and one step from each."""
    import torch

    from bench.upstream import echomimic as upstream

    times, stepped = [], []
    for steps in (2, 6, 30):
        schedule = upstream.scheduler()
        schedule.set_timesteps(steps)
        times += schedule.timesteps.tolist()
        stepped += [schedule.step(normal(2, 8), time, normal(1, 8)).prev_sample for time in schedule.timesteps]
    return np.array(times), torch.stack(stepped).numpy()


def _joined(parts: Iterable[Any]) -> Any:
    import torch

    return torch.cat([part.flatten() for part in parts])


def _frames(clip: Any) -> Any:
    """(1, c, f, h, w) → (f, c, h, w)."""
    return clip[0].transpose(0, 1).contiguous()


def _flat(clips: Iterable[Sequence[Sequence[int]]]) -> NDArray[np.int64]:
    return np.array([frame for windows in clips for window in windows for frame in window])


def _arrays(results: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    return {name: tensor.detach().float().numpy() for name, tensor in results.items()}


def _watch(_share: float) -> None: ...
