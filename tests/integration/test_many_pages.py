"""What pages and administrators ask stays quick where 100,000 turns lie: an index finds it, and little else is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.administration import stats
from db import admin, audit, people, views
from tests.many import TURNS, Explained, conversation_id, turn_id

PAGE = conversation_id(9)
OLD, QUEUED = turn_id(8), turn_id(TURNS + 8)
"""Turns of it."""
Ask = Callable[[Explained], Awaitable[Any]]

FEW = 30
PERSON = 130
"""The rows of one person lie scattered over the table; so many pages, of thousands, hold them and the ways to them."""
OPEN = 1200
"""2,000 turns are queued, and the newest of two days have ended today at most."""


def within(ask: Callable[..., Awaitable[Any]], *args: Any) -> Ask:
    """`ask` is given a transaction."""

    async def asked(database: Explained) -> Any:
        async with database.begin() as connection:
            return await ask(connection, *args)

    return asked


ASKED: dict[str, tuple[Ask, int]] = {
    "an old turn": (lambda d: views.turn(d, OLD), FEW),
    "a queued turn": (lambda d: views.turn(d, QUEUED), FEW),
    "a conversation": (lambda d: views.conversation(d, PAGE), OPEN),
    "a socket": (lambda d: views.conversation(d, PAGE, limit=20), OPEN),
    "how long a turn takes": (views.seconds_a_turn, FEW),
    "the queue's depth": (views.states, OPEN),
    "figures": (within(stats.read), OPEN),
    "failures": (within(admin.failures), PERSON),
    "people": (within(admin.people), PERSON),
    "the list of turns": (within(admin.queue, 8, 16), OPEN),
    "how long the list is": (within(admin.queue_length), OPEN),
    "whom to ring for": (within(admin.waiting, 10), FEW),
    "a turn's short id": (within(admin.turns_named, str(OLD)[:8]), FEW),
    "the log": (within(audit.newest, 10), FEW),
    "a person's use": (within(people.usage, PAGE), PERSON),
    "all of a person": (within(people.kept, PAGE), 6 * PERSON),
    "a person's files": (within(people.belongings, PAGE), PERSON),
}


@pytest.mark.parametrize("name", ASKED)
async def test_an_index_finds_it(many_turns: Explained, name: str) -> None:
    ask, most = ASKED[name]
    assert await ask(many_turns) is not None
    assert many_turns.plans
    for plan in many_turns.plans:
        assert not plan.read_whole, plan
        assert plan.blocks <= most, plan


async def test_a_table_read_whole_is_noticed(many_turns: Explained) -> None:
    async with many_turns.begin() as connection:
        await connection.exec_driver_sql("SELECT count(*) FROM turns WHERE answer LIKE '%7'")
    (plan,) = many_turns.plans
    assert plan.read_whole == ["turns"]
    assert plan.blocks > 2 * OPEN
