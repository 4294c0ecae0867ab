"""Idle loops: an avatar that waits, drawn by the puppet; shown by the page, and a ground for engines that move the
mouth alone.

`python -m worker.idling FOLDER FILE WIDTH HEIGHT` is the process that writes one, started by `worker.tasks.idle`: it
limits its own memory and time, knows neither settings nor secrets, and prints one JSON object, {"bytes"} or {"failed"}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from core.catalogue import Avatar
from core.errors import StorageError, VideoError
from core.idling import FPS, SECONDS
from worker.confined import confine
from worker.engines.video.base import Canvas
from worker.engines.video.puppet import Puppet
from worker.guard import failing_as
from worker.looping import write_looping
from worker.media import Clip


def write_loop(avatar: Avatar, path: Path, width: int, height: int) -> Clip:
    """Whole or not at all, and the same bytes each time. width, height: even. Raises VideoError, StorageError."""
    puppet = Puppet()
    puppet.load()
    with failing_as(VideoError, puppet.name):
        pictures = puppet.idle(avatar, Canvas(width, height, FPS), SECONDS)
        return write_looping(path, pictures, round(SECONDS * FPS), width, height, FPS)


def main(folder: str, file: str, width: str, height: str) -> int:
    confine()
    home = Path(folder)
    try:
        clip = write_loop(Avatar(home.name, {}, "", home), Path(file), int(width), int(height))
        answer: dict[str, object] = {"bytes": clip.bytes}
    except StorageError:
        answer = {"failed": "storage"}
    except (VideoError, MemoryError) as error:
        answer = {"failed": str(error) or type(error).__name__}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
