"""What workers, pages, administrators and retention ask stays quick where 100,000 turns lie and 2,000 wait: an index
finds it, and little else is read. One file, so that one worker of pytest-xdist fills one database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import stats
from core.errors import QueueFull
from core.messages import Status
from core.settings import Settings
from db import (
    admin,
    audit,
    entering,
    fetching,
    limits,
    outbox,
    overlooked,
    people,
    retention,
    statuses,
    turns,
    views,
    waiting,
)
from db.limits import Caps
from db.migrate import upgrade
from db.sessions import Database
from tests.conftest import new_database
from tests.helpers import inbound
from tests.many import DAYS, QUEUED, TURNS, Explained, conversation_id, fill, turn_id

CHAT, CROWD = conversation_id(10), conversation_id(20)
PAGE = conversation_id(9)
OLD, WAITING = turn_id(8), turn_id(TURNS + 8)
"""Turns of it."""
ALL = Caps(queue=QUEUED + 1000, open=10, video_s=1800)
FOLLOWING = f"""
INSERT INTO turns (id, conversation_id, seq, state, avatar, modes, fair_at)
SELECT gen_random_uuid(), '{CROWD}', 1000 + n, 'queued', 'layla', '{{text}}', now() - interval '1 day'
FROM generate_series(1, 300) n
"""
"""The first of the conversation waits too: the claim steps over these three hundred."""
SENDABLE = f"""
INSERT INTO outbox (conversation_id, turn_id, turn_seq, kind, dedupe_key, payload)
SELECT conversation_id, id, seq, 'text', 'to send ' || id, '{{}}' FROM turns
WHERE conversation_id = '{CHAT}' AND state = 'queued'
"""
LOST = "UPDATE outbox SET state = 'sending', lease_owner = 'r', lease_until = now() - interval '1 s' WHERE id = 7"
RUNNING = f"""
UPDATE turns SET state = 'running', lease_owner = 'r', lease_until = now() - interval '1 s'
WHERE id = '{turn_id(TURNS + 9)}'
"""


FEW = 30
PERSON = 130
"""The rows of one person lie scattered over the table; so many pages, of thousands, hold them and the ways to them."""
OPEN = 1200
"""2,000 turns are queued, and the newest of two days have ended today at most."""
REMOVED = 50 * retention.BATCH
"""Pages of all indexes of a table, for each row; what is removed once need not be quick, but must not grow."""

Ask = Callable[[Database], Awaitable[Any]]


@pytest.fixture(scope="module")
def many_url(servers: Settings) -> Iterator[str]:
    """A database that has seen 100,000 turns; who changes it undoes that."""
    with new_database(servers.database_url) as url:
        upgrade(url)
        fill(url)
        yield url


async def place(database: Database) -> limits.Place | None:
    async with database.begin() as connection:
        return await limits.place(connection, CHAT, ALL)


async def named_otherwise(database: Database) -> entering.Entry | None:
    async with entering.entering(database, inbound(channel="telegram", known_as=("unknown", "nobody"))) as entry:
        return entry


async def full(database: Database) -> QueueFull:
    async with database.begin() as connection:
        with pytest.raises(QueueFull) as refused:
            await limits.place(connection, CHAT, Caps(queue=QUEUED))
    return refused.value


async def claimed(database: Database) -> turns.Claimed:
    found = await turns.claim(database, "r", 30.0)
    assert found is not None
    assert found.waiting == turns.WAITING
    return found


def within(ask: Callable[..., Awaitable[Any]], *args: Any) -> Ask:
    """`ask` is given a transaction."""

    async def asked(database: Database) -> Any:
        async with database.begin() as connection:
            return await ask(connection, *args)

    return asked


async def remove(connection: AsyncConnection) -> int:
    marked = await retention.mark(connection, await retention.old(connection, DAYS / 2))
    assert len(marked) == retention.BATCH
    assert not await retention.in_use(connection, set().union(*(each.folders for each in marked)))
    return await retention.remove(connection, [each.id for each in marked])


OF_WORKERS: dict[str, tuple[str, Ask, int]] = {
    "claim": ("", claimed, 150),
    "claim behind others": (FOLLOWING, claimed, 1500),
    "stranded": ("", turns.stranded, 600),
    "free_expired": (RUNNING, turns.free_expired, 60),
    "take_back": (RUNNING, lambda d: turns.take_back(d, "r"), 60),
    "place": ("", place, QUEUED),
    "place in a full queue": ("", full, QUEUED),
    "outbox claim": (SENDABLE, lambda d: outbox.claim(d, CHAT, "c", 30.0), 150),
    "outbox rest": ("", lambda d: outbox.rest(d, CHAT), 60),
    "undelivered": (SENDABLE, overlooked.undelivered, 60),
    "recover": (LOST, overlooked.recover, 60),
    "recover a name": (LOST, lambda d: overlooked.recover(d, "r"), 60),
    "release": ("", lambda d: overlooked.release(d, CHAT), 300),
    "fetching": ("", fetching.waiting, 30),
    "who is shown a sign": ("", lambda d: waiting.watching(d, ["telegram", "web"]), 2 * OPEN),
    "a status": ("", lambda d: statuses.told(d, Status("web", "web", "event", "unknown", "delivered")), FEW),
    "another name": ("", named_otherwise, 60),
}
"""What lies there beforehand, what is asked, and how many pages of 8 KiB it may look at; turns alone have thousands."""
OF_PEOPLE: dict[str, tuple[Ask, int]] = {
    "an old turn": (lambda d: views.turn(d, OLD), FEW),
    "a queued turn": (lambda d: views.turn(d, WAITING), FEW),
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
OF_RETENTION: dict[str, Ask] = {
    "turns": within(remove),
    "old": within(retention.old, DAYS / 2),
    "oldest": within(retention.oldest),
    "replies": within(retention.remove_replies, DAYS / 2),
    "tasks": within(retention.remove_tasks, DAYS / 2),
    "events": within(retention.remove_events, DAYS / 2),
    "at work": within(retention.at_work),
    "going out": within(retention.going_out),
}
ASKED = {
    **OF_WORKERS,
    **{name: ("", ask, most) for name, (ask, most) in OF_PEOPLE.items()},
    **{f"retention: {name}": ("", ask, REMOVED) for name, ask in OF_RETENTION.items()},
}


@pytest.mark.parametrize("name", ASKED)
async def test_an_index_finds_it(many_url: str, name: str) -> None:
    before, ask, pages = ASKED[name]
    database = Explained(many_url, before)
    assert await ask(database) is not None
    await database.close()
    assert database.plans
    for plan in database.plans:
        assert not plan.read_whole, plan
        assert plan.blocks <= pages, plan


async def test_a_table_read_whole_is_noticed(many_url: str) -> None:
    database = Explained(many_url)
    async with database.begin() as connection:
        await connection.exec_driver_sql("SELECT count(*) FROM turns WHERE answer LIKE '%7'")
    await database.close()
    (plan,) = database.plans
    assert plan.read_whole == ["turns"]
    assert plan.blocks > 2 * OPEN
