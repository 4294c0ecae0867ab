"""An avatar's half-body picture with what was seen in it, worked out once and kept.

What is found in half.png, or what is lacking, lies in `DATA_DIR/half/<avatar>/<fingerprint of half.png>.npz`, so that
no answer ever waits for the detectors twice; without a DATA_DIR it is remembered as long as the process lives.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from core.catalogue import Avatar, checked_id
from core.errors import ModelMissing, VideoError
from worker.faces.build import read_picture
from worker.faces.half import REASONS, SIDE, Half, Lacking, half_of
from worker.faces.hands import POINTS, Sight
from worker.faces.landmarks import DETECT_S
from worker.faces.mesh import LACK, NO_MODEL
from worker.surroundings import bare

Image = NDArray[np.uint8]

FOLDER = "half"
VERSION = 1
"""Raised when pictures come to be placed or judged otherwise: what is kept is worked out anew."""
PROCESS = "worker.faces.hands"
_FOUND = 16
"""So many finds are remembered by a process that has no DATA_DIR."""


@dataclass(frozen=True)
class Body:
    """picture: (SIDE, SIDE, 3) RGB. hands: (2, 21, 2), 0–1 of it, the one on the viewer's right first. fingerprint: of
    half.png, 16 hexadecimal digits."""

    picture: Image
    hands: NDArray[np.float32]
    fingerprint: str


class Halves:
    """The half-body pictures of avatars. data: DATA_DIR, or None."""

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._known: dict[str, Half | str] = {}

    def lack(self, avatar: Avatar) -> str | None:
        """Why the avatar has no usable half-body picture, in words for the operator; None: it has one."""
        try:
            found = self._found(avatar)
        except (VideoError, ModelMissing) as error:
            return str(error)
        return _sentence(avatar, found) if isinstance(found, str) else None

    def body(self, avatar: Avatar, side: int = SIDE) -> Body:
        """The picture at `side` pixels. Raises VideoError with what `lack` says, ModelMissing without mediapipe."""
        found = self._found(avatar)
        if isinstance(found, str):
            raise VideoError(_sentence(avatar, found), refused=True)
        return Body(found.picture(read_picture(avatar.half), side), found.hands, fingerprint(avatar))

    def _found(self, avatar: Avatar) -> Half | str:
        """What is in half.png, or the reason why it is of no use. Raises VideoError where there is none."""
        mark = fingerprint(avatar)
        if (known := self._known.get(mark)) is not None:
            return known
        path = None if self._data is None else self._data / FOLDER / checked_id(avatar.id, "avatar") / f"{mark}.npz"
        found = _read(path)
        if found is None:
            found = seen_in(read_picture(avatar.half))
            _keep(path, found)
        while len(self._known) >= _FOUND:
            del self._known[next(iter(self._known))]
        self._known[mark] = found
        return found


def fingerprint(avatar: Avatar) -> str:
    """Of half.png. Raises VideoError where it is missing."""
    path = avatar.half
    try:
        state = path.stat()
        return _digest(path, state.st_ino, state.st_mtime_ns, state.st_size)
    except OSError:
        remedy = f"record a half-body picture: smarttalker avatar half {avatar.id} PICTURE"
        raise VideoError(f"the avatar {avatar.id} has no half-body picture: {remedy}", refused=True) from None


@lru_cache(maxsize=256)
def _digest(path: Path, _inode: int, _written_ns: int, _size: int) -> str:
    """Read again when the file was replaced."""
    return hashlib.sha256(f"{VERSION}\n".encode() + path.read_bytes()).hexdigest()[:16]


def _sentence(avatar: Avatar, reason: str) -> str:
    remedy = f"record another: smarttalker avatar half {avatar.id} PICTURE"
    return f"the half-body picture of the avatar {avatar.id} can't be used: {REASONS[reason]}; {remedy}"


def seen_in(rgb: Image) -> Half | str:
    """What is in a half-body picture (h, w, 3), or a key of REASONS; found in a process of its own.

    Raises ModelMissing where mediapipe is not installed, VideoError where the process died.
    """
    with tempfile.TemporaryDirectory(prefix="smarttalker-") as folder:
        picture, target = Path(folder) / "picture.png", Path(folder) / "seen.npz"
        cv2.imwrite(str(picture), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        _look(picture, target)
        try:
            return half_of(Sight.load(target), rgb.shape[1], rgb.shape[0])
        except Lacking as lacking:
            return lacking.reason


def _look(picture: Path, target: Path) -> None:
    command = [sys.executable, "-m", PROCESS, str(picture), str(target)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=DETECT_S, env=bare())
    except subprocess.TimeoutExpired:
        raise VideoError(f"looking for the hands took longer than {DETECT_S:.0f} s") from None
    if done.returncode == NO_MODEL:
        raise ModelMissing(LACK)
    if done.returncode != 0:
        raise VideoError("the process that looks for the hands died")


def _read(path: Path | None) -> Half | str | None:
    """None where nothing is kept, or nothing whole."""
    if path is None:
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            reason, square, hands = str(stored["reason"]), stored["square"], stored["hands"].astype(np.float32)
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return None
    if reason in REASONS:
        return reason
    if reason or square.shape != (3,) or hands.shape != (2, POINTS, 2) or not np.isfinite(hands).all():
        return None
    return Half((int(square[0]), int(square[1]), int(square[2])), hands)


def _keep(path: Path | None, found: Half | str) -> None:
    """Instead of what was kept of pictures before. A disk that is full or read-only costs time, and no answer."""
    if path is None:
        return
    reason, square, hands = (found, (), ()) if isinstance(found, str) else ("", found.square, found.hands)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                np.savez_compressed(file, reason=reason, square=square, hands=hands)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        for other in path.parent.glob("[!.]*.npz"):
            if other != path:
                other.unlink(missing_ok=True)


def forget(data: Path, avatar: str) -> None:
    """Deletes what is kept of an avatar's half-body pictures. Raises NotFound for what is no avatar's id, OSError."""
    with suppress(FileNotFoundError):
        shutil.rmtree(data / FOLDER / checked_id(avatar, "avatar"))
