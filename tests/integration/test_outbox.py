"""What is sent, in which order, and once, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from core.errors import LeaseLost
from core.states import OutboxState, TurnEvent
from db import endings, outbox, overlooked, turns
from db.outbox import Verdict
from db.sessions import Database
from db.turns import Save
from tests.helpers import outbox_of, post, rows, turn_row

LEASE_S = 30.0


async def answered(database: Database, *kinds: str, event: TurnEvent | None = TurnEvent.RENDER, **where: Any) -> UUID:
    """A turn whose answer of these kinds waits in the outbox."""
    turn_id = await post(database, **where)
    claimed = await turns.claim(database, "r", LEASE_S)
    assert claimed is not None
    assert claimed.id == turn_id
    written = [{"kind": kind, "payload": {"text": kind}} for kind in kinds]
    await turns.save(database, claimed, Save(outbox=written, event=event))
    return turn_id


async def conversation(database: Database, turn_id: UUID) -> UUID:
    return UUID(str((await turn_row(database, turn_id))["conversation_id"]))


async def claim(database: Database, chat: UUID, lease_s: float = LEASE_S) -> Mapping[str, Any] | None:
    return await outbox.claim(database, chat, "c", lease_s)


async def sent(database: Database, chat: UUID) -> list[tuple[UUID | None, str]]:
    """Sends everything that may be sent, as a courier does."""
    found = []
    while (row := await claim(database, chat)) is not None:
        found.append((row["turn_id"], row["kind"]))
        await outbox.settle(database, row, Verdict(OutboxState.SENT))
    return found


async def test_delivery_takes_everything_in_order_and_ends_the_turns(database: Database) -> None:
    first = await answered(database, "text", "voice", "video")
    second = await answered(database, "text", event=None, after=first)
    settled = await outbox.deliver(database, await conversation(database, first))
    assert [(row["turn_id"], row["kind"]) for row in settled.rows] == [
        (first, "text"),
        (first, "voice"),
        (first, "video"),
        (second, "text"),
    ]
    assert settled.done == (first,)
    row = await turn_row(database, first)
    assert row["state"] == "done"
    assert row["ended_at"] is not None
    assert row["timings_ms"]["total"] >= 0
    assert (await turn_row(database, second))["state"] == "running"
    assert (await outbox.deliver(database, await conversation(database, first))).rows == ()


async def test_couriers_side_by_side_deliver_once(database: Database) -> None:
    first = await answered(database, "text", "voice", "video")
    chat = await conversation(database, first)
    settled = await asyncio.gather(*(outbox.deliver(database, chat) for _ in range(6)))
    assert sorted(len(each.rows) for each in settled) == [0, 0, 0, 0, 0, 3]
    assert [id for each in settled for id in each.done] == [first]


async def test_a_turn_whose_rows_went_out_before_it_was_rendered_still_ends(database: Database) -> None:
    turn_id = await post(database)
    chat = await conversation(database, turn_id)
    claimed = await turns.claim(database, "r", LEASE_S)
    assert claimed is not None
    await turns.save(database, claimed, Save(outbox=[{"kind": "text", "payload": {}}]))
    assert await sent(database, chat) == [(turn_id, "text")]
    await turns.save(database, claimed, Save(event=TurnEvent.RENDER))
    assert await overlooked.undelivered(database) == [chat]
    settled, due_s = await outbox.rest(database, chat)
    assert (settled.done, due_s) == ((turn_id,), None)
    assert await overlooked.undelivered(database) == []


async def test_parts_and_turns_go_in_order(database: Database) -> None:
    first = await answered(database, "text", "voice", "video")
    second = await answered(database, "text", "voice", after=first)
    chat = await conversation(database, first)
    assert await sent(database, chat) == [
        *((first, kind) for kind in ("text", "voice", "video")),
        *((second, kind) for kind in ("text", "voice")),
    ]
    assert [(await turn_row(database, id))["state"] for id in (first, second)] == ["done", "done"]


async def test_one_row_of_a_conversation_is_under_way_at_a_time(database: Database) -> None:
    first = await answered(database, "text", "voice")
    await answered(database, "text", after=first)
    chat = await conversation(database, first)
    claims = await asyncio.gather(*(claim(database, chat) for _ in range(6)))
    held = [row for row in claims if row is not None]
    assert [row["kind"] for row in held] == ["text"]
    other = await answered(database, "text")
    assert await claim(database, await conversation(database, other)) is not None


async def test_a_row_that_is_tried_again_later_holds_back_those_behind_it(database: Database) -> None:
    first = await answered(database, "text", "voice")
    chat = await conversation(database, first)
    row = await claim(database, chat)
    assert row is not None
    await outbox.settle(database, row, Verdict(OutboxState.PENDING, "away", delay_s=0.2))
    assert await claim(database, chat) is None
    await asyncio.sleep(0.25)
    assert [kind for _, kind in await sent(database, chat)] == ["text", "voice"]
    assert (await outbox_of(database, first))[0]["attempts"] == 2


@pytest.mark.parametrize("state", [OutboxState.FAILED, OutboxState.HELD, OutboxState.DELIVERED])
async def test_a_closed_row_holds_nothing_back(database: Database, state: OutboxState) -> None:
    first = await answered(database, "text")
    second = await answered(database, "text", after=first)
    chat = await conversation(database, first)
    row = await claim(database, chat)
    assert row is not None
    assert (await outbox.settle(database, row, Verdict(state))).done == (first,)
    assert await sent(database, chat) == [(second, "text")]


async def test_replies_to_commands_wait_for_nobody(database: Database) -> None:
    first = await answered(database, "text")
    chat = await conversation(database, first)
    assert await claim(database, chat) is not None
    values = "(conversation_id, kind, dedupe_key, payload) VALUES (:chat, 'menu', 'm', '{}')"
    await rows(database, f"INSERT INTO outbox {values} RETURNING id", chat=chat)
    row = await claim(database, chat)
    assert row is not None
    assert row["kind"] == "menu"


async def test_a_dead_senders_row_is_sent_once_more_marked_and_then_never_again(database: Database) -> None:
    first = await answered(database, "text", "voice")
    chat = await conversation(database, first)
    late = await claim(database, chat, lease_s=-1)
    assert late is not None
    assert await overlooked.recover(database) == {chat: 0.0}
    again = await claim(database, chat, lease_s=-1)
    assert again is not None
    assert (again["kind"], again["payload"]) == ("text", {"text": "text", "repeated": True})
    with pytest.raises(LeaseLost):
        await outbox.settle(database, late, Verdict(OutboxState.SENT))
    assert await overlooked.recover(database) == {chat: 0.0}
    assert (await outbox_of(database, first))[0]["state"] == "unknown"
    assert [kind for _, kind in await sent(database, chat)] == ["voice", "notice"]
    assert (await outbox_of(database, first))[-1]["payload"]["id"] == "notice-in-doubt"
    assert (await turn_row(database, first))["state"] == "done"


async def test_a_doubt_is_told_of_once_a_turn_and_never_of_itself(database: Database) -> None:
    first = await answered(database, "text", "voice")
    chat = await conversation(database, first)
    for _ in range(6):
        await claim(database, chat, lease_s=-1)
        await overlooked.recover(database)
    found = [(row["kind"], row["state"]) for row in await outbox_of(database, first)]
    assert found == [("text", "unknown"), ("voice", "unknown"), ("notice", "unknown")]


async def test_failed_tries_do_not_use_up_the_repetition(database: Database) -> None:
    first = await answered(database, "text")
    chat = await conversation(database, first)
    for _ in range(3):
        row = await claim(database, chat)
        assert row is not None
        await outbox.settle(database, row, Verdict(OutboxState.PENDING, "away"))
    await claim(database, chat, lease_s=-1)
    await overlooked.recover(database)
    assert (await outbox_of(database, first))[0]["state"] == "pending"


async def test_only_dead_senders_rows_are_recovered(database: Database) -> None:
    first = await answered(database, "text")
    chat = await conversation(database, first)
    row = await claim(database, chat)
    assert row is not None
    assert await overlooked.recover(database) == {}
    assert await overlooked.recover(database, "somebody else") == {}
    assert await overlooked.recover(database, "c") == {chat: 0.0}


async def test_cancelling_holds_what_is_not_sent_and_lets_later_turns_go(database: Database) -> None:
    first = await answered(database, "text", "voice", "video")
    second = await answered(database, "text", after=first)
    chat = await conversation(database, first)
    row = await claim(database, chat)
    assert row is not None
    assert await endings.cancel(database, first) == "cancelled"
    await outbox.settle(database, row, Verdict(OutboxState.SENT))
    assert [row["state"] for row in await outbox_of(database, first)] == ["sent", "held", "held"]
    assert await sent(database, chat) == [(second, "text")]
    assert [(await turn_row(database, id))["state"] for id in (first, second)] == ["cancelled", "done"]


async def test_cancelling_and_delivering_at_once_never_lock_each_other_out(database: Database) -> None:
    for _ in range(10):
        first = await answered(database, "text", "voice", "video")
        chat = await conversation(database, first)
        await asyncio.gather(endings.cancel(database, first), outbox.deliver(database, chat))
        state = (await turn_row(database, first))["state"]
        states = {row["state"] for row in await outbox_of(database, first)}
        assert (state, states) in [("done", {"delivered"}), ("cancelled", {"held"})]
