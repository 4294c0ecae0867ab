"""Files on their way to Meta: each is uploaded once, however often its message is tried."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from pathlib import Path, PurePosixPath

from bot.channels.whatsapp.graph import Graph
from core.errors import NotFound, Refused
from core.storage import Storage

KEPT = 256
LIVES_S = 3000.0
"""Less than the hour for which numbers without storage keep a file; others keep it for 30 days."""
VOICE, VIDEO = "audio/ogg; codecs=opus", "video/mp4"
"""Meta refuses plain `audio/ogg` for what it is to show as a voice note."""
PICTURES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
MAX_PICTURE = 5_000_000
_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCUMENTS = {
    ".pdf": "application/pdf",
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
}

Key = tuple[str, int, int]


class Uploads:
    """Ids of files by their name in the storage, for this process."""

    def __init__(self, graph: Graph, storage: Storage) -> None:
        self._graph = graph
        self._storage = storage
        self._known: OrderedDict[Key, tuple[str, float]] = OrderedDict()

    async def id_of(self, name: str, mime: str, most_bytes: int) -> str:
        """Raises Refused for a file that is gone or too large, and what `Graph.upload` raises."""
        path, key = self._found(name)
        if not 0 < key[2] <= most_bytes:
            raise Refused(f"a file of {key[2]} bytes, at most {most_bytes} are taken")
        id, until = self._known.get(key, ("", 0.0))
        if until > time.monotonic():
            return id
        data = await asyncio.to_thread(_read, path)
        id = await self._graph.upload(data, mime, f"file{PurePosixPath(name).suffix.lower()}")
        self._known[key] = (id, time.monotonic() + LIVES_S)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return id

    def forget(self, name: str) -> None:
        """Its next message uploads it again."""
        for key in [key for key in self._known if key[0] == name]:
            del self._known[key]

    def _found(self, name: str) -> tuple[Path, Key]:
        try:
            path = self._storage.existing(name)
            facts = path.stat()
        except (NotFound, OSError) as error:
            raise Refused("the file is gone") from error
        return path, (name, facts.st_mtime_ns, facts.st_size)


def document_mime(filename: str) -> str:
    """Of what is not an office format the Cloud API takes text alone."""
    return _DOCUMENTS.get(PurePosixPath(filename).suffix.lower(), "text/plain")


def picture_mime(name: str) -> str | None:
    """None for a picture that WhatsApp can't show."""
    return PICTURES.get(PurePosixPath(name).suffix.lower())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused("the file is gone") from error
