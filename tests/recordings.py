"""Recordings as people's telephones and browsers make them, for tests."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame

KINDS = {
    "ogg": ("ogg", "libopus", 48_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "m4a": ("ipod", "aac", 44_100),
    "wav": ("wav", "pcm_s16le", 16_000),
    "webm": ("webm", "libopus", 48_000),
    "flac": ("flac", "flac", 48_000),
    "amr": ("amr", "libopencore_amrnb", 8_000),
}
"""Suffix → container, codec, sample rate."""


def can_encode(kind: str) -> bool:
    return KINDS[kind][1] in av.codecs_available


def record(path: Path, seconds: float = 1.0, *, level: float = 0.3, codec: str | None = None) -> Path:
    """A 440 Hz tone of the suffix' kind."""
    container_name, usual, rate = KINDS[path.suffix[1:]]
    with av.open(str(path), "w", format=container_name) as container:
        quick = {"compression_level": "0"} if (codec or usual) == "libopus" else {}
        stream = container.add_stream(codec or usual, rate=rate, options=quick)
        stream.layout = "mono"  # type: ignore[union-attr]
        samples = np.arange(round(seconds * rate))
        tone = (level * 32767 * np.sin(2 * np.pi * 440 * samples / rate)).astype(np.int16)
        for start in range(0, tone.size, 1024):
            frame = AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))  # type: ignore[union-attr]
        container.mux(stream.encode(None))  # type: ignore[union-attr]
    return path


def cut(path: Path, share: float) -> Path:
    """Leaves the first part of a file."""
    data = path.read_bytes()
    path.write_bytes(data[: round(len(data) * share)])
    return path
