"""A Python environment of an engine's own, `models/<name>/venv/`, built from a lock by uv, else by pip.

It is built in its place, since its scripts hold that path; the folder's record, written last, says that it is whole.
Where packages come from is told by uv's and pip's own settings (UV_INDEX_URL, PIP_INDEX_URL …).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import ConfigurationError, StorageError
from core.settings import HOME
from core.weights.fetching import Progress, SourceAway, State, Way, WeightsWrong
from core.weights.folder import Record, folder_of, hashed
from core.weights.kept import InFolder
from core.weights.manifest import Environment, Weights
from core.weights.packages import Packages
from core.weights.programs import followed, last_words, run

UV = HOME / ".venv" / "tools" / "bin" / "uv"
_VENV = "venv"
_KNOWN = ("3.11", "3.12")
"""What the locks are resolved for; the checkout itself runs on one of them."""
_IMPORTS = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as error:
        sys.exit(f"{name}: {type(error).__name__}: {error}")
"""
_INSTALLED_IN_S = 7200.0
_IMPORTED_IN_S = 600.0
_WRONG = ("hash mismatch", "do not match the hashes", "--require-hashes")
"""What uv and pip say of packages that are not those of the lock."""
_FULL = "No space left on device"


def interpreter(models: Path, name: str) -> Path:
    """The Python of a whole environment. Raises ModelMissing as folder_of."""
    return python_in(folder_of(models, name))


def python_in(folder: Path) -> Path:
    """Of an entry's folder; it need not be there."""
    return folder / _VENV / "bin" / "python"


class EnvironmentFetcher(InFolder):
    """home: the lock's path starts here. uv: the program; where it is not there, pip does the same more slowly.

    offline: `<offline>/<name>/`, a folder of packages as `pip download` makes it. A mirror of weights has no packages
    and is not asked.
    """

    def __init__(self, weights: Weights, way: Way, *, home: Path = HOME, uv: Path = UV) -> None:
        super().__init__(weights, way)
        if not isinstance(weights.source, Environment):
            raise TypeError(f"{weights.name} is no environment")
        self._source: Environment = weights.source
        self._lock = home / self._source.lock
        self._uv = uv

    @property
    def revision(self) -> str:
        """The lock's digest. Raises ConfigurationError."""
        try:
            return f"lock-{hashlib.sha256(self._lock.read_bytes()).hexdigest()}"
        except OSError as error:
            raise ConfigurationError(f"{self._lock} can't be read: {error.strerror}") from error

    def size(self) -> int:
        return 0 if self.state() is State.HERE else self.weights.bytes or 0

    def fetch(self, progress: Progress) -> Record:
        revision = self.revision
        packages = self._packages()
        try:
            self._make(progress)
            self._install(packages, progress)
            if lack := self._lack():
                raise WeightsWrong(f"{self.weights.name}: {lack}")
            return Record(revision, (hashed(self.folder, f"{_VENV}/pyvenv.cfg"),))
        except OSError as error:
            raise StorageError(f"{self.folder}: {error.strerror or error}") from error

    def verify(self, progress: Progress) -> list[str]:
        wrong = super().verify(progress)
        progress.begin(f"{self.weights.name}: imports", None)
        lack = self._lack()
        return [*wrong, f"{self.weights.name}: {lack}"] if lack else wrong

    def _packages(self) -> list[str]:
        """Where they come from, for uv and pip alike. Raises ConfigurationError."""
        if self.way.offline is None:
            return []
        folder = self.way.offline / self.weights.name
        if not folder.is_dir() or (folder / _VENV).is_dir():
            raise ConfigurationError(
                f"{self.way.offline} has no folder {self.weights.name} of packages (an environment itself can't be"
                f" copied): fill one on a machine with this system and Python, with"
                f" `pip download --no-deps --require-hashes --requirement {self._source.lock} --dest …`"
            )
        return ["--no-index", "--find-links", str(folder.resolve())]

    def _make(self, progress: Progress) -> None:
        """The empty environment; one that works is kept, with what it holds. Raises ConfigurationError."""
        if _works(python_in(self.folder)):
            return
        shutil.rmtree(self.folder / _VENV, ignore_errors=True)
        python = self._python()
        progress.note(f"{self.weights.name}: a Python environment of {python}")
        without = ["--without-pip"] if self._has_uv else []
        done = run([python, "-I", "-m", "venv", *without, str(self.folder / _VENV)], _IMPORTED_IN_S)
        if done.returncode:
            raise ConfigurationError(f"{python} makes no environment: {last_words(done)}")

    def _install(self, packages: Sequence[str], progress: Progress) -> None:
        """Raises SourceAway, WeightsWrong, StorageError."""
        command = [*self._installer(), *self._hashes, *packages, *self._requirements()]
        coming = Packages(self.weights.name, progress)
        done = followed(command, _INSTALLED_IN_S, coming.line, self.folder)
        if not done.returncode:
            coming.end()
            return
        if _FULL in done.stderr:
            raise StorageError(f"no room on the disk of {self.folder}")
        said = last_words(done)
        if any(words in done.stderr.lower() for words in _WRONG):
            raise WeightsWrong(f"{self.weights.name}: a package is not what {self._source.lock} says: {said}")
        raise SourceAway(f"{self.weights.name}: {said}; what has come is kept: check the network and UV_INDEX_URL")

    def _installer(self) -> list[str]:
        python = str(python_in(self.folder))
        if self._has_uv:
            # Removes what the lock does not name, so that one left unfinished by another lock is put right.
            return [str(self._uv), "pip", "sync", "--no-config", "--python", python]
        return [
            python,
            "-I",
            "-m",
            "pip",
            "install",
            "--progress-bar",
            "off",
            "--disable-pip-version-check",
            "--no-deps",
        ]

    def _requirements(self) -> list[str]:
        return [str(self._lock)] if self._has_uv else ["--requirement", str(self._lock)]

    @property
    def _hashes(self) -> list[str]:
        return ["--require-hashes"] if "--hash=" in self._lock.read_text(encoding="utf-8") else []

    @property
    def _has_uv(self) -> bool:
        return os.access(self._uv, os.X_OK)

    def _python(self) -> str:
        """The one that is asked for, or the other that the locks know. Raises ConfigurationError."""
        asked = self._source.python
        for version in (asked, *(each for each in _KNOWN if each != asked)):
            for candidate in _candidates(version):
                if _version(candidate) == version:
                    return candidate
        raise ConfigurationError(f"{self.weights.name} needs Python {asked}: install it, with its venv module")

    def _lack(self) -> str:
        """Why the environment is not usable; empty where it is."""
        python = python_in(self.folder)
        if not _works(python):
            return f"{python} does not run"
        done = run([str(python), "-I", "-c", _IMPORTS, *self._source.imports], _IMPORTED_IN_S)
        return f"an import fails: {last_words(done)}" if done.returncode else ""


def _candidates(version: str) -> Iterator[str]:
    found = shutil.which(f"python{version}")
    yield from (sys.executable, *([found] if found else []), f"/usr/bin/python{version}")


def _version(python: str) -> str:
    """`3.11`; empty where it doesn't run or has no venv."""
    asks = "import ensurepip, sys, venv; print(f'{sys.version_info[0]}.{sys.version_info[1]}')"
    try:
        return run([python, "-I", "-c", asks], _IMPORTED_IN_S).stdout.strip()
    except OSError:
        return ""


def _works(python: Path) -> bool:
    return python.exists() and run([str(python), "-I", "-c", ""], _IMPORTED_IN_S).returncode == 0
