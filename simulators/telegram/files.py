"""Files on Telegram's side: ids, paths, and what the message objects say about them."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from PIL import Image

from simulators.media import Media, look_at, shrunk

Json = dict[str, Any]

FOLDERS: Final = {
    "voice": ("voice", ".oga"),
    "audio": ("music", ".mp3"),
    "video": ("videos", ".mp4"),
    "video_note": ("video_notes", ".mp4"),
    "animation": ("animations", ".mp4"),
    "photo": ("photos", ".jpg"),
    "sticker": ("stickers", ".webp"),
    "document": ("documents", ""),
    "thumbnail": ("thumbnails", ".jpg"),
}
PHOTO_SIDES: Final = (90, 320, 800, 1280)
"""The longest sides of the sizes that Telegram makes of a photo."""


@dataclass
class TelegramFile:
    """`size` is what Telegram says; `linked_at`: when its path was last given."""

    id: str
    unique_id: str
    kind: str
    data: bytes
    size: int
    mime: str
    name: str
    path: str
    media: Media
    linked_at: float = 0.0
    thumbnail: TelegramFile | None = None

    @property
    def seconds(self) -> int:
        return round(self.media.seconds or 0)

    @property
    def ids(self) -> Json:
        return {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size}


@dataclass
class Files:
    """All files of the bot, by id and by path."""

    _by_id: dict[str, TelegramFile] = field(default_factory=dict)
    _by_path: dict[str, TelegramFile] = field(default_factory=dict)

    def add(self, kind: str, data: bytes, mime: str = "", name: str = "", claimed: int | None = None) -> TelegramFile:
        folder, suffix = FOLDERS[kind]
        media = look_at(data)
        unique = "AgAD" + hashlib.sha256(kind.encode() + data).hexdigest()[:11]
        path = f"{folder}/file_{len(self._by_id)}{suffix or _suffix(name)}"
        size = len(data) if claimed is None else claimed
        mime = mime or media.mime
        made = TelegramFile(f"AwAC{secrets.token_urlsafe(48)}", unique, kind, data, size, mime, name, path, media)
        self._by_id[made.id] = self._by_path[path] = made
        return made

    def by_id(self, id: str) -> TelegramFile | None:
        return self._by_id.get(id)

    def by_path(self, path: str) -> TelegramFile | None:
        return self._by_path.get(path)

    def photo_sizes(self, data: bytes, claimed: int | None = None) -> list[Json]:
        """A photo in all its sizes, smallest first; `claimed` bytes are said of the largest."""
        with Image.open(io.BytesIO(data)) as image:
            longest = max(image.size)
        sides = [side for side in PHOTO_SIDES if side < longest] + [min(longest, PHOTO_SIDES[-1])]
        return [
            self._size(data, side, claimed if last else None)
            for side, last in ((each, each == sides[-1]) for each in dict.fromkeys(sides))
        ]

    def preview(self, data: bytes) -> TelegramFile:
        """A thumbnail that was sent along."""
        return self.add("thumbnail", data, "image/jpeg")

    def _size(self, data: bytes, side: int, claimed: int | None) -> Json:
        small, width, height = shrunk(data, side)
        return self.add("photo", small, "image/jpeg", claimed=claimed).ids | {"width": width, "height": height}


def described(file: TelegramFile, **more: Any) -> Json:
    """The object of the file's kind: Voice, Audio, Video, VideoNote, Document or Sticker."""
    made = file.ids | _KINDS[file.kind](file)
    if file.thumbnail is not None:
        made["thumbnail"] = thumbnail(file.thumbnail)
    return made | {key: value for key, value in more.items() if value is not None}


def thumbnail(file: TelegramFile) -> Json:
    return file.ids | {"width": file.media.width or 0, "height": file.media.height or 0}


def _named(file: TelegramFile) -> Json:
    return {"mime_type": file.mime} | ({"file_name": file.name} if file.name else {})


def _sizes(file: TelegramFile) -> Json:
    return {"width": file.media.width or 0, "height": file.media.height or 0}


_KINDS: Final[dict[str, Callable[[TelegramFile], Json]]] = {
    "voice": lambda file: {"duration": file.seconds, "mime_type": file.mime},
    "audio": lambda file: {"duration": file.seconds, **_named(file)},
    "video": lambda file: {"duration": file.seconds, **_sizes(file), **_named(file)},
    "video_note": lambda file: {"duration": file.seconds, "length": file.media.width or 0},
    "animation": lambda file: {"duration": file.seconds, **_sizes(file), **_named(file)},
    "document": _named,
    "sticker": lambda file: {"type": "regular", "is_animated": False, "is_video": False, **_sizes(file)},
}


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    suffix = name[dot:] if dot > 0 else ""
    return suffix if suffix[1:].isalnum() and len(suffix) < 8 else ""
