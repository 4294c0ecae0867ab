"""The engine `answers` on the held-out tables: rates a table, a language and a dialect, never a row."""

from __future__ import annotations

import pytest

from bench.heldout import rows
from bench.wits.answering import choice_for, followed, found, refused
from worker.engines.llm.answers import Answers


@pytest.fixture(scope="module")
def engine() -> Answers:
    return Answers()


def test_paraphrases_find_their_answer(engine: Answers) -> None:
    rates = found(engine)
    print(rates)
    assert rates["all"] >= 0.85
    assert min(rates.values()) >= 0.7


def test_one_question_gets_one_answer(engine: Answers) -> None:
    several = sum(len(choice_for(engine, row, row["question"]).ids) > 1 for row in rows("questions"))
    assert several <= len(rows("questions")) * 0.03


def test_other_matters_are_refused(engine: Answers) -> None:
    rates = refused(engine)
    print(rates)
    assert rates["all"] >= 0.9
    assert min(rates.values()) >= 0.85


def test_follow_ups_are_understood(engine: Answers) -> None:
    rates = followed(engine)
    print(rates)
    assert rates["all"] >= 0.8
    assert min(rates.values()) >= 0.7
