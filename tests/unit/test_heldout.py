"""The held-out tables are as large, as varied and as sound as the rates taken from them need.

A failure names rows by their place in the table, so that their words stay unread.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from bench import heldout
from bench.heldout import rows
from core.catalogue import Catalogue
from core.text.folding import fold

PERSONAS = ("layla", "omar", "sara")
EMOTIONS = {"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"}
DIALECTS = {"gulf", "egyptian", "levantine"}
KINDS = {"layla": {"specialty", "day"}, "omar": {"product", "day", "city"}, "sara": {"city", "day"}}
COLUMNS = {
    "questions": ("persona", "language", "dialect", "question", "id"),
    "offtopic": ("persona", "language", "question"),
    "followups": ("persona", "language", "first", "second", "id", "named"),
    "emotion": ("language", "dialect", "text", "emotion"),
    "utterances": ("text",),
}
SAID = {
    "questions": ("question",),
    "offtopic": ("question",),
    "followups": ("persona", "first", "second"),
    "emotion": ("text",),
    "utterances": ("text",),
}
ARABIC = re.compile("[\u0621-\u064a]")
Rows = list[dict[str, str]]


def faults(table: Rows, *, sound: Iterable[bool]) -> list[int]:
    """Places, from 1, of the rows that are not sound."""
    return [place for place, (_, fits) in enumerate(zip(table, sound, strict=True), start=1) if not fits]


def share(table: Rows, column: str, values: set[str]) -> float:
    return sum(row[column] in values for row in table) / len(table)


@pytest.mark.parametrize(("name", "columns"), COLUMNS.items())
def test_columns(name: str, columns: tuple[str, ...]) -> None:
    table = rows(name)
    assert tuple(table[0]) == columns
    filled = (all(value for column, value in row.items() if column != "named") for row in table)
    assert not faults(table, sound=filled)


@pytest.mark.parametrize(("name", "least"), [("questions", 52), ("offtopic", 22), ("followups", 12)])
def test_enough_for_each_persona(name: str, least: int) -> None:
    count = Counter(row["persona"] for row in rows(name))
    assert sorted(count) == list(PERSONAS)
    assert min(count.values()) >= least


@pytest.mark.parametrize("persona", PERSONAS)
def test_many_answers_are_asked_for(persona: str) -> None:
    count = Counter(row["id"] for row in rows("questions") if row["persona"] == persona)
    assert len(count) >= 45
    assert max(count.values()) <= 3


def test_share_of_languages() -> None:
    assert 0.28 <= share(rows("questions"), "language", {"en"}) <= 0.38
    for name in ("offtopic", "followups", "emotion"):
        assert 0.45 <= share(rows(name), "language", {"en"}) <= 0.55, name


def test_share_of_dialects() -> None:
    table, arabic = rows("questions"), [row for row in rows("emotion") if row["language"] == "ar"]
    assert share(table, "dialect", DIALECTS) >= 0.5
    assert min(share(table, "dialect", {dialect}) for dialect in DIALECTS) >= 0.15
    assert share(arabic, "dialect", DIALECTS) >= 0.45


@pytest.mark.parametrize("name", ["questions", "offtopic", "followups", "emotion"])
def test_languages_are_what_they_say(name: str) -> None:
    table = rows(name)
    texts = (" ".join(row[column] for column in SAID[name]) for row in table)
    written = ("ar" if ARABIC.search(text) else "en" for text in texts)
    sound = (row["language"] == language for row, language in zip(table, written, strict=True))
    assert not faults(table, sound=sound)


@pytest.mark.parametrize("name", ["questions", "emotion"])
def test_dialects_fit_the_language(name: str) -> None:
    known = {"en": {"english"}, "ar": DIALECTS | {"msa"}}
    table = rows(name)
    assert not faults(table, sound=(row["dialect"] in known[row["language"]] for row in table))


@pytest.mark.parametrize("name", SAID)
def test_nothing_stands_twice(name: str) -> None:
    places = defaultdict(list)
    for place, row in enumerate(rows(name), start=1):
        places[tuple(fold(row[column]) for column in SAID[name])].append(place)
    assert not [twice for twice in places.values() if len(twice) > 1]


def test_no_question_is_both_known_and_off_topic() -> None:
    asked = {fold(row["question"]) for row in rows("questions")}
    table = rows("offtopic")
    assert not faults(table, sound=(fold(row["question"]) not in asked for row in table))


@pytest.mark.parametrize("persona", PERSONAS)
def test_ids_are_the_personas(persona: str) -> None:
    avatar = Catalogue(Path(__file__).parents[2]).avatar(persona)
    known = {answer.id for answer in avatar.persona.answers}
    tables = (row for name in ("questions", "followups") for row in rows(name))
    wanted = {part for row in tables if row["persona"] == persona for part in row["id"].split("|")}
    assert wanted <= known, sorted(wanted - known)


def test_entities_are_of_a_kind_that_the_persona_has() -> None:
    table = rows("followups")
    kinds = (row["named"].partition("=")[0] for row in table)
    sound = (not kind or kind in KINDS[row["persona"]] for row, kind in zip(table, kinds, strict=True))
    assert not faults(table, sound=sound)
    assert sum(bool(row["named"]) for row in table) >= len(table) // 2


def test_emotions() -> None:
    table = rows("emotion")
    assert not faults(table, sound=(set(row["emotion"].split("|")) <= EMOTIONS for row in table))
    for language in ("ar", "en"):
        count = Counter(row["emotion"].split("|")[0] for row in table if row["language"] == language)
        assert set(count) == EMOTIONS
        assert min(count.values()) >= 9
        assert max(count.values()) - min(count.values()) <= 2
    assert not faults(table, sound=(len(row["text"].split()) > 1 for row in table))


def test_utterances_can_be_spoken() -> None:
    table = rows("utterances")
    lengths = [len(row["text"].split()) for row in table]
    assert len(table) >= 66
    assert sum(4 <= length <= 10 for length in lengths) >= len(table) // 2
    assert not faults(table, sound=(re.fullmatch(r"[a-z][a-z' ]+", row["text"]) is not None for row in table))


@pytest.mark.parametrize(
    ("lines", "message"),
    [("a\tb\n1\t2\n3\n", r"rows \[2\] do not have 2 cells"), ("# told\na\tb\n1\t2\t3\n", r"rows \[1\]")],
)
def test_ragged_rows_are_refused(lines: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ragged.tsv").write_text(lines, encoding="utf-8")
    monkeypatch.setattr(heldout, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=message):
        rows("ragged")


def test_comments_are_skipped_and_cells_stripped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.tsv").write_text('# told\na\tb\n 1 \t"2\n3\t\n', encoding="utf-8")
    monkeypatch.setattr(heldout, "FOLDER", tmp_path)
    assert rows("small") == [{"a": "1", "b": '"2'}, {"a": "3", "b": ""}]
