"""`answers` on paraphrases, other matters and follow-ups that nobody who made it had seen."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import cache

from bench.figures import Figures
from bench.heldout import Row, rows
from bench.wits.rates import Rates, rates
from core.catalogue import Catalogue
from core.persona import Persona
from core.settings import HOME
from worker.engines.llm.answers import Answers, Choice
from worker.engines.llm.base import Message

_CATALOGUE = Catalogue(HOME)


@cache
def persona(name: str) -> Persona:
    return _CATALOGUE.avatar(name).persona


def choice_for(engine: Answers, row: Row, *messages: str) -> Choice:
    """What is chosen for the last of a person's messages."""
    history: list[Message] = []
    for text in messages:
        history.append(Message("user", text))
        choice = engine.choose(history, persona=persona(row["persona"]), language=row["language"])
        history.append(Message("assistant", choice.text))
    return choice


def found(engine: Answers) -> Rates:
    """The right answer first; by language and dialect."""
    return rates(
        ((row["language"], row["dialect"]), _first(choice_for(engine, row, row["question"])) in _ids(row))
        for row in rows("questions")
    )


def refused(engine: Answers) -> Rates:
    """Other matters that got no answer, by language."""
    return rates(((row["language"],), not choice_for(engine, row, row["question"]).ids) for row in rows("offtopic"))


def followed(engine: Answers) -> Rates:
    """Second messages that got the right answer about the right thing, by language."""
    return rates(((row["language"],), _follows(engine, row)) for row in rows("followups"))


def measure() -> Figures:
    engine = Answers()
    shares = {"answers_found": found(engine), "answers_refused": refused(engine), "answers_followed": followed(engine)}
    figures = {f"{name}_{group}": share for name, table in shares.items() for group, share in table.items()}
    return {**figures, "answers_ms": _milliseconds(engine, rows("questions"))}


def _milliseconds(engine: Answers, table: Iterable[Row]) -> float:
    """A message, on average, with every persona prepared."""
    asked = list(table)
    began = time.perf_counter()
    for row in asked:
        choice_for(engine, row, row["question"])
    return (time.perf_counter() - began) / len(asked) * 1000


def _first(choice: Choice) -> str | None:
    return next(iter(choice.ids), None)


def _ids(row: Row) -> list[str]:
    return row["id"].split("|")


def _follows(engine: Answers, row: Row) -> bool:
    choice = choice_for(engine, row, row["first"], row["second"])
    kind, _, thing = row["named"].partition("=")
    return _first(choice) in _ids(row) and (not kind or choice.named.get(kind) == thing)
