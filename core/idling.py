"""Where avatars' idle loops are kept: `DATA_DIR/idle/<avatar>/<fingerprint>/`.

A loop is a film of an avatar that waits, a few seconds that join on to themselves. The puppet draws one of the portrait
at any size (`idle-<w>x<h>.mp4`), which the page shows; EchoMimicV2 one of half the body (`echomimic.mp4`), for engines
that move the mouth alone. The fingerprint is that of the files that a loop is drawn from, so a replaced avatar has
loops of its own, and whoever asks for one never meets the old one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterable
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
HALF_ENGINE = "echomimic"
"""What draws loops of half the body."""
SECONDS = 6.0
VERSION = 2
"""Raised when the puppet comes to draw loops otherwise: those that are kept are made anew."""
HALF_VERSION = 1
"""Likewise, of those of half the body."""


@dataclass(frozen=True)
class Loop:
    """One avatar's, drawn by the puppet at one size. fingerprint: 16 hexadecimal digits."""

    avatar: str
    fingerprint: str
    width: int
    height: int

    @property
    def key(self) -> str:
        """What no other loop has."""
        return f"{FOLDER}:{self.avatar}:{self.fingerprint}:{self.width}x{self.height}"

    @property
    def place(self) -> Path:
        """Of the file below DATA_DIR, whether or not it is there. Raises NotFound for what is no avatar's id."""
        return _home(self.avatar) / self.fingerprint / f"idle-{self.width}x{self.height}.mp4"

    def path(self, data_dir: Path) -> Path:
        """Of the file. Raises NotFound for what is no avatar's id."""
        return data_dir / self.place


@dataclass(frozen=True)
class HalfLoop:
    """One avatar's, of half the body, at the size that EchoMimicV2 draws. fingerprint: 16 hexadecimal digits."""

    avatar: str
    fingerprint: str

    @property
    def key(self) -> str:
        """What no other loop has."""
        return f"{FOLDER}:{self.avatar}:{self.fingerprint}:half"

    @property
    def place(self) -> Path:
        """As Loop's."""
        return _home(self.avatar) / self.fingerprint / f"{HALF_ENGINE}.mp4"

    def path(self, data_dir: Path) -> Path:
        """As Loop's."""
        return data_dir / self.place


def _home(avatar: str) -> Path:
    """The folder of one avatar's loops, below DATA_DIR. Raises NotFound for what is no id, and might lie elsewhere."""
    return Path(FOLDER) / checked_id(avatar, "avatar")


def loop_of(avatar: Avatar, width: int = SIZE[0], height: int = SIZE[1]) -> Loop:
    """The loop of the avatar as it is now. Raises NotFound where its portrait or its rig is missing."""
    return Loop(avatar.id, fingerprint(avatar), width, height)


def half_loop_of(avatar: Avatar) -> HalfLoop:
    """The loop of the avatar's half body as it is now. Raises NotFound where it has no picture of that."""
    drawn_from = (avatar.half, *([avatar.poses] if avatar.poses.is_file() else []))
    return HalfLoop(avatar.id, _fingerprint(f"half {HALF_VERSION}", drawn_from))


def fingerprint(avatar: Avatar) -> str:
    """Of the contents of portrait and rig. Raises NotFound where one of them is missing."""
    return _fingerprint(str(VERSION), (avatar.portrait, avatar.rig))


def fingerprints(avatar: Avatar) -> set[str]:
    """Of the loops that show the avatar as it is now."""
    found = set()
    for made in (fingerprint, lambda avatar: half_loop_of(avatar).fingerprint):
        with suppress(NotFound):
            found.add(made(avatar))
    return found


def _fingerprint(version: str, paths: Iterable[Path]) -> str:
    whole = hashlib.sha256(f"{version}\n".encode())
    for path in paths:
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


def forget(data_dir: Path, avatar: str, *, but: Collection[str] = ()) -> None:
    """Deletes an avatar's loops, except those of these fingerprints. Raises NotFound for what is no avatar's id,
    StorageError."""
    home = data_dir / _home(avatar)
    with storage_errors(), suppress(FileNotFoundError):
        for folder in home.iterdir():
            if folder.name not in but:
                shutil.rmtree(folder)
        if not but:
            home.rmdir()
