"""A folder and its record: whole, or told what lacks and how to mend it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ModelMissing
from core.weights.folder import Record, folder_of, keep_record, read_record, write_record
from core.weights.sources import File

FILES = {"config.yaml": b"model: tiny\n", "sub/model.pt": b"0123456789"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for path, content in FILES.items():
        (tmp_path / "tiny" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tiny" / path).write_bytes(content)
    keep_record(tmp_path / "tiny", "r1")
    return tmp_path


def test_a_whole_folder_is_found(models: Path) -> None:
    assert folder_of(models, "tiny") == models / "tiny"
    record = read_record(models / "tiny")
    assert (record.revision, [file.path for file in record.files]) == ("r1", list(FILES))


def changed(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "weights.json").write_text(text)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "sub/model.pt").unlink(), "are incomplete: sub/model.pt is missing"),
        (lambda folder: (folder / "sub/model.pt").write_bytes(b"012"), "sub/model.pt is truncated: 3 of 10 bytes"),
        (lambda folder: (folder / "sub/model.pt").write_bytes(b"0" * 11), "sub/model.pt is too long: 11 bytes, not 10"),
        (lambda folder: (folder / "weights.json").unlink(), "were not fetched to the end into"),
        (changed("{"), "are not told by"),
        (changed('{"revision": "x", "files": [{"path": "../../etc/passwd"}]}'), "is no path below a folder"),
        (changed('{"revision": "x", "files": [{"path": "/etc/passwd"}]}'), "is no path below a folder"),
        (changed("[]"), "are not told by"),
    ],
)
def test_what_lacks_is_told_with_the_command(models: Path, damage: Callable[[Path], object], said: str) -> None:
    damage(models / "tiny")
    with pytest.raises(ModelMissing) as caught:
        folder_of(models, "tiny")
    assert said in str(caught.value)
    assert "`smarttalker models fetch tiny`" in str(caught.value)


def test_the_command_accepts_a_licence_that_asks_for_it(models: Path) -> None:
    with pytest.raises(ModelMissing, match="`smarttalker models fetch codeformer --accept-licence`"):
        folder_of(models, "codeformer")


def test_what_was_never_fetched_is_missing(models: Path) -> None:
    with pytest.raises(ModelMissing, match=r"the weights other are not in .*`smarttalker models fetch other`"):
        folder_of(models, "other")


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "/a", "a..b", "A", "a b", "a" * 65, "-a", "a\n"])
def test_a_name_is_no_path(models: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        folder_of(models, name)


def test_the_record_leaves_out_itself_and_what_is_under_way(models: Path) -> None:
    folder = models / "tiny"
    (folder / "sub/other.pt.part").write_bytes(b"x")
    (folder / "sub/other.pt.part-of").write_bytes(b"x")
    assert [file.path for file in keep_record(folder, "r2").files] == list(FILES)
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "sub", "weights.json"]


def test_an_accepted_licence_is_kept_with_its_day(models: Path) -> None:
    record = Record("r", (File("config.yaml", 12),), "CC-BY-NC-4.0", "2030-01-02")
    write_record(models / "tiny", record)
    assert read_record(models / "tiny") == record
    assert json.loads((models / "tiny" / "weights.json").read_text())["accepted"] == "2030-01-02"
