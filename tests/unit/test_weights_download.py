"""Files from servers that cut, refuse, stall and lie: whole in the end, or an error that names what differs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import ConfigurationError, SmartTalkerError
from core.weights.fetching import SourceAway, State, WeightsWrong
from core.weights.files import FilesFetcher
from core.weights.folder import folder_of, read_record
from core.weights.manifest import File, Hub, Release, Weights
from core.weights.run import Entry
from tests.weights_entries import FILES, LARGE, MODEL, WRONG, entry, hub, way_to
from tests.weights_server import COMMIT, Fault, Shelf, serving, sha256
from tests.weights_told import Told


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with serving() as shelf:
        shelf.hub("o/n", FILES)
        yield shelf


def got(shelf: Shelf, models: Path, weights: Weights, **changes: Any) -> Told:
    told = Told()
    Entry(weights, way_to(shelf, models, **changes)).fetch(told, agreed=False, thorough=False)
    return told


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_the_hubs_files_come_with_a_record_that_names_the_commit(shelf: Shelf, tmp_path: Path, revision: str) -> None:
    told = got(shelf, tmp_path, entry(hub("*", revision=revision)))
    folder = folder_of(tmp_path, "tiny")
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    record = read_record(folder)
    assert record.revision == COMMIT
    assert {file.path: (file.bytes, file.sha256) for file in record.files} == {
        path: (len(content), sha256(content)) for path, content in FILES.items()
    }
    assert told.count == {f"tiny/{path}": len(content) for path, content in FILES.items()}
    assert sorted(path.name for path in folder.rglob("*")) == [
        "a b.json",
        "config.yaml",
        "model.pt",
        "sub",
        "weights.json",
    ]


def test_a_manifest_that_says_everything_needs_no_api(shelf: Shelf, tmp_path: Path) -> None:
    got(shelf, tmp_path, entry(hub(File("model.pt", len(LARGE), sha256(LARGE)))))
    assert [each.path for each in shelf.asked] == [MODEL]


CUT = Fault(cut=3000)
MENDED: dict[str, tuple[list[Fault], int]] = {
    "cut once": ([CUT], 2),
    "cut again and again, but further each time": ([Fault(cut=1000)] * 8, 9),
    "cut before the first byte": ([Fault(cut=0)], 2),
    "busy": ([Fault(429, {"Retry-After": "0"})], 2),
    "busy until a date that has passed": ([Fault(503, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})], 2),
    "broken": ([Fault(500), Fault(502), Fault(503), Fault(504)], 5),
    "silent": ([Fault(pause_s=0.5)], 2),
    "knows no ranges": ([CUT, Fault(ranges=False)], 2),
    "has another etag by now": ([CUT, Fault(etag='"new"')], 2),
    "continues elsewhere": ([CUT, Fault(start=5)], 3),
    "a weak etag": ([Fault(cut=3000, etag='W/"x"'), Fault(etag='W/"x"')], 2),
    "says no length": ([Fault(sized=False)], 1),
    "says no length and is cut": ([Fault(sized=False, cut=3000)], 2),
    "wrong end after a cut": ([CUT, Fault(content=WRONG, etag=f'"{sha256(LARGE)[:8]}"')], 3),
}
"""Faults, and how many requests it takes."""


@pytest.mark.parametrize("case", MENDED)
def test_what_passes_is_overcome(shelf: Shelf, tmp_path: Path, case: str) -> None:
    faults, requests = MENDED[case]
    shelf.fail(MODEL, *faults)
    told = got(shelf, tmp_path, entry(hub("model.pt")), patience_s=0.2)
    assert (folder_of(tmp_path, "tiny") / "model.pt").read_bytes() == LARGE
    assert told.count == {"tiny/model.pt": len(LARGE)}
    assert len(shelf.asked_for(MODEL)) == requests


REFUSED: dict[str, tuple[list[Fault], type[SmartTalkerError], str]] = {
    "wrong bytes": (
        [Fault(content=WRONG)],
        WeightsWrong,
        f"sha256 is {sha256(WRONG)}, and {sha256(LARGE)} is expected",
    ),
    "too short": ([Fault(content=LARGE[:-9])], WeightsWrong, "has 10,231 bytes, and 10,240 are expected"),
    "too long": ([Fault(content=LARGE + b"x")], WeightsWrong, "has 10,241 bytes, and 10,240 are expected"),
    "endless": ([Fault(content=LARGE * 9, sized=False)], WeightsWrong, "is longer than 10,240 bytes"),
    "forbidden": (
        [Fault(403)],
        ConfigurationError,
        "terms must be agreed to on the hub's page and SMARTTALKER_HUB",
    ),
    "unknown": ([Fault(401)], ConfigurationError, "SMARTTALKER_HUB_TOKEN"),
    "gone": ([Fault(404)], WeightsWrong, "is not there (404)"),
    "odd": ([Fault(418)], WeightsWrong, "answers 418"),
    "away": ([Fault(503, {"Retry-After": "0"})] * 5, SourceAway, "answers 503. A server of weights does not answer"),
    "silent": ([Fault(pause_s=0.5)] * 5, SourceAway, "127.0.0.1: timed out"),
    "circle": ([Fault(302, {"Location": MODEL})] * 30, WeightsWrong, "redirects"),
    "elsewhere": ([Fault(302, {"Location": "file:///etc/passwd"})] * 5, SourceAway, "unsupported protocol"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_pass_is_told(shelf: Shelf, tmp_path: Path, case: str) -> None:
    faults, kind, said = REFUSED[case]
    shelf.fail(MODEL, *faults)
    with pytest.raises(kind) as caught:
        got(shelf, tmp_path, entry(hub("model.pt")), patience_s=0.1)
    assert said in str(caught.value)
    assert FilesFetcher(entry(hub("model.pt")), way_to(shelf, tmp_path)).state() is not State.HERE
    assert not (tmp_path / "tiny" / "model.pt").exists()


def test_what_has_come_is_kept_until_the_next_run(shelf: Shelf, tmp_path: Path) -> None:
    shelf.fail(MODEL, CUT, *[Fault(500)] * 4)
    with pytest.raises(SourceAway):
        got(shelf, tmp_path, entry(hub("config.yaml", "model.pt")))
    fetcher = FilesFetcher(entry(hub("config.yaml", "model.pt")), way_to(shelf, tmp_path))
    assert (fetcher.state(), fetcher.size()) == (State.PART, len(LARGE) - 3000)
    shelf.asked.clear()
    got(shelf, tmp_path, entry(hub("config.yaml", "model.pt")))
    (asked,) = shelf.asked_for(MODEL)
    assert (asked.headers["Range"], asked.headers["If-Range"]) == ("bytes=3000-", f'"{sha256(LARGE)[:8]}"')
    assert not shelf.asked_for(f"/o/n/resolve/{COMMIT}/config.yaml")
    assert fetcher.state() is State.HERE


def test_a_part_of_something_else_is_not_continued(shelf: Shelf, tmp_path: Path) -> None:
    shelf.fail(MODEL, CUT, *[Fault(500)] * 4)
    with pytest.raises(SourceAway):
        got(shelf, tmp_path, entry(hub("model.pt")))
    shelf.hub("o/n", {"model.pt": LARGE[::-1]})
    shelf.asked.clear()
    got(shelf, tmp_path, entry(hub("model.pt")))
    assert "Range" not in shelf.asked_for(MODEL)[0].headers
    assert (folder_of(tmp_path, "tiny") / "model.pt").read_bytes() == LARGE[::-1]


def test_the_token_goes_to_the_hub_and_not_to_where_it_points(shelf: Shelf, tmp_path: Path) -> None:
    with serving() as cdn:
        shelf.contents.pop(MODEL)
        shelf.hub("o/n", FILES, cdn)
        got(shelf, tmp_path, entry(hub("model.pt")), hub_token=SecretStr("hf_secret"))
        assert {each.headers.get("Authorization") for each in shelf.asked} == {"Bearer hf_secret"}
        assert [each.headers.get("Authorization") for each in cdn.asked] == [None]


def test_a_release_page_gets_no_token(shelf: Shelf, tmp_path: Path) -> None:
    with serving() as page:
        page.contents["/v1/x.pth"] = LARGE
        release = Release((File("x.pth", None, sha256(LARGE), f"{page.url}/v1/x.pth"),))
        got(shelf, tmp_path, entry(release), hub_token=SecretStr("hf_secret"))
        assert [(each.method, each.headers.get("Authorization")) for each in page.asked] == [
            ("HEAD", None),
            ("GET", None),
        ]
    assert read_record(tmp_path / "tiny").revision.startswith("release-")


LIES: dict[str, tuple[Hub, dict[str, Any], str]] = {
    "another commit": (hub("model.pt"), {"sha": "f" * 40}, f"pins revision {COMMIT}, but the hub has {'f' * 40}"),
    "another size": (hub(File("model.pt", 7)), {}, "the manifest pins bytes 7, but o/n on the hub has 10240"),
    "another hash": (
        hub(File("model.pt", None, "0" * 64)),
        {},
        f"pins sha256 {'0' * 64}, but o/n on the hub has {sha256(LARGE)}",
    ),
    "no such file": (hub("other.pt"), {}, "o/n on the hub has no other.pt, which the manifest names"),
    "no such folder": (hub("other/*"), {}, "has no other/*"),
    "no commit": (hub("*"), {"sha": "main"}, "names no commit"),
    "no list": (hub("*"), {"siblings": None}, "gave no list of files"),
    "a path outside": (hub("*"), {"siblings": [{"rfilename": "../../x", "size": 1}]}, "is no path below a folder"),
    "an absolute path": (hub("*"), {"siblings": [{"rfilename": "/etc/x", "size": 1}]}, "is no path below a folder"),
    "our record": (hub("*"), {"siblings": [{"rfilename": "weights.json", "size": 1}]}, "keeps for itself"),
    "no size": (hub("*"), {"siblings": [{"rfilename": "x", "size": "1"}]}, "/x is not there (404)"),
}


@pytest.mark.parametrize("case", LIES)
def test_an_api_that_contradicts_the_manifest_or_lies_is_refused(shelf: Shelf, tmp_path: Path, case: str) -> None:
    source, changes, said = LIES[case]
    shelf.hub("o/n", FILES, **changes)
    with pytest.raises(WeightsWrong) as caught:
        got(shelf, tmp_path, entry(source))
    assert said in str(caught.value)
    assert list(tmp_path.rglob("*.pt")) == []


def test_no_json_is_told(shelf: Shelf, tmp_path: Path) -> None:
    shelf.contents[f"/api/models/o/n/revision/{COMMIT}"] = b"<html>"
    with pytest.raises(WeightsWrong, match="gave no JSON"):
        got(shelf, tmp_path, entry(hub("*")))


def test_two_at_once_fetch_once(shelf: Shelf, tmp_path: Path) -> None:
    shelf.fail(MODEL, Fault(pause_s=0.3))
    both = [threading.Thread(target=got, args=(shelf, tmp_path, entry(hub("model.pt")))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(shelf.asked_for(MODEL)) == 1
    assert (folder_of(tmp_path, "tiny") / "model.pt").read_bytes() == LARGE
