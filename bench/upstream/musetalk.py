"""MuseTalk's own networks, its features of sound, its box of a face and its blending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.upstream.checkout import checkout, importing, module

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


@dataclass
class Original:
    """unet: takes (b, 8, h, w), time 0 and (b, 50, 384). vae: the repository's class, whose pictures are (h, w, 3) in
    BGR. positions: adds where in its piece of sound a feature stands."""

    unet: Any
    vae: Any
    positions: Any

    def latents(self, face: NDArray[np.uint8], seed: int | None = None) -> Any:
        """A face of any size, BGR → (1, 8, h, w). The repository draws from what the VAE says; without a seed its mean
        is taken here."""
        import torch
        from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

        own = DiagonalGaussianDistribution.sample
        if seed is None:
            DiagonalGaussianDistribution.sample = DiagonalGaussianDistribution.mode
        else:
            torch.manual_seed(seed)
        try:
            return self.vae.get_latents_for_unet(face)
        finally:
            DiagonalGaussianDistribution.sample = own

    def mouths(self, latents: Any, sound: Any) -> NDArray[np.uint8]:
        """(b, 8, h, w) and (b, 50, 384) → (b, 8h, 8w, 3), BGR."""
        drawn: NDArray[np.uint8] = self.vae.decode_latents(self.predicted(latents, sound))
        return drawn

    def predicted(self, latents: Any, sound: Any) -> Any:
        import torch

        with torch.no_grad():
            time = torch.tensor([0], device=latents.device)
            return self.unet(latents, time, encoder_hidden_states=self.positions(sound)).sample


def of_folder(models: Path, *, size: int = 256, device: str = "cpu", dtype: Any = None) -> Original:
    """With the published files below `models`, or others of their format. size: a face's edge. dtype: None for single
    precision."""
    import torch
    from diffusers.utils import logging

    logging.set_verbosity_error()
    dtype, folder = dtype or torch.float32, models / "musetalk" / "musetalkV15"
    networks = _imported("musetalk.models.unet")
    named = str(folder / "musetalk.json"), str(folder / "unet.pth")
    model = networks.UNet(*named, device=torch.device(device)).model.to(dtype).eval()
    coder = _imported("musetalk.models.vae").VAE(str(models / "sd-vae-ft-mse"), resized_img=size)
    coder.vae.to(device, dtype).eval()
    coder.device = torch.device(device)
    return Original(model.requires_grad_(False), coder, networks.PositionalEncoding(d_model=384).to(device, dtype))


def heard(encoder: Any, samples: NDArray[np.float32], fps: int) -> Any:
    """16 kHz → (n, 50, 384) without positions. encoder: Hugging Face's WhisperModel."""
    import torch
    from transformers import WhisperFeatureExtractor

    with importing(_root(), given={"librosa": _recording(samples)}):
        processor = module("musetalk.utils.audio_processor")
        processor.librosa = _recording(samples)
        reader = processor.AudioProcessor.__new__(processor.AudioProcessor)
        reader.feature_extractor = WhisperFeatureExtractor()
        with redirect_stdout(StringIO()), torch.no_grad():
            pieces, length = reader.get_audio_feature(__file__)
            return reader.get_whisper_chunk(pieces, torch.device("cpu"), torch.float32, encoder, length, fps=fps)


def box(landmarks: NDArray[np.float32]) -> Box:
    """68 points of a face → what is cut out, without the margin below that version 1.5 adds."""
    found = np.zeros((1, 133, 2), np.float32)
    found[0, 23:91] = landmarks
    with importing(_root(), given=_finders()), redirect_stdout(StringIO()):
        own = module("musetalk.utils.preprocessing")
        own.merge_data_samples = lambda _: SimpleNamespace(pred_instances=SimpleNamespace(keypoints=found))
        own.read_imgs = lambda paths: [None for _ in paths]
        own.tqdm = lambda each: each
        boxes, _ = own.get_landmark_and_bbox(["a picture"])
    left, top, right, bottom = boxes[0]
    return int(left), int(top), int(right), int(bottom)


def square(where: Box) -> Box:
    """What is cut out about a box to be blended."""
    (left, top, right, bottom), _ = _imported("musetalk.utils.blending").get_crop_box(list(where), 1.5)
    return left, top, right, bottom


def blended(
    frame: NDArray[np.uint8], face: NDArray[np.uint8], where: Box, mask: Callable[[Any], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """BGR. face: of the box's size. mask: the cut-out square, a PIL picture → what of it is face, 0 … 255."""
    from PIL import Image

    blending = _imported("musetalk.utils.blending")
    drawn: NDArray[np.uint8] = blending.get_image(
        frame, face, list(where), mode="jaw", fp=lambda square, mode: Image.fromarray(mask(square))
    )
    return drawn


def pasted(frame: NDArray[np.uint8], face: NDArray[np.uint8], where: Box, mask: NDArray[np.uint8]) -> Any:
    """As its real-time program puts a face of any size into a frame, BGR. mask: of the square about the box."""
    resized = cv2.resize(face, (where[2] - where[0], where[3] - where[1]))
    blending = _imported("musetalk.utils.blending")
    return blending.get_image_blending(frame, resized, where, mask, square(where))


def order(count: int, faces: int) -> list[int]:
    """Which face each of `count` frames takes of a film forwards and back again."""
    import torch

    film = [torch.tensor([[index]]) for index in (*range(faces), *reversed(range(faces)))]
    sounds = [torch.zeros(1) for _ in range(count)]
    batches = _imported("musetalk.utils.utils").datagen(sounds, film, batch_size=4, device="cpu")
    return [int(index) for _, latents in batches for index in latents[:, 0]]


def _recording(samples: NDArray[np.float32]) -> ModuleType:
    given = ModuleType("librosa")
    vars(given)["load"] = lambda _path, sr: (samples, sr)
    return given


def _finders() -> Mapping[str, ModuleType]:
    """What finds a face and its points."""

    class Alignment:
        def __init__(self, *_arguments: object, **_named: object) -> None: ...

        def get_detections_for_batch(self, batch: Sequence[object]) -> list[Box]:
            return [(0, 0, 1, 1) for _ in batch]

    names: Mapping[str, Mapping[str, Any]] = {
        "mmpose": {"__path__": []},
        "mmpose.apis": {"init_model": lambda *_, **__: None, "inference_topdown": lambda *_: None},
        "mmpose.structures": {"merge_data_samples": None},
        "face_detection": {"FaceAlignment": Alignment, "LandmarksType": SimpleNamespace(_2D=None)},
    }
    modules = {name: ModuleType(name) for name in names}
    for name, values in names.items():
        vars(modules[name]).update(values)
    return modules


def _transforms() -> Mapping[str, ModuleType]:
    """The one thing that is taken of torchvision, which need not be installed."""
    given = {name: ModuleType(name) for name in ("torchvision", "torchvision.transforms")}
    vars(given["torchvision"]).update(__path__=[], transforms=given["torchvision.transforms"])
    vars(given["torchvision.transforms"])["Normalize"] = _Normalize
    return given


class _Normalize:
    """torchvision's: (x - mean) / std of each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self._mean, self._std = mean, std

    def __call__(self, picture: Any) -> Any:
        import torch

        mean, std = (torch.tensor(values, dtype=picture.dtype)[:, None, None] for values in (self._mean, self._std))
        return (picture - mean) / std


def _imported(name: str) -> Any:
    import diffusers  # noqa: F401  # looks for what is installed before anything is stood in for

    with importing(_root(), given=_transforms()):
        return module(name)


def _root() -> Path:
    return checkout("musetalk")
