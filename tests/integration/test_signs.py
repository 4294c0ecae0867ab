"""The sign that an answer is being made, and the word about the wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.channels.base import Chat
from core.errors import PlatformAway
from core.queue import Queue
from core.states import TurnState
from db import switches, turns
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, rows
from tests.platforms import Platform, make_office
from worker.signs import Signs, ended, seconds_left, sign_key

CREDENTIALS = {"telegram_token": "1:a"}


@dataclass
class Signal(Platform):
    """Remembers the signs that it showed."""

    shown: list[tuple[str, bool, str | None]] = field(default_factory=list)
    away: bool = False

    async def progress(self, chat: Chat, *, uploading: bool, message_id: str | None) -> None:
        self.shown.append((chat.id, uploading, message_id))
        if self.away:
            raise PlatformAway


@pytest.fixture
def signal() -> Signal:
    return Signal()


@pytest.fixture
def signs(database: Database, queue: Queue, tmp_path: Path, signal: Signal) -> Signs:
    return Signs(make_office(database, queue, tmp_path, signal, **CREDENTIALS)[0])


async def ask(database: Database, chat: str = "7", said: str = "hello") -> str:
    message = inbound(said, channel="telegram", account="bot", chat_id=chat, sender_id=chat, message_id="q1")
    return (await accept(database, message, avatar="layla")).turn_id or ""


async def pace(database: Database, seconds: float) -> None:
    """One turn was done, in so many seconds."""
    await ask(database, "before")
    claimed = await turns.claim(database, "r", 30)
    assert claimed is not None
    change = "UPDATE turns SET state = 'done', rendered_at = started_at + make_interval(secs => :s) RETURNING id"
    await rows(database, change, s=seconds)


async def waiting_since(database: Database, seconds: float) -> None:
    change = "UPDATE turns SET created_at = now() - make_interval(secs => :s) WHERE state <> 'done' RETURNING id"
    await rows(database, change, s=seconds)


async def test_a_sign_is_shown_and_renewed_when_it_ends(
    signs: Signs, signal: Signal, database: Database, queue: Queue
) -> None:
    turn = await ask(database)
    await signs.look()
    await signs.look()
    assert signal.shown == [("7", False, "q1")]
    conversation = (await rows(database, "SELECT conversation_id FROM turns WHERE id = :id", id=turn))[0]
    key = sign_key(conversation["conversation_id"])
    assert 2000 < await queue.pool.pttl(key) <= 4000
    await queue.pool.delete(key)
    await signs.look()
    assert len(signal.shown) == 2


async def test_a_message_that_arrives_ends_the_sign_and_whoever_still_waits_sees_it_again(
    signs: Signs, signal: Signal, database: Database, queue: Queue
) -> None:
    await ask(database)
    await signs.look()
    chat = (await rows(database, "SELECT conversation_id FROM turns"))[0]["conversation_id"]
    await ended(queue, chat)
    await signs.look()
    assert len(signal.shown) == 2


async def test_nobody_who_has_an_answer_sees_a_sign(signs: Signs, signal: Signal, database: Database) -> None:
    await ask(database)
    await rows(database, "UPDATE turns SET state = 'rendered' RETURNING id")
    await signs.look()
    assert signal.shown == []


async def test_nobody_who_left_sees_a_sign(signs: Signs, signal: Signal, database: Database) -> None:
    await ask(database)
    await rows(database, "UPDATE conversations SET reachable = false RETURNING id")
    await signs.look()
    assert signal.shown == []


async def test_a_pause_promises_nobody_anything_but_what_is_running(
    signs: Signs, signal: Signal, database: Database
) -> None:
    await pace(database, 40.0)
    await ask(database, "runs")
    assert await turns.claim(database, "r", 30)
    await ask(database, "waits")
    await waiting_since(database, 1.0)
    async with database.begin() as connection:
        await switches.turn_on(connection, switches.PAUSED)
    await signs.look()
    told = "SELECT external_chat_id FROM outbox JOIN conversations ON conversations.id = conversation_id"
    assert [chat for chat, _, _ in signal.shown] == ["runs"]
    assert [row["external_chat_id"] for row in await rows(database, told)] == ["runs"]
    async with database.begin() as connection:
        await switches.turn_off(connection, switches.PAUSED)
    await signs.look()
    assert [chat for chat, _, _ in signal.shown] == ["runs", "waits"]
    assert len(await rows(database, told)) == 2


async def test_a_platform_that_is_away_keeps_nobody_else_waiting(
    signs: Signs, signal: Signal, database: Database
) -> None:
    signal.away = True
    await ask(database, "7")
    await ask(database, "8")
    await signs.look()
    assert sorted(chat for chat, _, _ in signal.shown) == ["7", "8"]


@pytest.mark.parametrize(
    ("seconds", "ahead", "told"),
    [(4.0, 0, []), (4.0, 3, ["notice-wait-place"]), (40.0, 1, ["notice-wait-place"]), (None, 3, [])],
)
async def test_whoever_waits_long_is_told_once(
    signs: Signs, database: Database, seconds: float | None, ahead: int, told: list[str]
) -> None:
    if seconds is not None:
        await pace(database, seconds)
    for number in range(ahead + 1):
        last = await ask(database, f"chat {number}")
    await waiting_since(database, 1.0)
    await signs.look()
    await signs.look()
    notices = await rows(database, "SELECT payload FROM outbox WHERE turn_id = :id", id=last)
    assert [row["payload"]["id"] for row in notices] == told


async def test_whoever_is_next_hears_of_the_seconds_alone(signs: Signs, database: Database) -> None:
    await pace(database, 40.0)
    turn = await ask(database)
    assert await turns.claim(database, "r", 30)
    await waiting_since(database, 1.0)
    await signs.look()
    notices = await rows(database, "SELECT payload FROM outbox WHERE turn_id = :id", id=turn)
    assert [row["payload"]["id"] for row in notices] == ["notice-wait"]


@pytest.mark.parametrize(
    ("turn", "mean", "left"),
    [
        ({"state": TurnState.QUEUED, "place": 0}, 8.0, 8.0),
        ({"state": TurnState.QUEUED, "place": 4}, 8.0, 40.0),
        ({"state": TurnState.RUNNING, "running_s": 3.0}, 8.0, 5.0),
        ({"state": TurnState.RUNNING, "running_s": 30.0}, 8.0, 30.0),
    ],
)
def test_the_estimate(turn: dict[str, object], mean: float, left: float) -> None:
    assert seconds_left(turn, mean) == left
