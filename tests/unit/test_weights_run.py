"""Licences, room, mirrors, offline folders, checking and removing."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigurationError, SmartTalkerError, StorageError
from core.weights.fetching import State, Way, WeightsWrong
from core.weights.files import FilesFetcher
from core.weights.folder import folder_of, keep_record, read_record
from core.weights.locks import held
from core.weights.manifest import File, Hub, Release, Weights
from core.weights.run import Entry, check_room, refuse_unaccepted
from tests.weights_entries import FILES, LARGE, MODEL, WRONG, entry, hub, way_to
from tests.weights_server import COMMIT, Shelf, serving, sha256
from tests.weights_told import Told


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving() as shelf:
        shelf.hub("o/n", FILES)
        yield shelf


def fetched(weights: Weights, way: Way, **changes: bool) -> bool:
    return Entry(weights, way).fetch(Told(), **{"agreed": False, "thorough": False, **changes})


def offline_copy(folder: Path, revision: str | None = COMMIT) -> Path:
    """What another machine has fetched; without a revision, without a record."""
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    if revision:
        keep_record(folder, revision)
    return folder


@pytest.mark.parametrize("name", ["tiny", "o/n", "n"])
@pytest.mark.parametrize("revision", [COMMIT, None])
def test_an_offline_folder_needs_no_network(tmp_path: Path, name: str, revision: str | None) -> None:
    offline_copy(tmp_path / "usb" / name, revision)
    way = Way(tmp_path / "models", hub="http://127.0.0.1:9", offline=tmp_path / "usb")
    assert FilesFetcher(entry(hub("*")), way).size() == 0
    assert fetched(entry(hub("*")), way)
    folder = folder_of(way.models, "tiny")
    assert {file.path: file.sha256 for file in read_record(folder).files} == {
        path: sha256(content) for path, content in FILES.items()
    }
    assert (folder / "model.pt").samefile(tmp_path / "usb" / name / "model.pt")


def test_where_links_are_not_possible_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    offline_copy(tmp_path / "usb" / "tiny")
    monkeypatch.setattr(os, "link", refuse)
    assert fetched(entry(hub("*")), Way(tmp_path / "models", offline=tmp_path / "usb"))
    copy = folder_of(tmp_path / "models", "tiny") / "model.pt"
    assert copy.read_bytes() == LARGE
    assert not copy.samefile(tmp_path / "usb" / "tiny" / "model.pt")


WRONG_FOLDERS: dict[str, tuple[Callable[[Path], object], Hub, str]] = {
    "nothing there": (lambda folder: folder.rename(folder.with_name("x")), hub("*"), "has no folder tiny or o/n or n"),
    "another version": (lambda folder: keep_record(folder, "f" * 40), hub("*"), f"pins version {COMMIT}, but"),
    "wrong bytes": (lambda folder: (folder / "model.pt").write_bytes(WRONG), hub("*"), f"is {sha256(WRONG)}, and"),
    "truncated": (lambda folder: (folder / "model.pt").write_bytes(b"x"), hub("*"), "it has 1 bytes, and 10,240 are"),
    "a file lacks": (lambda folder: None, hub("other.pt"), "has no other.pt, which the manifest names"),
    "other than pinned": (
        lambda folder: None,
        hub(File("model.pt", None, "0" * 64)),
        f"pins sha256 {'0' * 64}, but",
    ),
    "a crooked record": (lambda folder: (folder / "weights.json").write_text("{"), hub("*"), "is no record"),
}


@pytest.mark.parametrize("case", WRONG_FOLDERS)
def test_an_offline_folder_is_checked_just_the_same(tmp_path: Path, case: str) -> None:
    damage, source, said = WRONG_FOLDERS[case]
    damage(offline_copy(tmp_path / "usb" / "tiny"))
    way = Way(tmp_path / "models", offline=tmp_path / "usb")
    with pytest.raises(ConfigurationError) as caught:
        fetched(entry(source), way)
    assert said in str(caught.value)
    assert FilesFetcher(entry(source), way).state() is not State.HERE


@pytest.mark.parametrize("told", [True, False], ids=["by the manifest", "by the mirror's record"])
def test_a_mirror_serves_a_models_folder(shelf: Shelf, tmp_path: Path, told: bool) -> None:
    other = offline_copy(tmp_path / "other" / "tiny")
    for path in other.rglob("*.*"):
        shelf.contents[f"/mirror/tiny/{path.relative_to(other)}"] = path.read_bytes()
    files = [File(path, len(content), sha256(content)) for path, content in FILES.items()] if told else ["*"]
    way = Way(tmp_path / "models", hub="http://127.0.0.1:9", mirror=f"{shelf.url}/mirror")
    assert fetched(entry(hub(*files)), way)
    assert (folder_of(way.models, "tiny") / "sub" / "a b.json").read_bytes() == FILES["sub/a b.json"]
    assert bool(shelf.asked_for("/mirror/tiny/weights.json")) is not told


def test_a_mirrors_password_is_not_told(shelf: Shelf, tmp_path: Path) -> None:
    way = Way(tmp_path, mirror=shelf.url.replace("//", "//me:hidden-word@"))
    with pytest.raises(WeightsWrong, match=r"^http://127\.0\.0\.1:\d+/tiny/weights\.json is not there \(404\)$"):
        fetched(entry(hub("*")), way)
    assert shelf.asked[0].headers["Authorization"].startswith("Basic ")


def test_a_mirror_of_another_version_or_with_other_bytes_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    other = offline_copy(tmp_path / "other" / "tiny", "f" * 40)
    shelf.contents["/tiny/weights.json"] = (other / "weights.json").read_bytes()
    way = Way(tmp_path / "models", mirror=shelf.url)
    with pytest.raises(WeightsWrong, match=f"pins version {COMMIT}, but .* has {'f' * 40}"):
        fetched(entry(hub("*")), way)
    shelf.contents["/tiny/model.pt"] = WRONG
    with pytest.raises(WeightsWrong, match=f"is {sha256(WRONG)}, and {sha256(LARGE)} is expected"):
        fetched(entry(hub(File("model.pt", len(LARGE), sha256(LARGE)))), way)


def test_a_licence_that_asks_is_accepted_once_and_kept_with_the_day(shelf: Shelf, tmp_path: Path) -> None:
    asking, way = entry(hub("*"), licence="CC-BY-NC-4.0", terms="non-commercial"), way_to(shelf, tmp_path)
    told = r"use: tiny \(CC-BY-NC-4\.0\)\. .*--accept-licence .*`smarttalker models fetch open`"
    with pytest.raises(ConfigurationError, match=told):
        refuse_unaccepted([Entry(entry(hub("*"), name="open"), way), Entry(asking, way)])
    assert fetched(asking, way, agreed=True)
    record = read_record(tmp_path / "tiny")
    assert (record.licence, record.accepted) == ("CC-BY-NC-4.0", datetime.now(UTC).date().isoformat())
    refuse_unaccepted([Entry(asking, way)])
    changed = entry(hub("*"), licence="Other", terms="non-commercial")
    with pytest.raises(ConfigurationError, match="not for commercial use: tiny"):
        refuse_unaccepted([Entry(changed, way)])


def test_the_disk_is_looked_at_with_both_numbers(tmp_path: Path) -> None:
    check_room(tmp_path / "not" / "there", 1)
    with pytest.raises(StorageError, match=r"^1000000\.0 GB are to be fetched, and only .* are free in .*MODELS_DIR"):
        check_room(tmp_path / "not" / "there", 10**15)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_what_the_disk_refuses_is_told_with_the_place(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(StorageError, match=rf"^{tmp_path}: {os.strerror(code)}; SMARTTALKER_MODELS_DIR"):
        fetched(entry(hub("*")), way_to(shelf, tmp_path))
    monkeypatch.undo()
    assert fetched(entry(hub("*")), way_to(shelf, tmp_path))


def test_what_is_whole_is_not_asked_for_again_unless_its_bytes_are_wrong(shelf: Shelf, tmp_path: Path) -> None:
    weights, way = entry(hub("*")), way_to(shelf, tmp_path)
    assert fetched(weights, way)
    shelf.asked.clear()
    assert not fetched(weights, way)
    assert not fetched(weights, way, thorough=True)
    assert shelf.asked == []
    (tmp_path / "tiny" / "model.pt").write_bytes(WRONG)
    assert not fetched(weights, way)
    assert fetched(weights, way, thorough=True)
    assert [each.path for each in shelf.asked if "resolve" in each.path] == [MODEL]
    assert (tmp_path / "tiny" / "model.pt").read_bytes() == LARGE


def test_a_new_version_takes_the_olds_place_and_its_files_leave(shelf: Shelf, tmp_path: Path) -> None:
    way = way_to(shelf, tmp_path)
    folder = offline_copy(tmp_path / "tiny", "f" * 40)
    (folder / "old.bin").write_bytes(b"x")
    fetcher = FilesFetcher(entry(hub("model.pt")), way)
    assert fetcher.state() is State.PART
    assert fetched(entry(hub("model.pt")), way)
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["model.pt", "weights.json"]
    assert shelf.asked_for(MODEL) == []  # the same bytes as before


def test_a_file_without_a_hash_comes_anew_with_each_version(shelf: Shelf, tmp_path: Path) -> None:
    way = way_to(shelf, tmp_path)
    for place, content in (("/v1/x", b"old"), ("/v2/x", b"new")):
        shelf.contents[place] = content
        assert fetched(entry(Release((File("x", 3, url=f"{shelf.url}{place}"),))), way)
        assert (tmp_path / "tiny" / "x").read_bytes() == content


def test_an_older_version_stays_usable_while_the_source_is_away(tmp_path: Path) -> None:
    offline_copy(tmp_path / "tiny", "f" * 40)
    with pytest.raises(SmartTalkerError):
        fetched(entry(hub("*")), Way(tmp_path, hub="http://127.0.0.1:9", pause_s=0.001))
    assert folder_of(tmp_path, "tiny")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: None, []),
        (lambda folder: (folder / "model.pt").unlink(), ["tiny: model.pt is missing"]),
        (
            lambda folder: (folder / "model.pt").write_bytes(b"12"),
            ["tiny: model.pt is truncated: 2 of 10,240 bytes"],
        ),
        (
            lambda folder: (folder / "model.pt").write_bytes(WRONG),
            [f"tiny: model.pt has the hash {sha256(WRONG)}, not {sha256(LARGE)}"],
        ),
        (
            lambda folder: keep_record(folder, "f" * 40),
            [f"tiny: version {'f' * 40}, not {COMMIT}"],
        ),
        (lambda folder: (folder / "weights.json").unlink(), ["tiny: was not fetched to the end"]),
    ],
)
def test_checking_reads_everything(tmp_path: Path, damage: Callable[[Path], object], said: list[str]) -> None:
    damage(offline_copy(tmp_path / "tiny"))
    assert Entry(entry(hub("*")), Way(tmp_path)).verify(Told()) == said


def test_removing_leaves_what_lies_outside(tmp_path: Path) -> None:
    outside = offline_copy(tmp_path / "outside")
    inside = offline_copy(tmp_path / "models" / "tiny")
    (inside / "link").symlink_to(outside)
    (tmp_path / "models" / "linked").symlink_to(outside)
    way = Way(tmp_path / "models")
    assert Entry(entry(hub("*")), way).remove(print) == "tiny is removed"
    assert Entry(entry(hub("*"), name="linked"), way).remove(print).endswith("what it points to is not")
    assert Entry(entry(hub("*")), way).remove(print) == "tiny is not here"
    assert {path.name for path in outside.iterdir()} == {"config.yaml", "sub", "model.pt", "weights.json"}
    assert [path.name for path in way.models.iterdir() if not path.name.startswith(".")] == []


def test_fetching_through_a_link_deletes_nothing_of_others(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "mine.txt").write_text("x")
    (tmp_path / "tiny").symlink_to(tmp_path / "elsewhere")
    assert fetched(entry(hub("model.pt")), way_to(shelf, tmp_path))
    assert (tmp_path / "elsewhere" / "mine.txt").exists()


def test_another_one_at_work_is_waited_for(tmp_path: Path) -> None:
    ready, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with held(tmp_path, "tiny", print):
            ready.set()
            leave.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert ready.wait(30)
    notes: list[str] = []
    with held(tmp_path, "tiny", lambda text: (notes.append(text), leave.set())):
        other.join(30)
    assert notes == ["tiny: another process is at work on it; waiting until it has ended"]


def test_a_releases_version_changes_with_its_files() -> None:
    def revision(**changes: Any) -> str | None:
        return FilesFetcher(entry(Release((File("x", **changes),))), Way(Path("m"))).revision

    assert revision(url="https://h/x") == revision(url="https://h/x")
    assert revision(url="https://h/x") != revision(url="https://h/y")
    assert revision(url="https://h/x", sha256="0" * 64) == revision(url="https://h/y", sha256="0" * 64)
