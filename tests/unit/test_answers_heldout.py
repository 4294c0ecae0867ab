"""The engine `answers` on the held-out tables: rates a table, a language and a dialect, never a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from core.catalogue import Catalogue
from core.persona import Persona
from tests.heldout import rows
from worker.engines.llm.answers import Answers, Choice
from worker.engines.llm.base import Message

ENGINE = Answers()
CATALOGUE = Catalogue(Path(__file__).parents[2])


@cache
def persona(name: str) -> Persona:
    return CATALOGUE.avatar(name).persona


def said(row: Mapping[str, str], *messages: str) -> Choice:
    """What the engine chooses to say to the last of the user's messages."""
    history: list[Message] = []
    for text in messages:
        history.append(Message("user", text))
        choice = ENGINE.choose(history, persona=persona(row["persona"]), language=row["language"])
        history.append(Message("assistant", choice.text))
    return choice


def rates(results: Iterable[tuple[str, bool]]) -> dict[str, float]:
    """The share of successes by group, and of all; printed, so that `pytest -rP` shows it."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for group, right in results:
        groups[group].append(right)
        groups["all"].append(right)
    table = {group: sum(right) / len(right) for group, right in groups.items()}
    for group, rate in sorted(table.items()):
        print(f"{group:16} {len(groups[group]):4} {rate:7.1%}")
    return table


def test_paraphrases_find_their_answer() -> None:
    found = rates(
        (f"{row['language']} {row['dialect']}".strip(), said(row, row["question"]).ids[:1] in _ids(row))
        for row in rows("questions")
    )
    assert found["all"] >= 0.85
    assert min(rate for group, rate in found.items()) >= 0.7


def _ids(row: Mapping[str, str]) -> set[tuple[str, ...]]:
    return {(name,) for name in row["id"].split("|")}


def test_one_question_gets_one_answer() -> None:
    assert sum(len(said(row, row["question"]).ids) > 1 for row in rows("questions")) <= len(rows("questions")) * 0.03


def test_other_matters_are_refused() -> None:
    refused = rates((row["language"], not said(row, row["question"]).ids) for row in rows("offtopic"))
    assert refused["all"] >= 0.9
    assert min(refused.values()) >= 0.85


def test_follow_ups_are_understood() -> None:
    assert rates((row["language"], _follows(row)) for row in rows("followups"))["all"] >= 0.8


def _follows(row: Mapping[str, str]) -> bool:
    choice = said(row, row["first"], row["second"])
    kind, _, thing = row["named"].partition("=")
    return choice.ids[:1] in _ids(row) and (not kind or choice.named.get(kind) == thing)
