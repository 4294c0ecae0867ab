"""A clip that is too large for its channel, encoded again at the bit rate that fits: smaller, never refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from core.errors import VideoError
from core.storage import storage_errors

SOUND_BPS = 48_000
OVERHEAD_BPS = 6_000
"""What the container takes, at 25 frames a second."""
LEAST_BPS = 24_000
"""Of picture: below it nothing can be recognised, whatever the size."""
MARGIN = 0.94
TRIES = 4


def fit(path: Path, max_bytes: int) -> int:
    """Replaces the MP4 by one of at most max_bytes, of the same pixels, frames and seconds; its bytes.

    Raises VideoError where even the least bit rate does not fit, StorageError.
    """
    if (size := path.stat().st_size) <= max_bytes:
        return size
    seconds = _seconds(path)
    share = MARGIN
    for _ in range(TRIES):
        rate = int(share * max_bytes * 8 / seconds) - SOUND_BPS - OVERHEAD_BPS
        if rate < LEAST_BPS:
            break
        size = _encode(path, rate)
        if size <= max_bytes:
            return size
        share *= 0.95 * max_bytes / size
    raise VideoError(f"{seconds:.0f} s of video do not fit into {max_bytes} bytes")


def _seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return max(float(container.duration or 0) / 1_000_000, 0.1)


def _encode(path: Path, rate: int) -> int:
    """The original stays until the new one is whole; one that is still too large replaces nothing."""
    part = path.with_name(f".{path.name}.fit")
    try:
        with storage_errors():
            _transcode(path, part, rate)
            size = part.stat().st_size
            if size < path.stat().st_size:
                part.replace(path)
        return size
    except av.FFmpegError as error:
        raise VideoError(f"the clip could not be encoded again: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _transcode(source: Path, target: Path, rate: int) -> None:
    options = {"movflags": "+faststart"}
    with av.open(str(source)) as old, av.open(str(target), "w", format="mp4", options=options) as new:
        new.metadata.update(old.metadata)
        picture, sound = old.streams.video[0], old.streams.audio[0]
        video: Any = new.add_stream("libx264", rate=picture.average_rate, options=_x264(rate))
        video.width, video.height, video.pix_fmt = picture.width, picture.height, "yuv420p"
        context = picture.codec_context
        video.color_primaries, video.color_trc = context.color_primaries, context.color_trc
        video.colorspace, video.color_range = context.colorspace, context.color_range
        audio: Any = new.add_stream("aac", rate=sound.rate, layout="mono", bit_rate=SOUND_BPS)
        for frame in old.decode(picture, sound):
            if isinstance(frame, av.VideoFrame):
                frame.pict_type = 0
                new.mux(video.encode(frame))
            else:
                new.mux(audio.encode(frame))
        new.mux(video.encode(None))
        new.mux(audio.encode(None))


def _x264(rate: int) -> dict[str, str]:
    """maxrate and bufsize keep even short clips below their share."""
    return {
        "preset": "veryfast",
        "profile": "main",
        "b": str(rate),
        "maxrate": str(rate),
        "bufsize": str(2 * rate),
        "g": "100",
    }
