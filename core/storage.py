"""Files below DATA_DIR's media folder, and signed links to them.

A name is a path below that folder, `<turn or upload id>/<fence>/<file>`; it is what the database keeps.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.errors import NotFound, StorageError

LINK_S = 24 * 3600
"""How long a link serves at least."""
_STEP_S = 3600
"""Links expire on the hour, so that the same file has the same link for an hour (and a page need not load it again)."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}
_NO_ROOM |= {errno.ENOTDIR, errno.EISDIR, errno.EEXIST}
"""The last three: something else lies where a folder or a file should."""


class Storage:
    """One folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        """Where a name lies; raises NotFound for any that is not below the folder (`..`, absolute, a link outside)."""
        pure = PurePosixPath(name)
        if not name or "\0" in name or "\\" in name or pure.is_absolute() or ".." in pure.parts:
            raise NotFound("no such file")
        root = self.root.resolve()
        path = (root / pure).resolve()
        if root not in path.parents:
            raise NotFound("no such file")
        return path

    def existing(self, name: str) -> Path:
        """path() of a file that is there; raises NotFound."""
        path = self.path(name)
        try:
            there = path.is_file()
        except OSError:  # a name that is too long, a folder that must not be read
            there = False
        if not there:
            raise NotFound("no such file")
        return path

    def name(self, path: Path) -> str:
        """The name of a file below the folder: path()'s reverse."""
        return path.resolve().relative_to(self.root.resolve()).as_posix()

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A draft beside the target, renamed to it at the end of the block; gone on error. Raises StorageError."""
        target = self.path(name)
        with storage_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            try:
                yield draft
                draft.replace(target)
            finally:
                with contextlib.suppress(OSError):
                    draft.unlink()

    def write(self, name: str, data: bytes) -> Path:
        """Whole or not at all. Raises StorageError."""
        with self.writing(name) as draft:
            draft.write_bytes(data)
        return self.path(name)

    def remove(self, name: str) -> None:
        """A file or a folder with all that is in it; one that is not there is no error."""
        path = self.path(name)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """A full, read-only or forbidden disk as StorageError; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StorageError(f"a file could not be written: {os.strerror(error.errno or 0)}") from error
        raise


def expiry(now: float | None = None) -> int:
    """The Unix time until which a link made now serves."""
    return int(((time.time() if now is None else now) + LINK_S) // _STEP_S + 1) * _STEP_S


def sign(name: str, key: bytes, expires: int) -> str:
    """The query of a link: `expires=…&signature=…`, HMAC-SHA256 over both name and time."""
    return f"expires={expires}&signature={_signature(name, key, expires)}"


def verify(name: str, key: bytes, expires: str, signature: str, now: float | None = None) -> bool:
    """False for a link that has expired or was not made with this key; compares in constant time."""
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()):
        return False
    right = hmac.compare_digest(_signature(name, key, int(expires)), signature)
    return right and int(expires) >= (time.time() if now is None else now)


def _signature(name: str, key: bytes, expires: int) -> str:
    return hmac.new(key, f"{expires}\n{name}".encode(), hashlib.sha256).hexdigest()
