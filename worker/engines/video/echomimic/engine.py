"""The engine `echomimic`."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from core.catalogue import Avatar
from core.errors import ModelMissing, VideoError
from core.kinds import Tone
from core.weights.folder import folder_of
from core.weights.paths import RECORD
from worker.engines.base import Needs, Place
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Frame, Watch, unwatched
from worker.engines.video.echomimic import poses
from worker.engines.video.echomimic.architecture import Hidden, Mode
from worker.engines.video.echomimic.gestures import Manner
from worker.engines.video.echomimic.portrait import Portraits
from worker.engines.video.echomimic.poses import Poses
from worker.engines.video.echomimic.sound import FPS, Heard, heard, silence
from worker.faces.halves import Body, Halves
from worker.networks.checkpoint import CheckpointError
from worker.networks.compiling import PATIENCE_S
from worker.networks.failing import failing
from worker.networks.memory import give_back

if TYPE_CHECKING:
    from worker.engines.video.echomimic.networks import Networks
    from worker.engines.video.echomimic.sampler import Options

WEIGHTS: Mapping[Mode, tuple[str, ...]] = {
    "accelerated": ("echomimic-v2", "sd-vae-ft-mse", "whisper-tiny"),
    "normal": ("echomimic-v2", "echomimic-v2-normal", "sd-vae-ft-mse", "whisper-tiny"),
}
"""In the normal mode, too, the reference network and the pose encoder are of the first."""

STEPS: Mapping[Mode, tuple[int, float]] = {"accelerated": (6, 1.0), "normal": (30, 2.5)}
"""Steps and guidance (EchoMimicV2, infer_acc.py and infer.py)."""
PACE_S: Mapping[Mode, float] = {"accelerated": 10.0, "normal": 100.0}
"""Seconds a second of video that upstream's accelerated mode takes on an RTX 4090; the normal one calls the denoiser
ten times as often."""
CPU = 400.0
"""So many times slower is a processor; only for its tests with small networks."""

WINDOWS, DECODED = 2, 4
"""Windows in a call of the denoiser without guidance, and frames in one of the decoder, on a card."""
GPU_MB = 12_288
"""Of a card, in MiB, at 768 pixels in float16.

Weights: 860 M parameters of the reference network, 1,300 M of the denoiser with its motion modules, 84 M of the
autoencoder, 10 M of Whisper's encoder and the pose encoder: 4,300. A portrait's keys and values: 100. Encoded hands:
1,024 at most. A window of 12 frames has 110,592 places in the upper level: 68 for each tensor of 320 channels, 540 for
the feed-forward's two halves, 140 and 280 for what the upper blocks join, 500 for what the way down leaves for the way
up: about 1,800, twice for two windows. When they are gone, the decoder's last block holds four tensors of 256 channels
x 768 x 768, 288 each, of a frame: 4,600 for four frames. The CUDA context, libraries' workspaces and what the allocator
can't use take 1,500. Together 4,300 + 100 + 1,024 + 4,600 + 1,500 = 11,500. Guidance adds nothing, since a window is
then computed alone, both halves at once; neither does a clip's length.
"""

SAMPLING = 0.9
"""The share of the work that is done when the decoding begins."""
_REMEDY = "send the message again, or restart the worker if that goes on"


@dataclass(frozen=True)
class _Scene:
    """What a clip is made of."""

    body: Body
    sound: Heard
    poses: Poses
    seed: int


class EchoMimic:
    """EchoMimicV2: half a body that speaks, drawn by diffusion from one picture, the speech and where the hands are.

    A clip is sampled whole, so all speech is read before the first frame; frames are decoded as they are asked for. The
    same speech, avatar and tone give the same frames on one machine.
    """

    name: ClassVar[str] = "echomimic"

    def __init__(self, place: Place) -> None:
        self.watch: Watch = unwatched
        self._place = place
        self._halves = Halves(place.data)
        self._portraits = Portraits()
        self._networks: Networks | None = None
        self._stamp: tuple[int, ...] = ()
        self._interrupted = threading.Event()

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def mode(self) -> str:
        return f"{self._mode}, compiled" if self._place.compile else self._mode

    @property
    def _mode(self) -> Mode:
        return self._place.echomimic

    @property
    def needs(self) -> Needs:
        on_card = self._place.device != "cpu"
        return Needs(
            gpu_mb=GPU_MB if on_card else 0,
            weights=WEIGHTS[self._mode],
            packages=("torch", "diffusers", "transformers", "safetensors"),
            licence="no licence stated",
            patience_s=300.0 if on_card and not self._place.compile else PATIENCE_S,
            pace_s=PACE_S[self._mode] * (1 if on_card else CPU),
        )

    def look(self) -> str:
        try:
            for name in self.needs.weights:
                folder_of(self._place.models, name)
        except ModelMissing as error:
            raise ModelMissing(f"{error}. Without them: SMARTTALKER_VIDEO=musetalk") from error
        return f"EchoMimicV2 ({self.mode}) on {self._place.device}"

    def load(self) -> None:
        """Raises ModelMissing, and VideoError for weights that are broken (naming their keys) or do not fit into
        memory."""
        self._ready()

    def unload(self) -> None:
        """What is known of portraits stays in the machine's memory."""
        if self._networks is not None:
            self._networks = None
            give_back()

    def interrupt(self) -> None:
        """What is sampled or decoded fails at the networks' next call."""
        self._interrupted.set()

    def size(self, canvas: Canvas) -> tuple[int, int]:
        """The networks' own, whatever is asked for: 768 x 768."""
        side = self._side()
        return side, side

    def rate(self, canvas: Canvas) -> int:
        return FPS

    def refuses(self, avatar: Avatar) -> str | None:
        """Without a half-body picture that shows both hands nothing can be drawn, nor with poses that are none."""
        lack = self._halves.lack(avatar)
        if lack is None and avatar.poses.is_file():
            try:
                poses.read_poses(avatar.poses)
            except VideoError as error:
                return str(error)
        return lack

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Frame]:
        """(side, side, 3) each. The hands begin as they are in the half-body picture, and end so, unless the avatar has
        poses of its own. Raises VideoError: exhausted where memory did not suffice for half as much at once either;
        what `refuses` says; for numbers that are not finite in float32 either. What `watch` raises passes."""
        body = self._halves.body(avatar, self._side())
        sound = heard(speech)
        if avatar.poses.is_file():
            moves = poses.own(avatar.poses, sound.frames, self._side())
        else:
            manner = Manner.of(tone, intensity)
            moves = poses.gesturing(body.hands, sound.frames, self._side(), manner, f"{avatar.id} {sound.words}")
        yield from self._film(_Scene(body, sound, moves, _seed(avatar)))

    def idle(self, avatar: Avatar, canvas: Canvas, seconds: float = 6.0) -> Iterator[Frame]:
        """The avatar that waits: round(seconds x rate) frames, the last followed by the first. Raises as `frames`."""
        body = self._halves.body(avatar, self._side())
        sound = silence(max(1, round(seconds * FPS)))
        moves = poses.resting(body.hands, sound.frames, self._side())
        yield from self._film(_Scene(body, sound, moves, _seed(avatar)))

    def _film(self, scene: _Scene) -> Iterator[Frame]:
        networks = self._ready()
        self._interrupted.clear()
        with failing(VideoError, self.name, "while it drew", _REMEDY):
            yield from self._drawn(networks, scene)

    def _drawn(self, networks: Networks, scene: _Scene) -> Iterator[Frame]:
        from worker.engines.video.echomimic.features import Heard
        from worker.engines.video.echomimic.sampler import sample

        self._tell(0.0)
        portrait = self._portraits.of(networks, scene.body)
        sound = Heard.of(networks.whisper, scene.sound.samples, FPS)
        options = self._options(scene.seed)
        latents = sample(networks, portrait, sound, scene.poses, options, lambda share: self._tell(SAMPLING * share))
        give_back()  # torch keeps what sampling freed, in pieces that are too small for the decoder
        for number, frame in enumerate(networks.vae.frames(latents, DECODED), start=1):
            self._tell(SAMPLING + (1 - SAMPLING) * number / len(latents))
            yield frame

    def _options(self, seed: int) -> Options:
        from worker.engines.video.echomimic.sampler import Options

        steps, guidance = STEPS[self._mode]
        several = self._place.device != "cpu" and guidance <= 1.0  # else a window counts twice
        return Options(steps, guidance, batch=WINDOWS if several else 1, seed=seed)

    def _tell(self, share: float) -> None:
        if self._interrupted.is_set():
            raise VideoError("echomimic was interrupted")
        self.watch(share)

    def _ready(self) -> Networks:
        if self._networks is None:
            self._networks = self._opened()
            give_back()  # the copies that loading made
        return self._networks

    def _opened(self) -> Networks:
        folders = [folder_of(self._place.models, name) for name in self.needs.weights]
        stamp = tuple((folder / RECORD).stat().st_mtime_ns for folder in folders)
        if stamp != self._stamp:
            self._portraits.forget()
        remedy = "; ".join(
            f"`smarttalker models verify {name}` tells what is wrong with them" for name in WEIGHTS[self._mode]
        )
        with failing(VideoError, self.name, "while its weights were loaded", remedy):
            from worker.engines.video.echomimic.networks import Networks

            place = self._place
            networks = Networks.open(place.models, device=place.device, mode=self._mode, compile=place.compile)
        self._stamp = stamp
        return networks

    def _side(self) -> int:
        """What the weights say; those that are broken are told of when they are loaded."""
        try:
            return Hidden.of(self._place.models / WEIGHTS[self._mode][0]).side
        except CheckpointError:
            return Hidden().side


def _seed(avatar: Avatar) -> int:
    """An avatar looks the same from turn to turn."""
    return zlib.crc32(avatar.id.encode())
