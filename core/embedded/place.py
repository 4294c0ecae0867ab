"""Where the embedded servers of one DATA_DIR live, and as whom they run.

As an ordinary user that is `DATA_DIR/servers`. PostgreSQL refuses to run as root, so for root both servers run as the
system user `smarttalker` in `/var/lib/smarttalker/<hash>`, because DATA_DIR may lie in a folder which that user can't
enter. The hash is made of the checkout, of DATA_DIR's path and of a random id kept in DATA_DIR: neither a second
checkout nor a new clone at an old path meets another's cluster; the file `data_dir` there says whose it is. No existing
folder's mode is ever changed.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from core.errors import StorageError, SurroundingsError
from core.settings import HOME

ROOT_HOME = Path("/var/lib/smarttalker")
_SYSTEM_USER = "smarttalker"
_SOCKET_SAFE = re.compile(r"[A-Za-z0-9/_.-]{1,80}\Z")
"""PostgreSQL and Redis take such a folder unquoted; with 80 characters the sockets stay below the limit of 107."""


@dataclass(frozen=True)
class Owner:
    """The user that the servers run as; None: the caller."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []


@dataclass(frozen=True)
class Place:
    """folder: locks, configuration, logs and the servers' own folders. run: the sockets'."""

    folder: Path
    run: Path
    owner: Owner

    def owned(self, path: Path) -> Path:
        """A folder that only the servers' user (and root) can enter, made where it is missing."""
        with storage_errors(path):
            path.mkdir(mode=0o700, exist_ok=True)
            if self.owner.uid is not None and self.owner.gid is not None:
                os.chown(path, self.owner.uid, self.owner.gid)
        return path

    def remove(self) -> None:
        """Deletes everything; the servers must have been stopped."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.run, ignore_errors=True)


class storage_errors:  # noqa: N801 - a context manager reads as a word
    """Turns an OSError into a StorageError of one line that names the path."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, OSError):
            raise StorageError(f"{error.filename or self._path}: {error.strerror}; see SMARTTALKER_DATA_DIR") from error


def find_place(data_dir: Path) -> Place:
    """Makes the folders. Raises StorageError."""
    data_dir = data_dir.absolute()
    with storage_errors(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        data_dir = data_dir.resolve()
        place = _root_place(data_dir) if os.geteuid() == 0 else _user_place(data_dir)
        place.owned(place.run)
    return place


def _user_place(data_dir: Path) -> Place:
    folder = data_dir / "servers"
    folder.mkdir(mode=0o700, exist_ok=True)
    run = folder / "run"
    if not _SOCKET_SAFE.match(str(run)):
        run = _private_tmp() / _digest(str(data_dir))
    return Place(folder, run, Owner())


def _root_place(data_dir: Path) -> Place:
    _open_folder(ROOT_HOME)
    folder = ROOT_HOME / _digest(str(HOME), str(data_dir), _identity(data_dir))
    _open_folder(folder)
    (folder / "data_dir").write_text(f"{data_dir}\n", encoding="utf-8", errors="surrogateescape")
    return Place(folder, folder / "run", _system_owner())


def _open_folder(path: Path) -> None:
    """A folder of ours that the servers' user may pass through, whatever the umask was."""
    try:
        path.mkdir(mode=0o755)
    except FileExistsError:
        return
    path.chmod(0o755)


def _private_tmp() -> Path:
    """The caller's own folder below /tmp, for sockets whose path would be too long elsewhere."""
    path = Path(f"/tmp/smarttalker-{os.getuid()}")  # noqa: S108 - owner and mode are checked
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if path.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise StorageError(f"{path} belongs to someone else or is open to others: remove it")
    return path


def _identity(data_dir: Path) -> str:
    path = data_dir / "servers.id"
    if not path.exists():
        temporary = path.with_suffix(f".{secrets.token_hex(4)}")
        temporary.write_text(secrets.token_hex(8))
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            pass  # another process was first: its id is the one
        finally:
            temporary.unlink()
    return path.read_text()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _system_owner() -> Owner:
    """The system user, made where it is missing; `nobody` where none can be made."""
    for attempt in (_SYSTEM_USER, None, _SYSTEM_USER, "nobody"):
        if attempt is None:
            _add_system_user()
            continue
        try:
            entry = pwd.getpwnam(attempt)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid)
    raise SurroundingsError("PostgreSQL can't run as root and there is no other user: set SMARTTALKER_DATABASE_URL")


def _add_system_user() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
        subprocess.run([useradd, *options, _SYSTEM_USER], capture_output=True, check=False)
