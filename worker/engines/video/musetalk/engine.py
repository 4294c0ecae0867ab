"""The engine `musetalk`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import cv2

from core import idling
from core.catalogue import Avatar
from core.errors import NotFound, VideoError
from core.kinds import Tone
from core.weights.folder import folder_of
from worker.engines.base import Needs, Place
from worker.engines.tts.base import Speech
from worker.engines.video.base import Canvas, Planes, Watch, unwatched
from worker.engines.video.musetalk.clip import Clip, Ground
from worker.engines.video.musetalk.features import FPS
from worker.engines.video.musetalk.ground import Film, read_film
from worker.engines.video.musetalk.keeping import Keeper, fingerprint
from worker.engines.video.musetalk.networks import WEIGHTS, Networks
from worker.engines.video.musetalk.preparing import Prepared, prepared
from worker.faces.tracking import Found, Tracker
from worker.networks.compiling import PATIENCE_S
from worker.networks.failing import failing
from worker.networks.memory import give_back

_GPU_MB = 4096
_GROUNDS = 2
"""Films that are kept in memory: 1.5 bytes a pixel and frame, 60 MB of 512² and 260 MB of 1080² for six seconds."""
_TRACKS = 8
"""Films whose faces are remembered, half a megabyte each."""


class MuseTalk:
    """MuseTalk 1.5: the mouth of a film of the avatar, redrawn to the speech at 25 frames a second.

    Tone and intensity change nothing: the film's face is at rest. What is worked out of a film is kept beside the
    avatar's idle loops, so that only its first answer waits for it.
    """

    name: ClassVar[str] = "musetalk"

    def __init__(self, place: Place) -> None:
        self._place = place
        self._networks: Networks | None = None
        self._grounds: OrderedDict[tuple[Any, ...], Ground] = OrderedDict()
        self._found: dict[tuple[Any, ...], Found] = {}
        self._tracker = Tracker()
        self.watch: Watch = unwatched

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        return Needs(
            gpu_mb=_GPU_MB if self._place.device != "cpu" else 0,
            weights=WEIGHTS,
            packages=("torch", "diffusers", "transformers", "safetensors"),
            licence="MIT",
            patience_s=PATIENCE_S if self._place.compile else 300.0,
            pace_s=0.8,
        )

    def look(self) -> str:
        for name in self.needs.weights:
            folder_of(self._place.models, name)
        return f"MuseTalk 1.5 on {self._place.device}"

    def load(self) -> None:
        """Raises ModelMissing, and VideoError for weights that are broken or do not fit into memory. OpenCV works in
        the calling thread alone from now on: what it does to a face is too little to be shared out."""
        cv2.setNumThreads(1)
        self._ready()

    def unload(self) -> None:
        self._grounds.clear()
        if self._networks is not None:
            self._networks = None
            give_back()

    def interrupt(self) -> None:
        """The search for the face ends; all else gives frames often enough to be closed."""
        self._tracker.stop()

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return (canvas.width, canvas.height)

    def rate(self, canvas: Canvas) -> int:
        return FPS

    def refuses(self, avatar: Avatar) -> str | None:
        """Where no film of the avatar can be had, or an earlier one showed no face."""
        if self._place.ground is None:
            return "there is no film of an avatar whose mouth could be moved"
        try:
            keeper = self._keeper(avatar)
        except NotFound as error:
            return str(error)
        if keeper.faceless:
            return "no face was found in the film of the avatar"
        return None

    def frames(
        self,
        speech: Iterable[Speech],
        *,
        avatar: Avatar,
        canvas: Canvas,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
    ) -> Iterator[Planes]:
        """The first and the last frame are the film's own; as far as the speech allows the last is the film's first,
        at rest. Raises VideoError, and what `speech`, the Place's ground and the watch raise."""
        with failing(VideoError, self.name, "while it drew", "restart the worker if that goes on"):
            networks = self._ready()
            yield from Clip(networks, self._ground(networks, avatar, canvas)).frames(speech)

    def _ready(self) -> Networks:
        if self._networks is None:
            remedy = "; ".join(f"`smarttalker models verify {name}` tells what is wrong with them" for name in WEIGHTS)
            with failing(VideoError, self.name, "while its weights were loaded", remedy):
                place = self._place
                self._networks = Networks.open(place.models, place.device, compile=place.compile)
            give_back()  # the copies that loading made
        return self._networks

    def _ground(self, networks: Networks, avatar: Avatar, canvas: Canvas) -> Ground:
        if self._place.ground is None:
            raise VideoError(f"{self.name}: no film of {avatar.id} is to be had", refused=True)
        path = self._place.ground(avatar, canvas)
        key = (*_state(path), canvas.width, canvas.height)
        if key not in self._grounds:
            film = read_film(path, canvas.width, canvas.height)
            self._grounds[key] = Ground(film, self._prepared(networks, avatar, path, film))
        self._grounds.move_to_end(key)
        while len(self._grounds) > _GROUNDS:
            self._grounds.popitem(last=False)
        return self._grounds[key]

    def _prepared(self, networks: Networks, avatar: Avatar, path: Path, film: Film) -> Prepared:
        keeper = self._keeper(avatar)
        key = fingerprint(path, film.size, networks.side, folder_of(self._place.models, WEIGHTS[1]))
        kept = keeper.load(key, film)
        if kept is not None:
            return kept
        self.watch(0.0)
        try:
            made = prepared(film, self._tracks(path), networks.side, networks.latents, self.watch)
        except VideoError as error:
            if error.permanent:
                keeper.remember_faceless()
            raise
        keeper.save(key, made)
        return made

    def _keeper(self, avatar: Avatar) -> Keeper:
        """Beside the idle loop that is the ground: half the body's where that was drawn, so that what an earlier
        portrait's film lacked counts no more. Raises NotFound where its pictures are missing."""
        if self._place.data is None:
            return Keeper(None)
        with suppress(NotFound):
            half = idling.half_loop_of(avatar).path(self._place.data)
            if half.is_file():
                return Keeper(half.parent)
        return Keeper(idling.loop_of(avatar).path(self._place.data).parent)

    def _tracks(self, path: Path) -> Found:
        """Of a film that is wanted at several sizes the face is looked for once."""
        state = _state(path)
        if state not in self._found:
            self._found[state] = self._tracker.track(path)
        while len(self._found) > _TRACKS:
            self._found.pop(next(iter(self._found)))
        return self._found[state]


def _state(path: Path) -> tuple[Any, ...]:
    """What changes when the file is replaced. Raises VideoError."""
    try:
        state = path.stat()
    except OSError as error:
        raise VideoError(f"{path}: {error.strerror}") from error
    return str(path), state.st_ino, state.st_mtime_ns, state.st_size
