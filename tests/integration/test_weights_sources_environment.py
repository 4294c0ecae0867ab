"""Environments of their own: real ones, of a package that the test makes, by uv and by pip."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from core.errors import ConfigurationError, ModelMissing, StorageError
from core.weights.environment import UV, EnvironmentFetcher, interpreter
from core.weights.fetching import SourceAway, State, Way, WeightsWrong
from core.weights.folder import write_record
from core.weights.manifest import Environment, Weights
from tests.weights_told import Told

OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"
NAME = "voice-env"

needs_uv = pytest.mark.skipif(not os.access(UV, os.X_OK), reason="this checkout's environment was made without uv")


def wheel(folder: Path, version: str, code: str) -> str:
    """Makes a package `tinyvoice` of one module; its hash, as locks have it."""
    info = f"tinyvoice-{version}.dist-info"
    files = {
        "tinyvoice.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tinyvoice\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"tinyvoice-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class Ground:
    """A checkout with a lock, an offline folder with its packages, and a models folder."""

    def __init__(self, root: Path) -> None:
        self.home, self.offline, self.models = root / "home", root / "offline", root / "models"
        self.home.mkdir()
        self.lock = self.home / "voice.lock"
        self.folder = self.models / NAME
        self.uv = UV
        self.told = Told()

    def pin(self, version: str = "1.0", code: str = "said = 'ahlan'\n", digest: str = "") -> None:
        found = wheel(self.offline / NAME, version, code)
        self.lock.write_text(f"tinyvoice=={version} \\\n    --hash={digest or found}\n")

    def fetcher(self, *imports: str, python: str = OURS, offline: bool = True) -> EnvironmentFetcher:
        source = Environment("voice.lock", python, imports or ("tinyvoice", "json"))
        weights = Weights(name=NAME, engine="voice", source=source, licence="MIT", terms="open", bytes=1000)
        way = Way(models=self.models, offline=self.offline if offline else None, patience_s=5.0)
        return EnvironmentFetcher(weights, way, home=self.home, uv=self.uv)

    def fetched(self, *imports: str, python: str = OURS) -> EnvironmentFetcher:
        fetcher = self.fetcher(*imports, python=python)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_record(self.folder, fetcher.fetch(self.told))
        return fetcher

    def run(self, code: str) -> str:
        command = [str(interpreter(self.models, NAME)), "-I", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    ground = Ground(tmp_path)
    ground.pin()
    return ground


@pytest.mark.parametrize("by", [pytest.param("uv", marks=needs_uv), "pip"])
def test_an_environment_of_the_lock_is_built_in_its_place(ground: Ground, by: str) -> None:
    ground.uv = UV if by == "uv" else ground.home / "no-uv"
    assert ground.fetcher().state() is State.MISSING
    assert ground.fetcher().size() == 1000
    fetcher = ground.fetched()
    assert fetcher.state() is State.HERE
    assert fetcher.size() == 0
    assert fetcher.verify(ground.told) == []
    assert ground.run("import tinyvoice, sys; print(tinyvoice.said, sys.prefix)") == f"ahlan {ground.folder / 'venv'}"


@needs_uv
def test_another_lock_asks_for_another_fetch_and_gets_it_in_the_same_place(ground: Ground) -> None:
    ground.fetched()
    ground.pin("1.1", "said = 'marhaban'\n")
    assert ground.fetcher().state() is State.PART
    (sentence,) = ground.fetcher().verify(ground.told)
    assert sentence.startswith(f"{NAME}: version lock-")
    ground.fetched()
    assert ground.run("import tinyvoice; print(tinyvoice.said)") == "marhaban"
    assert sum("a Python environment of" in note for note in ground.told.notes) == 1


@needs_uv
def test_one_that_was_broken_off_goes_on(ground: Ground) -> None:
    ground.fetched()
    (ground.folder / "weights.json").unlink()
    (ground.folder / "venv" / "bin" / "python").unlink()
    assert ground.fetcher().state() is State.PART
    with pytest.raises(ModelMissing, match="fetch voice-env"):
        interpreter(ground.models, NAME)
    assert ground.fetched().verify(ground.told) == []


@needs_uv
def test_a_package_that_is_gone_is_told(ground: Ground) -> None:
    fetcher = ground.fetched()
    next(ground.folder.rglob("tinyvoice.py")).unlink()
    (sentence,) = fetcher.verify(ground.told)
    assert sentence == f"{NAME}: an import fails: tinyvoice: ModuleNotFoundError: No module named 'tinyvoice'"


@needs_uv
def test_a_package_that_does_not_come_up_is_refused(ground: Ground) -> None:
    ground.pin("1.2", "raise OSError('libcuda.so.1: no such file')\n")
    with pytest.raises(WeightsWrong, match=r"import fails: tinyvoice: OSError: libcuda\.so\.1"):
        ground.fetched()
    assert ground.fetcher().state() is State.PART


@needs_uv
def test_a_package_with_another_hash_is_refused(ground: Ground) -> None:
    ground.pin(digest=f"sha256:{'0' * 64}")
    with pytest.raises(WeightsWrong, match=r"a package is not what voice\.lock says: .*0000"):
        ground.fetched()
    ground.pin()
    assert ground.fetched().verify(ground.told) == []


@needs_uv
def test_a_package_that_is_not_to_be_had_says_where_it_was_looked_for(ground: Ground) -> None:
    (wheel_there,) = (ground.offline / NAME).iterdir()
    wheel_there.unlink()
    with pytest.raises(SourceAway, match=r"tinyvoice.*UV_INDEX_URL"):
        ground.fetched()


@pytest.mark.parametrize("copied", [False, True])
def test_a_folder_without_packages_says_how_to_fill_it(ground: Ground, copied: bool) -> None:
    (wheel_there,) = (ground.offline / NAME).iterdir()
    wheel_there.unlink()
    (ground.offline / NAME).rmdir()
    if copied:
        (ground.offline / NAME / "venv").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"no folder voice-env of packages.*: fill one.*pip download"):
        ground.fetched()


def test_a_lock_that_is_gone_is_told(ground: Ground) -> None:
    ground.lock.unlink()
    with pytest.raises(ConfigurationError, match=r"voice\.lock can't be read: No such file"):
        ground.fetched()


def test_a_place_that_can_not_be_written_is_told(ground: Ground) -> None:
    ground.models.mkdir()
    ground.folder.write_text("a file in the folder's place")
    with pytest.raises((StorageError, ConfigurationError)):
        ground.fetcher().fetch(ground.told)


@needs_uv
def test_a_python_that_is_not_here_is_replaced_by_the_other_of_the_locks(ground: Ground) -> None:
    other = next(version for version in ("3.12", "3.11") if version != OURS)
    ground.fetched(python=other)
    assert ground.run("import sys; print(sys.version_info[:2] in ((3, 11), (3, 12)))") == "True"


def test_the_callers_own_environment_does_not_shine_through(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ground.home))
    (ground.home / "json.py").write_text("raise RuntimeError('not the real one')\n")
    if not os.access(UV, os.X_OK):
        pytest.skip("this checkout's environment was made without uv")
    assert ground.fetched().verify(ground.told) == []
