"""The platform's files: what the bot uploads and what people send, their links and their end."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final

from simulators.clock import Clock
from simulators.media import Media, look_at
from simulators.whatsapp.config import Limits
from simulators.whatsapp.errors import GraphError, invalid, no_object

MB: Final = 1_000_000
AUDIO: Final = frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/opus"})
IMAGE: Final = frozenset({"image/jpeg", "image/png"})
VIDEO: Final = frozenset({"video/mp4", "video/3gpp", "video/3gp"})
STICKER: Final = frozenset({"image/webp"})
OFFICE: Final = "application/vnd.openxmlformats-officedocument."
DOCUMENT: Final = frozenset(
    {
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        f"{OFFICE}wordprocessingml.document",
        f"{OFFICE}spreadsheetml.sheet",
        f"{OFFICE}presentationml.presentation",
    }
)
"""Meta, "Media": supported types. The bytes are checked when a message uses the file."""
LARGEST: Final = {"audio": 16 * MB, "video": 16 * MB, "image": 5 * MB, "sticker": 500_000, "document": 100 * MB}
FAMILIES: Final = {"audio": AUDIO, "video": VIDEO, "image": IMAGE, "sticker": STICKER, "document": DOCUMENT}


@dataclass(frozen=True)
class Asset:
    """One file. `uploaded`: by the bot, not sent by a person. `claimed`: the size that the platform tells."""

    id: str
    data: bytes
    mime: str
    look: Media
    uploaded: bool
    expires_at: float
    claimed: int

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.data).digest()

    def in_message(self) -> dict[str, Any]:
        """The fields that a webhook has of it."""
        return {"mime_type": self.mime, "sha256": base64.b64encode(self.digest).decode(), "id": self.id}

    def described(self, url: str) -> dict[str, Any]:
        """The answer to `GET /{media}`."""
        told = {"mime_type": self.mime, "sha256": self.digest.hex(), "file_size": self.claimed, "id": self.id}
        return {"url": url, **told, "messaging_product": "whatsapp"}


class Library:
    """Files by id, and links by their `hash`."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._assets: dict[str, Asset] = {}
        self._links: dict[str, tuple[str, float]] = {}

    def upload(self, data: bytes, declared: str) -> Asset:
        """Raises GraphError 100 for a type that is not taken, 131053 for a file that is empty or too large."""
        mime = declared.split(";")[0].strip().lower()
        family = next((name for name, mimes in FAMILIES.items() if mime in mimes), None)
        if family is None:
            known = ", ".join(sorted(frozenset().union(*FAMILIES.values())))
            raise invalid(
                f"Param file must be a file with one of the following types: {known}. Received file of type '{mime}'."
            )
        if not data or len(data) > LARGEST[family]:
            raise GraphError(131053, f"A file of {len(data)} bytes; 1 to {LARGEST[family]} are taken for {family}")
        return self._put(data, mime, uploaded=True, lives_s=self._limits.upload_s)

    def receive(self, data: bytes, mime: str, claimed: int | None = None) -> Asset:
        """A file that a person sent."""
        return self._put(data, mime, uploaded=False, lives_s=self._limits.inbound_s, claimed=claimed)

    def get(self, id: str, method: str = "GET") -> Asset:
        """Raises GraphError 100/33 where there is none (any more)."""
        asset = self._assets.get(id)
        if asset is None or asset.expires_at <= self._clock.now():
            raise no_object(id, method)
        return asset

    def has(self, id: str) -> bool:
        return id in self._assets

    def delete(self, id: str) -> None:
        """Raises GraphError 100/33."""
        self.get(id, "DELETE")
        del self._assets[id]

    def link(self, asset: Asset) -> dict[str, str]:
        """The query of a link that lives five minutes."""
        word, until = secrets.token_urlsafe(24), self._clock.now() + self._limits.media_link_s
        self._links[word] = (asset.id, until)
        return {"mid": asset.id, "ext": str(int(until)), "hash": word}

    def follow(self, word: str) -> Asset | None:
        """None where the link is unknown or over, or its file is gone."""
        id, until = self._links.get(word, ("", 0.0))
        asset = self._assets.get(id)
        return asset if asset and min(until, asset.expires_at) > self._clock.now() else None

    def _put(self, data: bytes, mime: str, *, uploaded: bool, lives_s: float, claimed: int | None = None) -> Asset:
        id, ends = str(10**14 + secrets.randbelow(9 * 10**14)), self._clock.now() + lives_s
        self._assets[id] = Asset(id, data, mime, look_at(data), uploaded, ends, claimed or len(data))
        return self._assets[id]


def unfit(kind: str, asset: Asset, *, voice: bool = False) -> str | None:
    """Why a file can't be sent as audio, video, image, sticker or document; None where it can."""
    look = asset.look
    if kind == "document":
        return None
    if asset.mime not in FAMILIES[kind]:
        return f"Unsupported {kind} mime type {asset.mime}. Please use one of {', '.join(sorted(FAMILIES[kind]))}"
    if kind == "audio":
        return _unfit_audio(asset.mime, look, voice)
    if kind == "video":
        return _unfit_video(look)
    return _unfit_sticker(look) if kind == "sticker" else _unfit_image(asset.mime, look)


def _unfit_audio(mime: str, look: Media, voice: bool) -> str | None:
    if look.video_codec or not look.audio_codec:
        return "The file holds no audio, or more than audio"
    if (mime in ("audio/ogg", "audio/opus") or voice) and not (look.is_opus_note and look.channels == 1):
        return f"Ogg must be Opus, mono; got {look.container} {look.audio_codec}, {look.channels} channels"
    container = {"audio/mpeg": "mp3", "audio/mp4": "mp4", "audio/aac": "aac", "audio/amr": "amr"}.get(mime, "ogg")
    return None if look.container == container else f"{mime} was declared, the file is {look.container or 'unknown'}"


def _unfit_video(look: Media) -> str | None:
    if look.container != "mp4" or look.video_codec != "h264":
        return f"Only H.264 in MP4 or 3GPP is taken; got {look.container or 'unknown'} {look.video_codec}"
    if look.audio_streams > 1 or look.audio_codec not in (None, "aac"):
        return f"One AAC stream or none is taken; got {look.audio_streams} of {look.audio_codec}"
    if look.pixel_format not in ("yuv420p", "yuvj420p"):
        return f"Only 4:2:0 of 8 bits is played everywhere; got {look.pixel_format}"
    return None


def _unfit_image(mime: str, look: Media) -> str | None:
    return None if look.mime == mime else f"{mime} was declared, the file is {look.mime}"


def _unfit_sticker(look: Media) -> str | None:
    if look.container != "webp" or (look.width, look.height) != (512, 512):
        return f"A sticker is WebP of 512 x 512 pixels; got {look.container} {look.width} x {look.height}"
    return None
