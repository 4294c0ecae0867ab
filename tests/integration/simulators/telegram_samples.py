"""Small media files of every kind that the Bot API takes."""

from __future__ import annotations

import functools
import io
import tempfile
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from tests.recordings import record


@functools.cache
def voice(seconds: float = 1.0, kind: str = "ogg") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return record(Path(folder) / f"voice.{kind}", seconds).read_bytes()


@functools.cache
def video(width: int = 64, height: int = 64, seconds: float = 1.0, codec: str = "libx264", kind: str = "mp4") -> bytes:
    written = io.BytesIO()
    with av.open(written, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"  # type: ignore[union-attr]
        grey = np.full((height, width, 3), 90, np.uint8)
        for _ in range(round(seconds * 10)):
            container.mux(stream.encode(VideoFrame.from_ndarray(grey, format="rgb24")))  # type: ignore[union-attr]
        container.mux(stream.encode(None))  # type: ignore[union-attr]
    return written.getvalue()


@functools.cache
def picture(width: int = 200, height: int = 200, kind: str = "JPEG") -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (width, height), (30, 90, 160)).save(drawn, kind)
    return drawn.getvalue()
