"""Films of avatars that wait, for engines that move the mouth alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core import idling
from core.catalogue import Avatar
from core.errors import NotFound, VideoError
from worker.filming import film

if TYPE_CHECKING:
    from worker.engines.video.base import Canvas


class Grounds:
    """Place.ground: the avatar's idle loop as EchoMimicV2 drew it; where there is none, as the puppet draws it at the
    canvas's size, which takes some seconds the first time."""

    def __init__(self, data_dir: Path) -> None:
        """data_dir: absolute."""
        self._data_dir = data_dir

    def __call__(self, avatar: Avatar, canvas: Canvas) -> Path:
        """An MP4 that joins on to itself. Raises VideoError, StorageError."""
        with suppress(NotFound):
            half = idling.half_loop_of(avatar).path(self._data_dir)
            if half.is_file():
                return half
        return self._of_portrait(avatar, canvas)

    def _of_portrait(self, avatar: Avatar, canvas: Canvas) -> Path:
        try:
            loop = idling.loop_of(avatar, canvas.width, canvas.height)
        except NotFound as error:
            raise VideoError(str(error)) from error
        path = loop.path(self._data_dir)
        if not path.is_file():
            asyncio.run(film(avatar, loop, path))
        return path
