"""Where avatars' idle loops are kept: `DATA_DIR/idle/<avatar>/<fingerprint>/idle-<w>x<h>.mp4`.

A loop is a film of an avatar that waits, a few seconds that join on to themselves. The fingerprint is that of the
portrait and the rig, so a replaced avatar has a loop of its own, and whoever asks for it never meets the old one.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.catalogue import Avatar, checked_id
from core.errors import NotFound
from core.storage import storage_errors

FOLDER = "idle"
SIZE = (512, 512)
"""Pixels of the loop that the page shows."""
FPS = 25
SECONDS = 6.0
VERSION = 2
"""Raised when loops come to be drawn otherwise: those that are kept are made anew."""


@dataclass(frozen=True)
class Loop:
    """One avatar's, at one size. fingerprint: 16 hexadecimal digits."""

    avatar: str
    fingerprint: str
    width: int
    height: int

    @property
    def key(self) -> str:
        """What no other loop has."""
        return f"{FOLDER}:{self.avatar}:{self.fingerprint}:{self.width}x{self.height}"

    def path(self, data_dir: Path) -> Path:
        """Of the file, whether or not it is there. Raises NotFound for what is no avatar's id."""
        return _home(data_dir, self.avatar) / self.fingerprint / f"idle-{self.width}x{self.height}.mp4"


def _home(data_dir: Path, avatar: str) -> Path:
    """The folder of one avatar's loops. Raises NotFound for what is no id, and might lie elsewhere."""
    return data_dir / FOLDER / checked_id(avatar, "avatar")


def loop_of(avatar: Avatar, width: int = SIZE[0], height: int = SIZE[1]) -> Loop:
    """The loop of the avatar as it is now. Raises NotFound where its portrait or its rig is missing."""
    return Loop(avatar.id, fingerprint(avatar), width, height)


def fingerprint(avatar: Avatar) -> str:
    """Of the contents of portrait and rig. Raises NotFound where one of them is missing."""
    whole = hashlib.sha256(f"{VERSION}\n".encode())
    for path in (avatar.portrait, avatar.rig):
        try:
            state = path.stat()
            whole.update(_digest(path, state.st_ino, state.st_mtime_ns, state.st_size))
        except OSError:
            raise NotFound(f"{path} is missing: an avatar without it has no idle loop") from None
    return whole.hexdigest()[:16]


@lru_cache(maxsize=256)
def _digest(path: Path, _inode: int, _written_ns: int, _size: int) -> bytes:
    """Read again when the file was replaced."""
    return hashlib.sha256(path.read_bytes()).digest()


def forget(data_dir: Path, avatar: str, *, but: Loop | None = None) -> None:
    """Deletes an avatar's loops, except those of the portrait and the rig that `but` was made of. Raises NotFound for
    what is no avatar's id, StorageError."""
    home = _home(data_dir, avatar)
    with storage_errors(), suppress(FileNotFoundError):
        for folder in home.iterdir():
            if but is None or folder.name != but.fingerprint:
                shutil.rmtree(folder)
        if but is None:
            home.rmdir()
