"""`musetalk`: from a film, masks and sound to frames of a face that speaks, without encoding them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.figures import Figures
from bench.gpu import levers
from bench.gpu.meters import Meter
from bench.gpu.trial import Size, built, seconds
from bench.upstream.checkout import at_hand
from worker.engines.base import Place
from worker.engines.tts.base import Speech
from worker.engines.video.base import unwatched

FPS = 25
SIDE = 512
"""Of the film."""
_RATE, _PIECE_S = 16_000, 5


@dataclass(frozen=True)
class Scale:
    """Frames: of the clips whose memory is compared, of that which each lever is tried on, and of the film."""

    short: int
    long: int
    clip: int
    film: int


SCALES: Mapping[Size, Scale] = {
    "full": Scale(10 * FPS, 60 * FPS, 8 * FPS, 4 * FPS),
    "tiny": Scale(8, 16, 4, 3),
}


@dataclass(frozen=True)
class Make:
    """How networks are opened. dtype: None for the one that suits the device."""

    compiled: bool = False
    dtype: Any = None


@dataclass(frozen=True)
class Variant:
    """Which levers are pulled. batch: faces in a call, 0 for the engine's own number."""

    batch: int = 0
    channels_last: bool = True
    make: Make = field(default_factory=Make)


PLAIN = Variant(1, channels_last=False)


def measure(place: Place, meter: Callable[[], Meter], size: Size) -> Figures:
    """`network`: faces drawn by the network and the autoencoder. `whole`: frames of the film, the face put into them.

    meter: a new one for each measurement.
    """
    from bench.models.musetalk import build_all

    scale = SCALES[size]
    built(size, build_all, place.models, size)
    figures: Figures = {}
    for make, named in groupby(variants(place.device).items(), lambda item: item[1].make):
        with levers.held():
            figures |= _of(Trial(place, scale, make), dict(named), meter)
    if at_hand("musetalk"):
        figures |= _original(place, scale)
    return figures


def variants(device: str) -> dict[str, Variant]:
    """By the name of their figures, those that are opened alike together."""
    tried = {
        "network": Variant(),
        "network_batch_16": Variant(16),
        "network_plain": PLAIN,
        "network_plain_batch": replace(PLAIN, batch=0),
        "network_plain_channels_last": replace(PLAIN, channels_last=True),
    }
    if device != "cpu":  # where compiling takes minutes
        compiled = Make(compiled=True)
        tried |= {"network_compiled": Variant(make=compiled), "network_plain_compiled": replace(PLAIN, make=compiled)}
    return tried | {f"network_{kind}": Variant(make=Make(dtype=dtype)) for kind, dtype in levers.types(device).items()}


def _of(trial: Trial, named: Mapping[str, Variant], meter: Callable[[], Meter]) -> Figures:
    figures: Figures = {}
    scale, device = trial.scale, trial.place.device
    for name, variant in named.items():
        trial.pull(variant)
        figures |= levers.rates(name, trial.seconds(), scale.clip, FPS)
    if trial.make == Make():
        trial.pull(Variant())
        figures["load_s"] = trial.load_s
        figures |= levers.rates("whole", levers.timed(partial(trial.whole, scale.short), device), scale.short, FPS)
        figures |= levers.peaks(trial.whole, scale.short, scale.long, meter)
    return figures


class Trial:
    """Networks that are opened one way, and how they are used."""

    def __init__(self, place: Place, scale: Scale, make: Make) -> None:
        self.place, self.scale, self.make = place, scale, make
        self.load_s = seconds(self._open)
        self._own_batch = self._networks.batch
        self.pull(Variant())

    def pull(self, variant: Variant) -> None:
        self._networks.batch = variant.batch or self._own_batch
        pull = levers.channels_last if variant.channels_last else levers.contiguous
        pull(self._networks._network, self._networks._vae._network)

    def seconds(self) -> float:
        """Of the clip's faces alone."""
        import torch

        networks, batch = self._networks, self._networks.batch
        latents, windows = networks.latents(faces(batch, networks.side)), torch.zeros(batch, 50, 384)
        calls = -(-self.scale.clip // batch)
        took = levers.timed(lambda: [networks.draw(latents, windows) for _ in range(calls)], self.place.device)
        return took * self.scale.clip / (calls * int(batch))

    def whole(self, frames: int) -> int:
        """How many frames came."""
        from worker.engines.video.musetalk.clip import Clip

        return sum(1 for _ in Clip(self._networks, self._ground).frames(spoken(frames / FPS)))

    @cached_property
    def _ground(self) -> Any:
        from worker.engines.video.musetalk.clip import Ground
        from worker.engines.video.musetalk.preparing import prepared

        film, found = film_and_face(self.scale.film)
        return Ground(film, prepared(film, found, self._networks.side, self._networks.latents, unwatched))

    def _open(self) -> None:
        from worker.engines.video.musetalk.networks import Networks

        place, make = self.place, self.make
        self._networks = Networks.open(place.models, place.device, make.dtype, compile=make.compiled)


def faces(count: int, side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def spoken(seconds: float) -> Iterator[Speech]:
    """Noise, in sentences."""
    left = round(seconds * _RATE)
    noise = np.random.default_rng(1).standard_normal(_PIECE_S * _RATE, np.float32) * np.float32(0.1)
    while left > 0:
        yield Speech(noise[:left], _RATE, None)
        left -= _PIECE_S * _RATE


def film_and_face(frames: int) -> tuple[Any, Any]:
    """A grey film, and where its face is: as wide as two fifths of it, in the middle."""
    from worker.engines.video.musetalk.boxes import CONTOUR
    from worker.engines.video.musetalk.ground import Film
    from worker.faces.landmarks import COUNT
    from worker.faces.tracking import Found

    points = np.full((frames, COUNT, 2), SIDE / 2, np.float32)
    angle = np.linspace(0, np.pi, len(CONTOUR))
    jaw = np.column_stack([-0.2 * np.cos(angle), 0.25 * np.sin(angle)]) * SIDE + SIDE / 2
    points[:, list(CONTOUR)] = jaw
    planes = tuple(np.full((side, side), 128, np.uint8) for side in (SIDE, SIDE // 2, SIDE // 2))
    return Film([planes] * frames, (SIDE, SIDE), (SIDE, SIDE)), Found(points, (SIDE, SIDE))  # type: ignore[list-item]


def _original(place: Place, scale: Scale) -> Figures:
    """The repository's network and autoencoder on the same work, in half precision on a card, eight at once, as it is
    told to be."""
    import torch

    from bench.upstream import musetalk as upstream
    from worker.engines.video.musetalk.networks import Networks

    with levers.held():
        side = Networks.open(place.models, place.device).side
    half = torch.float32 if place.device == "cpu" else torch.float16
    original = upstream.of_folder(place.models, size=side, device=place.device, dtype=half)
    latents = torch.zeros(8, 8, side // 8, side // 8, device=place.device, dtype=half)
    sound = torch.zeros(8, 50, 384, device=place.device, dtype=half)
    calls = -(-scale.clip // 8)
    took = levers.timed(lambda: [original.mouths(latents, sound) for _ in range(calls)], place.device)
    return levers.rates("original_network", took, calls * 8, FPS)
