"""Whose turn comes first: who sends fifty messages holds nobody up, and where nobody else waits nothing is delayed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from bot.administration import queue as administration
from core.states import TurnEvent
from core.storage import Storage
from db import fetching, limits, prepared, turns, views
from db.sessions import Database
from db.turns import Claimed, Save
from tests.helpers import post, rows, turn_row

ONE_PERSON = 50
"""Messages of the one who sends many."""


async def advance(database: Database, seconds: float) -> None:
    """So much time goes by, for places in the line."""
    for table in ("turns", "conversations"):
        change = f"UPDATE {table} SET fair_at = fair_at - make_interval(secs => :s) RETURNING id"
        await rows(database, change, s=seconds)


async def answer(database: Database) -> Claimed | None:
    """The turn that is claimed now, rendered at once."""
    claimed = await turns.claim(database, "r", 30.0)
    if claimed is not None:
        await turns.save(database, claimed, Save(event=TurnEvent.RENDER))
    return claimed


async def places(database: Database, turn_id: UUID) -> list[float]:
    """Of the conversation's turns in their order: seconds between this moment and the place of each."""
    asked = (
        "SELECT extract(epoch FROM fair_at - now())::float AS s FROM turns"
        " WHERE conversation_id = (SELECT conversation_id FROM turns WHERE id = :id) ORDER BY seq"
    )
    return [row["s"] for row in await rows(database, asked, id=turn_id)]


async def test_who_sends_fifty_does_not_hold_up_the_others(database: Database) -> None:
    first = await post(database)
    await asyncio.gather(*(post(database, after=first) for _ in range(ONE_PERSON - 1)))
    others = [await post(database) for _ in range(5)]
    line = []
    while (claimed := await answer(database)) is not None:
        line.append(claimed)
    many = (await turn_row(database, first))["conversation_id"]
    theirs = [claimed.turn["seq"] for claimed in line if claimed.turn["conversation_id"] == many]
    assert theirs == list(range(1, ONE_PERSON + 1))
    third = next(at for at, claimed in enumerate(line) if claimed.turn["seq"] == 3)
    assert set(others) <= {claimed.id for claimed in line[:third]}


async def test_places_of_a_conversation_lie_apart_and_are_given_back_when_it_is_answered(database: Database) -> None:
    first = await post(database)
    for _ in range(3):
        await post(database, after=first)
    assert await places(database, first) == pytest.approx([0, 30, 60, 90], abs=2)
    for _ in range(3):
        assert await answer(database) is not None
    last = await post(database, after=first)
    # One is open still: the next stands no further back than behind it.
    assert (await places(database, last))[-1] == pytest.approx(30, abs=2)
    while await answer(database) is not None:
        pass
    assert (await places(database, await post(database, after=first)))[-1] == pytest.approx(0, abs=2)


@dataclass
class Day:
    """One worker, people who write when they like, and turns that take as long as they take."""

    database: Database
    chance: Random
    people: dict[int, UUID] = field(default_factory=dict)
    open: Counter[int] = field(default_factory=Counter)
    whose: dict[UUID, int] = field(default_factory=dict)
    passed: dict[UUID, Counter[int]] = field(default_factory=dict)
    """Of a turn that waits with none of its own before it: whose were claimed since it came, how often."""
    seen: dict[int, list[int]] = field(default_factory=dict)

    async def say(self, person: int) -> None:
        known: dict[str, Any] = {"after": self.people[person]} if person in self.people else {}
        turn_id = await post(self.database, **known)
        self.people.setdefault(person, turn_id)
        self.whose[turn_id] = person
        if not self.open[person]:
            self.passed[turn_id] = Counter()
        self.open[person] += 1

    async def work(self) -> None:
        """Claims what comes first; others write while it is at work."""
        claimed = await turns.claim(self.database, "r", 30.0)
        assert (claimed is not None) == (self.open.total() > 0), "nobody waits where there is somebody to serve"
        if claimed is None:
            return
        person = self.whose[claimed.id]
        self.seen.setdefault(person, []).append(claimed.turn["seq"])
        since = self.passed.pop(claimed.id, Counter())
        assert all(count <= 1 for count in since.values()), f"held up by one who came with many: {since}"
        for waiting in self.passed.values():
            waiting[person] += 1
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            await advance(self.database, self.chance.uniform(1, 60))
            await self.say(self.chance.randrange(5))
        await advance(self.database, self.chance.uniform(1, 60))
        await turns.save(self.database, claimed, Save(event=TurnEvent.RENDER))
        self.open[person] -= 1


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_comes_is_served_after_at_most_one_of_each_other(database: Database, seed: int) -> None:
    chance = Random(seed)
    day = Day(database, chance)
    for person in (0, 0, 0, 0, 0, 0, 1, 1, 2):
        await day.say(person)
    for _ in range(25):
        await day.work()
    while day.open.total():
        claimed = await answer(database)
        assert claimed is not None
        day.seen.setdefault(day.whose[claimed.id], []).append(claimed.turn["seq"])
        day.open[day.whose[claimed.id]] -= 1
    assert all(one < other for seen in day.seen.values() for one, other in pairwise(seen))


async def test_turns_that_take_long_leave_their_place_to_whoever_came_meanwhile(database: Database) -> None:
    first = await post(database)
    for _ in range(3):
        await post(database, after=first)
    assert await answer(database) is not None
    await advance(database, 100)
    second = await turns.claim(database, "r", 30.0)
    assert second is not None
    assert (await places(database, first))[2:] == pytest.approx([30, 60], abs=2)
    other = await post(database)
    await turns.save(database, second, Save(event=TurnEvent.RENDER))
    claimed = await answer(database)
    assert claimed is not None
    assert claimed.id == other


async def test_every_way_into_the_queue_has_a_place_behind_the_conversation_s_own(
    database: Database, tmp_path: Path
) -> None:
    failed = await post(database, "failed")
    claimed = await turns.claim(database, "r", 30.0)
    assert claimed is not None
    await turns.save(database, claimed, Save(columns={"error": {"code": "x"}}, event=TurnEvent.FAIL))
    recording = await post(database, None, after=failed, remote={"kind": "voice"})
    conversation = claimed.turn["conversation_id"]
    async with database.begin() as connection:
        await administration.retry(connection, Storage(tmp_path), actor="a", turn=str(failed))
        assert await prepared.add(connection, conversation, text="t", language="en", avatar="layla") is not None
    assert (await places(database, recording))[1:] == pytest.approx([0, 30, 60], abs=2)
    fetched = await fetching.claim(database, recording, "c", 30.0)
    assert fetched is not None
    assert await fetching.arrived(database, fetched, "a.wav")
    assert (await places(database, recording))[1:] == pytest.approx([0, 30, 60], abs=2)


async def test_the_page_tells_the_place_in_the_line(database: Database) -> None:
    first = await post(database)
    second = await post(database, after=first)
    other = await post(database)
    told = [await views.turn(database, turn_id) for turn_id in (first, other, second)]
    assert [row["queue_position"] for row in told if row is not None] == [1, 2, 3]
    assert await turns.claim(database, "r", 30.0) is not None
    told = [await views.turn(database, turn_id) for turn_id in (first, other, second)]
    assert [row["queue_position"] for row in told if row is not None] == [0, 2, 3]


async def test_a_conversation_that_is_gone_has_no_place(database: Database) -> None:
    async with database.begin() as connection:
        assert await limits.place(connection, UUID(int=7), limits.Caps(queue=5, open=5, video_s=5)) is None
