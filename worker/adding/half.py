"""The process that makes an avatar's half-body picture, started by `worker.adding.avatar`:
`python -m worker.adding.half PICTURE FILE`.

Like `worker.adding.rigging` it limits itself before it opens the picture. It writes FILE, a PNG of SIDE x SIDE, and
prints one JSON object: {"hands": 2} or {"reason"} or {"failed"}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2

from worker.adding.picture import Image, open_photo
from worker.adding.refused import Refused
from worker.confined import confine
from worker.faces import half as halves
from worker.faces.hands import look

FILE = "half.png"


def squared(rgb: Image) -> Image:
    """Half a body, placed as EchoMimicV2 needs it: (SIDE, SIDE, 3). Raises Refused with a key of half.REASONS."""
    try:
        return halves.half_of(look(rgb), rgb.shape[1], rgb.shape[0]).picture(rgb)
    except halves.Lacking as lacking:
        raise Refused(lacking.reason) from lacking


def write(path: Path, rgb: Image) -> None:
    """Raises OSError."""
    if not cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)):
        raise OSError(path.name)


def main(picture: str, file: str) -> int:
    confine()
    cv2.setNumThreads(1)
    answer: dict[str, object] = {"hands": 2}
    try:
        write(Path(file), squared(open_photo(Path(picture))))
    except Refused as refused:
        answer = {"reason": refused.reason}
    except ImportError:
        answer = {"reason": "no_model"}
    except MemoryError:
        answer = {"reason": "too_large"}
    except OSError:
        answer = {"failed": "storage"}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
