"""The still picture that a messenger shows until a clip plays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import VideoError
from core.storage import storage_errors

SIDE = 320
"""Pixels of the longer side, and at most 200 kB: Telegram's limits; no other platform is stricter."""
QUALITY = 85


def write_thumbnail(path: Path, frame: NDArray[np.uint8]) -> None:
    """JPEG of (h, w, 3) RGB. Raises StorageError, VideoError."""
    height, width = frame.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise VideoError("the thumbnail could not be encoded")
    with storage_errors():
        path.write_bytes(data.tobytes())
