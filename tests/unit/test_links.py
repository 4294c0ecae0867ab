from __future__ import annotations

import errno
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from core.errors import NotFound, StorageError
from core.storage import LINK_S, Storage, expiry, sign, storage_errors, verify

KEY = b"k" * 32
NAME = "3f2a/1/answer.mp4"
NOW = 1_800_000_000.0


def signed(name: str = NAME, key: bytes = KEY, now: float = NOW) -> tuple[str, str]:
    query = parse_qs(sign(name, key, expiry(now)))
    return query["expires"][0], query["signature"][0]


def test_a_link_serves_for_a_day_and_at_most_an_hour_more() -> None:
    expires, signature = signed()
    assert verify(NAME, KEY, expires, signature, NOW)
    assert verify(NAME, KEY, expires, signature, NOW + LINK_S)
    assert not verify(NAME, KEY, expires, signature, NOW + LINK_S + 3601)


def test_a_link_stays_the_same_for_a_while_so_that_a_page_does_not_load_again() -> None:
    assert signed(now=NOW - NOW % 3600) == signed(now=NOW - NOW % 3600 + 3599)


@pytest.mark.parametrize(
    ("name", "key", "expires", "signature"),
    [
        ("3f2a/1/other.mp4", KEY, None, None),
        (NAME, b"x" * 32, None, None),
        (NAME, KEY, "1999999999", None),
        (NAME, KEY, "-1", None),
        (NAME, KEY, "", None),
        (NAME, KEY, "١٨٠٠٠٠٠٠٠٠", None),
        (NAME, KEY, "9" * 400, None),
        (NAME, KEY, None, ""),
        (NAME, KEY, None, "0" * 64),
        (NAME, KEY, None, "é" * 64),
    ],
)
def test_any_change_breaks_a_link(name: str, key: bytes, expires: str | None, signature: str | None) -> None:
    good_expires, good_signature = signed()
    given = good_expires if expires is None else expires
    assert not verify(name, key, given, good_signature if signature is None else signature, NOW)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../../x", "/etc/passwd", "a\0b", "a\\..\\b", ".", "link/passwd"])
def test_no_name_leads_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "link").symlink_to("/etc")
    with pytest.raises(NotFound):
        Storage(tmp_path / "media").path(name)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    path = storage.write("t/1/a.txt", b"first")
    assert storage.name(path) == "t/1/a.txt"
    with pytest.raises(UnicodeEncodeError), storage.writing("t/1/a.txt") as draft:
        draft.write_text("sec\ud800")
    assert storage.existing("t/1/a.txt").read_bytes() == b"first"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]
    storage.remove("t")
    storage.remove("t")
    with pytest.raises(NotFound):
        storage.existing("t/1/a.txt")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_a_storage_error(number: int) -> None:
    with pytest.raises(StorageError), storage_errors():
        raise OSError(number, "no")


def test_a_folder_that_can_not_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where a folder should be")
    with pytest.raises(StorageError):
        Storage(tmp_path / "media").write("t/1/a", b"")
