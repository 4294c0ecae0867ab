"""What a file really is, whatever its name and the request say."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import av
from PIL import Image, UnidentifiedImageError

IMAGES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


@dataclass(frozen=True)
class Media:
    """container: `ogg`, `mp4`, `mp3`, `wav`, `webm`, `jpeg`, `png`, `webp`, `gif`, or `` for what is no media.
    Sizes in pixels as stored, seconds of the longest stream, fps of the video."""

    bytes: int
    container: str = ""
    audio_codec: str | None = None
    video_codec: str | None = None
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    audio_streams: int = 0
    sample_rate: int | None = None
    channels: int | None = None
    pixel_format: str | None = None

    @property
    def is_image(self) -> bool:
        return self.container in ("jpeg", "png", "webp", "gif")

    @property
    def is_opus_note(self) -> bool:
        return self.container == "ogg" and self.audio_codec == "opus"

    @property
    def mime(self) -> str:
        if self.is_image:
            return f"image/{self.container}"
        kind = "video" if self.video_codec else "audio"
        name = {"mp3": "mpeg", "": "octet-stream"}.get(self.container, self.container)
        return f"{kind}/{name}" if self.container else "application/octet-stream"


def look_at(data: bytes) -> Media:
    """What `data` is; a `Media` without a container where it is neither picture nor sound nor video."""
    return _image(data) or _streams(data) or Media(len(data))


def _image(data: bytes) -> Media | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.format not in IMAGES:
                return None
            return Media(len(data), container=image.format.lower(), width=image.width, height=image.height)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _streams(data: bytes) -> Media | None:
    if not data:
        return None
    try:
        with av.open(io.BytesIO(data), "r") as container:
            return _described(data, container)
    except (av.FFmpegError, ValueError, IndexError):
        return None


def _described(data: bytes, container: av.container.InputContainer) -> Media | None:
    audio = container.streams.audio[0] if container.streams.audio else None
    video = container.streams.video[0] if container.streams.video else None
    name = _container_name(container.format.name)
    if not name or (audio is None and video is None):
        return None
    return Media(
        bytes=len(data),
        container=name,
        audio_codec=audio.codec_context.codec.canonical_name if audio else None,
        video_codec=video.codec_context.codec.canonical_name if video else None,
        seconds=_seconds(container),
        width=video.codec_context.width if video else None,
        height=video.codec_context.height if video else None,
        audio_streams=len(container.streams.audio),
        sample_rate=audio.codec_context.sample_rate if audio else None,
        channels=audio.codec_context.channels if audio else None,
        pixel_format=video.codec_context.pix_fmt if video else None,
    )


def _container_name(names: str) -> str:
    """FFmpeg names a family (`mov,mp4,m4a,…`); formats that FFmpeg guesses for any bytes are not media."""
    known = {"ogg": "ogg", "mov": "mp4", "mp3": "mp3", "wav": "wav", "matroska": "webm", "aac": "aac", "amr": "amr"}
    return known.get(names.split(",")[0], "")


def _seconds(container: av.container.InputContainer) -> float | None:
    if container.duration:
        return container.duration / av.time_base
    lengths = [float(each.duration * each.time_base) for each in container.streams if each.duration and each.time_base]
    return max(lengths, default=None)


def shrunk(data: bytes, longest: int) -> tuple[bytes, int, int]:
    """A picture as JPEG, no side over `longest`, with its new width and height."""
    with Image.open(io.BytesIO(data)) as image:
        small = image.convert("RGB")
        small.thumbnail((longest, longest))
    drawn = io.BytesIO()
    small.save(drawn, "JPEG", quality=85)
    return drawn.getvalue(), small.width, small.height
