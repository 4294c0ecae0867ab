"""`realesrgan` and `facerestore`: frames of a portrait to larger ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.beside import lend
from bench.figures import Figures
from bench.gpu import levers
from bench.gpu.meters import Meter
from bench.gpu.trial import Size, built, seconds
from bench.upstream.checkout import at_hand
from core.settings import HOME
from worker.engines.base import Place
from worker.engines.upscale.base import UpscaleEngine

FPS = 25
FACE = HOME / "avatars" / "layla" / "portrait.png"


@dataclass(frozen=True)
class Scale:
    """given, wanted: sides of frames. frames: of the clip that is timed. slow: of those that take ten times as long.
    short, long: of the clips whose memory is compared."""

    given: int
    wanted: int
    frames: int
    slow: int
    short: int
    long: int


SCALES: Mapping[Size, Scale] = {
    "full": Scale(768, 1080, 100, 10, 10 * FPS, 60 * FPS),
    "tiny": Scale(64, 128, 2, 1, 2, 4),
}


def realesrgan(place: Place, meter: Callable[[], Meter], size: Size) -> Figures:
    """The general network as the engine has it, without channels last, and compiled; and x4plus."""
    from bench.models import realesrgan as models

    lend()
    scale, figures = SCALES[size], dict[str, float]()
    built(size, models.build, place.models / "general", size, models.GENERAL)
    built(size, models.build, place.models / "plus", size, models.PLUS)
    general, plus = (replace(place, models=place.models / name) for name in ("general", "plus"))
    figures |= _timed("general", _realesrgan(general), scale, scale.frames, place.device)
    with levers.held():
        figures |= _plain(general, scale)
    if place.device != "cpu":  # where compiling takes minutes
        compiled = _realesrgan(replace(general, compile=True))
        figures |= _timed("general_compiled", compiled, scale, scale.frames, place.device)
    figures |= _timed("plus", _realesrgan(plus), scale, scale.slow, place.device)
    figures |= _peaks(_realesrgan(general), scale, meter)
    if at_hand("realesrgan"):
        figures |= _original(general, scale)
    return figures


def facerestore(place: Place, meter: Callable[[], Meter], size: Size) -> Figures:
    """GFPGAN with the general network beside it, and CodeFormer."""
    from bench.models import facerestore as models
    from bench.models import realesrgan as enlargers

    lend()
    scale, figures = SCALES[size], dict[str, float]()
    kinds = (models.GFPGAN,) if size == "tiny" else (models.GFPGAN, models.CODEFORMER)  # one that is tiny is not quick
    for kind in kinds:
        here = replace(place, models=place.models / kind)
        built(size, models.build, here.models, size, kind)
        built(size, enlargers.build, here.models, size)
        figures |= _timed(kind, _facerestore(here), scale, scale.frames, place.device)
        if kind == models.GFPGAN:
            figures |= _peaks(_facerestore(here), scale, meter)
    return figures


def _plain(place: Place, scale: Scale) -> Figures:
    engine = _realesrgan(place)
    try:
        engine.load()
        levers.contiguous(engine._enlarger._network)
        took = levers.timed(lambda: enlarged(engine, scale, scale.frames), place.device)
        return levers.rates("general_plain", took, scale.frames, FPS)
    finally:
        engine.unload()


def _timed(name: str, engine: Any, scale: Scale, frames: int, device: str) -> Figures:
    """The engine is unloaded behind it."""
    try:
        loading = seconds(engine.load)
        took = levers.timed(lambda: enlarged(engine, scale, frames), device)
        return {f"{name}_load_s": loading, **levers.rates(name, took, frames, FPS)}
    finally:
        engine.unload()


def _peaks(engine: Any, scale: Scale, meter: Callable[[], Meter]) -> Figures:
    try:
        engine.load()
        return levers.peaks(lambda frames: enlarged(engine, scale, frames), scale.short, scale.long, meter)
    finally:
        engine.unload()


def enlarged(engine: UpscaleEngine, scale: Scale, frames: int) -> int:
    """How many frames came."""
    return sum(1 for _ in engine.upscale(shown(scale.given, frames), width=scale.wanted, height=scale.wanted))


def shown(side: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    """A portrait that sways by a pixel."""
    picture = _portrait(side)
    return (np.roll(picture, frame % 3 - 1, axis=1) for frame in range(frames))


@lru_cache(maxsize=2)
def _portrait(side: int) -> NDArray[np.uint8]:
    picture = np.asarray(cv2.imread(str(FACE)), np.uint8)[..., ::-1]
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _original(place: Place, scale: Scale) -> Figures:
    """The repository's network in half precision on a card, a frame at a time, its output brought down at four times
    the size and then made smaller there, as its own program does it."""
    import torch

    from bench.models import realesrgan as models
    from bench.upstream import upscalers
    from worker.networks.checkpoint import read

    half = torch.float32 if place.device == "cpu" else torch.float16
    state = read(place.models / models.GENERAL / models.FILES[models.GENERAL])
    network = upscalers.compact(state).to(place.device, half)

    def drawn() -> None:
        for frame in shown(scale.given, scale.frames):
            given = torch.from_numpy(frame.astype(np.float32) / 255).permute(2, 0, 1)[None].to(place.device, half)
            with torch.no_grad():
                large = network(given)[0].float().cpu().clamp_(0, 1).permute(1, 2, 0).numpy()
            whole = (large * 255).round().astype(np.uint8)
            cv2.resize(whole, (scale.wanted, scale.wanted), interpolation=cv2.INTER_LANCZOS4)

    return levers.rates("original_general", levers.timed(drawn, place.device), scale.frames, FPS)


def _realesrgan(place: Place) -> Any:
    from worker.engines.upscale.realesrgan.engine import RealESRGAN

    return RealESRGAN.at(place)


def _facerestore(place: Place) -> Any:
    from worker.engines.upscale.facerestore.engine import FaceRestore

    return FaceRestore.at(place)
