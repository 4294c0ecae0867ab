"""Repositories at their commits: real ones, by git's own server, by a plain web server, and from a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError, ModelMissing
from core.weights.fetching import SourceAway, State, Way, WeightsWrong
from core.weights.folder import folder_of, read_record
from core.weights.git import Git, GitFailed, Meter
from core.weights.manifest import Repository, Weights
from core.weights.repository import RepositoryFetcher
from core.weights.run import Entry
from tests.git_server import Asked, committed, git, made, serving, with_submodule
from tests.weights_told import Told

MATCHA = "third_party/Matcha-TTS"


class Upstream:
    """Two repositories, the second a submodule of the first; `commit` is not the newest."""

    def __init__(self, root: Path, url: str, asked: Asked) -> None:
        self.url, self.asked = url, asked
        self.whole, self.part = root / "voice.git", root / "part.git"
        old, self.inner, _ = made(self.part, {"a.py": "a = 1\n"}, {"a.py": "a = 2\n"}, {"a.py": "a = 3\n"})
        self.unreachable = old
        made(self.whole, {"voice.py": "said = 1\n", "deep/er/name.txt": "é\n", ".gitignore": "*.log\n"})
        self.commit = with_submodule(self.whole, MATCHA, "../../part.git/.git", self.inner)
        (self.whole / "voice.py").write_text("said = 2\n")
        self.newest = committed(self.whole, "voice.py")

    def entry(self, commit: str = "", *submodules: str) -> Weights:
        source = Repository(f"{self.url}/voice.git/.git", commit or self.commit, submodules or (MATCHA,))
        return Weights(name="voice-repo", engine="voice", source=source, licence="MIT", terms="open", bytes=1000)


def upstream(tmp_path: Path, *, smart: bool) -> Iterator[Upstream]:
    root = tmp_path / "upstream"
    root.mkdir()
    with serving(root, smart=smart) as (url, asked):
        # A submodule's relative address starts at its repository's own.
        made_there = Upstream(root, url, asked)
        git(made_there.whole, "config", "http.receivepack", "false")
        yield made_there


@pytest.fixture
def clever(tmp_path: Path) -> Iterator[Upstream]:
    yield from upstream(tmp_path, smart=True)


@pytest.fixture(params=["git's server", "plain files"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Upstream]:
    yield from upstream(tmp_path, smart=request.param == "git's server")


def way_to(models: Path, **changes: Any) -> Way:
    return Way(**{"models": models, "patience_s": 5.0, "pause_s": 0.01, **changes})


def got(models: Path, weights: Weights, **changes: Any) -> Told:
    told = Told()
    Entry(weights, way_to(models, **changes)).fetch(told, agreed=False, thorough=False)
    return told


def wrong(models: Path, weights: Weights) -> list[str]:
    return RepositoryFetcher(weights, way_to(models)).verify(Told())


def test_the_tree_comes_at_its_commit_with_its_submodule(either: Upstream, tmp_path: Path) -> None:
    models, weights = tmp_path / "models", either.entry()
    got(models, weights)
    folder = folder_of(models, "voice-repo")
    assert (folder / "voice.py").read_text() == "said = 1\n"
    assert (folder / MATCHA / "a.py").read_text() == "a = 2\n"
    assert git(folder, "rev-parse", "HEAD") == either.commit
    assert git(folder / MATCHA, "rev-parse", "HEAD") == either.inner
    record = read_record(folder)
    assert record.revision == either.commit
    paths = [".gitignore", ".gitmodules", "deep/er/name.txt", f"{MATCHA}/a.py", "voice.py"]
    assert sorted(file.path for file in record.files) == sorted(paths)
    assert wrong(models, weights) == []


def test_gits_server_is_asked_for_one_commit_without_history(clever: Upstream, tmp_path: Path) -> None:
    told = got(tmp_path, clever.entry())
    assert git(tmp_path / "voice-repo", "rev-list", "--all", "--count", "HEAD") == "1"
    assert [path for path, _ in told.begun] == ["voice-repo", f"voice-repo/{MATCHA}"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Receiving objects: 100% (9/9), done.\n", []),
        ("Receiving objects:  40% (4/9), 512 bytes | 9 B/s\rReceiving objects: 100% (9/9), 2.50 KiB | 9 B/s\n",
         [512, 2048]),
        ("remote: Counting objects: 100% (9/9)\rRecei", []),
        ("Receiving objects:  50% (1/2), 1.00 MiB | 1 MiB/s\rReceiving objects: 10% (1/9), 100 bytes | 1 KiB/s\r"
         "Receiving objects: 100% (9/9), 300 bytes | 1 KiB/s\n", [1 << 20, 100, 200]),
    ],
)  # fmt: skip
def test_the_bytes_that_git_tells_are_counted(said: str, expected: list[int]) -> None:
    counted: list[int] = []
    meter = Meter(counted.append)
    for letter in said:
        meter.read(letter)
    assert counted == expected


def test_what_is_here_is_not_asked_for_again(clever: Upstream, tmp_path: Path) -> None:
    got(tmp_path, clever.entry())
    (tmp_path / "voice-repo" / "voice.py").unlink()
    with pytest.raises(ModelMissing, match=r"voice\.py is missing.*fetch voice-repo"):
        folder_of(tmp_path, "voice-repo")
    clever.asked.clear()
    got(tmp_path, clever.entry())
    assert clever.asked == []
    assert wrong(tmp_path, clever.entry()) == []


def test_a_fetch_that_was_broken_off_goes_on(clever: Upstream, tmp_path: Path) -> None:
    shutil.move(clever.part, clever.part.with_name("elsewhere"))
    with pytest.raises(SourceAway, match=r"part\.git"):
        got(tmp_path, clever.entry())
    assert RepositoryFetcher(clever.entry(), way_to(tmp_path)).state() is State.PART
    shutil.move(clever.part.with_name("elsewhere"), clever.part)
    clever.asked.clear()
    got(tmp_path, clever.entry())
    assert not [path for path in clever.asked if path.startswith("/voice.git")]
    assert wrong(tmp_path, clever.entry()) == []


def test_another_commit_takes_the_place_of_the_old_one(clever: Upstream, tmp_path: Path) -> None:
    got(tmp_path, clever.entry())
    newer = clever.entry(clever.newest)
    (tmp_path / "voice-repo" / "forgotten.txt").write_text("a file of nobody's")
    assert RepositoryFetcher(newer, way_to(tmp_path)).state() is State.PART
    got(tmp_path, newer)
    folder = folder_of(tmp_path, "voice-repo")
    assert (folder / "voice.py").read_text() == "said = 2\n"
    assert not (folder / "forgotten.txt").exists()
    assert wrong(tmp_path, newer) == []


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("voice.py", "said = 3\n", ["has the hash", "voice.py was changed"]),
        ("extra.py", "import os\n", ["extra.py was changed"]),
        (f"{MATCHA}/a.py", "a = 4\n", ["has the hash", f"{MATCHA} was changed"]),
    ],
)
def test_a_changed_tree_is_told(clever: Upstream, tmp_path: Path, path: str, text: str, expected: list[str]) -> None:
    got(tmp_path, clever.entry())
    (tmp_path / "voice-repo" / path).write_text(text)
    found = wrong(tmp_path, clever.entry())
    assert len(found) == len(expected)
    assert all(part in sentence for part, sentence in zip(expected, found, strict=True))


def test_what_running_leaves_behind_is_no_change(clever: Upstream, tmp_path: Path) -> None:
    got(tmp_path, clever.entry())
    cache = tmp_path / "voice-repo" / MATCHA / "__pycache__"
    cache.mkdir()
    (cache / "a.cpython-311.pyc").write_bytes(b"compiled")
    assert wrong(tmp_path, clever.entry()) == []


def test_another_machines_models_folder_is_a_mirror(clever: Upstream, tmp_path: Path) -> None:
    weights = clever.entry()
    got(tmp_path / "theirs", weights)
    clever.asked.refusing = 500
    with serving(tmp_path / "theirs", smart=False) as (url, asked):
        got(tmp_path / "ours", weights, mirror=url)
    assert any(path.startswith(f"/voice-repo/{MATCHA}/.git/") for path in asked)
    assert wrong(tmp_path / "ours", weights) == []
    assert read_record(tmp_path / "ours" / "voice-repo") == read_record(tmp_path / "theirs" / "voice-repo")


def test_another_machines_models_folder_can_be_carried_over(clever: Upstream, tmp_path: Path) -> None:
    weights = clever.entry()
    got(tmp_path / "theirs", weights)
    clever.asked.clear()
    got(tmp_path / "ours", weights, offline=tmp_path / "theirs")
    assert clever.asked == []
    assert wrong(tmp_path / "ours", weights) == []


def test_a_folder_without_the_checkout_says_so(clever: Upstream, tmp_path: Path) -> None:
    (tmp_path / "theirs" / "voice-repo").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="has no git checkout voice-repo"):
        got(tmp_path / "ours", clever.entry(), offline=tmp_path / "theirs")


@pytest.mark.parametrize("commit", ["0" * 40, "f" * 40])
def test_a_commit_that_is_not_there_is_refused(clever: Upstream, tmp_path: Path, commit: str) -> None:
    with pytest.raises(WeightsWrong, match=f"has no commit {commit}"):
        got(tmp_path, clever.entry(commit))


def test_a_path_that_is_no_submodule_is_refused(clever: Upstream, tmp_path: Path) -> None:
    with pytest.raises(WeightsWrong, match="deep is no submodule"):
        got(tmp_path, clever.entry("", "deep"))


def test_a_submodule_on_the_disk_of_the_reader_is_refused(clever: Upstream, tmp_path: Path) -> None:
    """A repository names its submodules' addresses: only those of the web are followed."""
    commit = with_submodule(clever.whole, MATCHA, str(clever.part), clever.inner)
    with pytest.raises(WeightsWrong, match="no web address"):
        got(tmp_path, clever.entry(commit))


def test_a_server_that_is_away_or_refuses_says_so(clever: Upstream, tmp_path: Path) -> None:
    clever.asked.refusing = 500
    with pytest.raises(SourceAway, match=r"voice\.git.*500.*--mirror"):
        got(tmp_path, clever.entry())


def test_no_password_is_asked_for(clever: Upstream, tmp_path: Path) -> None:
    clever.asked.refusing = 401
    with pytest.raises(SourceAway, match=r"voice\.git"):
        got(tmp_path, clever.entry())


def test_the_machines_settings_and_hooks_run_nothing(
    clever: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks, filters and another address in the user's settings are not read; nor is a GIT_DIR of the caller's."""
    proof, home = tmp_path / "ran", tmp_path / "home"
    (home / "hooks").mkdir(parents=True)
    hook = home / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {home / 'hooks'}\n\tattributesFile = {home / 'attributes'}\n"
        f'[filter "bad"]\n\tsmudge = touch {proof}; cat\n[url "http://127.0.0.1:9/"]\n\tinsteadOf = {clever.url}\n'
    )
    (home / "attributes").write_text("* filter=bad\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    got(tmp_path / "models", clever.entry())
    assert not proof.exists()
    monkeypatch.delenv("GIT_DIR")
    assert wrong(tmp_path / "models", clever.entry()) == []


def test_without_git_the_error_says_how_to_get_it(
    clever: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="git is not installed"):
        got(tmp_path, clever.entry())


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = tmp_path / "bin"
    quiet.mkdir()
    (quiet / "git").write_text('#!/bin/sh\ncase "$*" in *fetch*--depth*) exec sleep 60;; *) exit 1;; esac\n')
    (quiet / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{quiet}:{os.environ['PATH']}")
    with pytest.raises(GitFailed, match=r"nothing was heard for 0\.2 s"):
        Git(tmp_path, silence_s=0.2)("fetch", "--depth=1")
