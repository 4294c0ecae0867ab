"""Whether a video is one: both streams decode to their end, and end together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import VideoError


@dataclass(frozen=True)
class Film:
    """What was decoded: seconds of picture and of sound, frames, frames a second, pixels, bytes on the disk."""

    picture_s: float
    sound_s: float
    frames: int
    fps: float
    width: int
    height: int
    bytes: int


def examine(path: Path) -> Film:
    """Decodes everything. Raises VideoError where a stream lacks, does not decode, or the two differ by more than
    a frame."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.video or not container.streams.audio:
                raise VideoError(f"{path}: sound or picture is missing")
            film = _decoded(container, path.stat().st_size)
    except (av.FFmpegError, OSError) as error:
        raise VideoError(f"{path} does not play: {error}") from error
    if abs(film.picture_s - film.sound_s) > 1 / film.fps:
        raise VideoError(f"{path}: {film.picture_s:.3f} s of picture and {film.sound_s:.3f} s of sound")
    return film


def _decoded(container: Any, size: int) -> Film:
    """Sound ends where its last frame ends; an edit list takes the encoder's priming off its start."""
    picture, sound = container.streams.video[0], container.streams.audio[0]
    frames, sound_end = 0, 0.0
    for frame in container.decode(picture, sound):
        if frame.__class__.__name__ == "VideoFrame":
            frames += 1
        else:
            sound_end = max(sound_end, float(frame.pts * frame.time_base) + frame.samples / frame.sample_rate)
    if not frames or not sound_end:
        raise VideoError("nothing to see or nothing to hear")
    fps = float(picture.average_rate)
    declared = float(sound.duration * sound.time_base) if sound.duration else sound_end
    return Film(frames / fps, min(sound_end, declared), frames, fps, picture.width, picture.height, size)
