"""Claims, leases, fences and ends of turns, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from core.errors import LeaseLost
from core.states import ENDS, TurnEvent, TurnState, sources
from db import endings, fetching, turns
from db.sessions import Database
from db.turns import Claimed, Save
from tests.helpers import outbox_of, post, rows, turn_row

LEASE_S = 30.0


async def take(database: Database, owner: str = "a", lease_s: float = LEASE_S) -> Claimed:
    claimed = await turns.claim(database, owner, lease_s)
    assert claimed is not None
    return claimed


async def render(database: Database, claimed: Claimed) -> None:
    await turns.save(database, claimed, Save(event=TurnEvent.RENDER))


async def force(database: Database, turn_id: UUID, state: TurnState) -> None:
    """Puts the row into a state, with what belongs to it."""
    lease = ", lease_owner = 'a', lease_until = now() + interval '30 s', fence = 1" if state == "running" else ""
    await rows(database, f"UPDATE turns SET state = :state{lease} WHERE id = :id RETURNING id", state=state, id=turn_id)


async def test_the_oldest_goes_first_and_a_conversation_one_by_one(database: Database) -> None:
    first = await post(database)
    second = await post(database, after=first)
    other = await post(database)
    one, two = await take(database), await take(database)
    assert [one.id, two.id] == [first, other]
    assert await turns.claim(database, "b", LEASE_S) is None
    await render(database, one)
    assert (await take(database)).id == second


@pytest.mark.parametrize("state", TurnState)
async def test_a_later_turn_waits_until_the_earlier_is_rendered_or_has_ended(
    database: Database, state: TurnState
) -> None:
    first = await post(database)
    second = await post(database, after=first)
    await force(database, first, state)
    await rows(database, "UPDATE turns SET not_before = now() + interval '1 h' WHERE id = :id RETURNING id", id=first)
    claimed = await turns.claim(database, "a", LEASE_S)
    waits = state in (TurnState.RECEIVED, TurnState.QUEUED, TurnState.RUNNING)
    assert (claimed is None) == waits
    assert waits or (claimed is not None and claimed.id == second)


async def test_a_claim_tells_how_long_the_turn_is_here_and_who_waits(database: Database) -> None:
    first = await post(database)
    for said in ("one", "two"):
        await post(database, said)
    later = await post(database, "not yet")
    await rows(
        database,
        "UPDATE turns SET created_at = now() - interval '90 s', queued_at = now() - interval '1 s' WHERE id = :id"
        " RETURNING id",
        id=first,
    )
    await rows(database, "UPDATE turns SET not_before = now() + interval '1 h' WHERE id = :id RETURNING id", id=later)
    claimed = await take(database)
    assert claimed.id == first
    assert 90 <= claimed.age_s < 100
    assert claimed.waiting == 2
    assert not {"age_s", "waiting"} & set(claimed.turn)
    assert [(await take(database)).waiting for _ in range(2)] == [1, 0]


async def test_many_claimers_take_each_turn_once_and_in_order(database: Database) -> None:
    firsts = [await post(database) for _ in range(5)]
    for _ in range(5):
        await asyncio.gather(*(post(database, after=first) for first in firsts))
    seen: dict[UUID, list[int]] = defaultdict(list)

    async def work(owner: str) -> None:
        idle = 0
        while idle < 20:
            claimed = await turns.claim(database, owner, LEASE_S)
            if claimed is None:
                idle += 1
                await asyncio.sleep(0.01)
                continue
            seen[claimed.turn["conversation_id"]].append(claimed.turn["seq"])
            await asyncio.sleep(0.002)
            await render(database, claimed)

    await asyncio.gather(*(work(f"w{number}") for number in range(8)))
    assert sorted(seen.values()) == [[1, 2, 3, 4, 5, 6]] * 5


async def test_the_database_itself_refuses_a_second_running_turn(database: Database) -> None:
    first = await post(database)
    second = await post(database, after=first)
    await force(database, first, TurnState.RUNNING)
    with pytest.raises(IntegrityError, match="uq_turns_running"):
        await force(database, second, TurnState.RUNNING)


async def test_a_claim_carries_what_the_holder_needs(database: Database) -> None:
    turn_id = await post(database, "hi", avatar="omar", modes=("text",), language="en")
    claimed = await take(database, "somebody")
    assert claimed.id == turn_id
    assert claimed.fence == claimed.turn["attempts"] == 1
    assert claimed.turn["lease_owner"] == "somebody"
    assert (claimed.turn["input_text"], claimed.turn["avatar"], claimed.turn["modes"]) == ("hi", "omar", ["text"])
    assert claimed.conversation["channel"] == "web"
    assert claimed.history == claimed.outputs == ()


async def test_expired_leases_are_freed_and_only_those(database: Database) -> None:
    expired, held = await post(database), await post(database)
    await take(database, lease_s=-1)
    await take(database)
    assert await turns.free_expired(database) == 1
    assert [(await turn_row(database, id))["state"] for id in (expired, held)] == ["queued", "running"]
    again = await take(database, "b")
    assert (again.id, again.fence, again.turn["attempts"]) == (expired, 2, 2)


async def test_a_name_takes_back_its_own_leases_at_once(database: Database) -> None:
    mine, theirs = await post(database), await post(database)
    await take(database, "mine")
    await take(database, "theirs")
    assert await turns.take_back(database, "mine") == 1
    assert [(await turn_row(database, id))["state"] for id in (mine, theirs)] == ["queued", "running"]


async def test_what_a_late_holder_writes_is_refused_whole(database: Database) -> None:
    turn_id = await post(database)
    late = await take(database, lease_s=-1)
    await turns.free_expired(database)
    await take(database, "b")
    what = Save(
        columns={"answer": "late"},
        outputs=[{"layer": "llm", "part": 0, "data": {"text": "late"}, "ms": 1.0}],
        outbox=[{"kind": "text", "payload": {"text": "late"}}],
        messages=[{"role": "assistant", "text": "late", "language": "en"}],
        language="en",
        event=TurnEvent.RENDER,
    )
    with pytest.raises(LeaseLost):
        await turns.save(database, late, what)
    with pytest.raises(LeaseLost):
        await turns.renew(database, turn_id, late.fence, LEASE_S)
    with pytest.raises(LeaseLost):
        await turns.requeue(database, late)
    assert (await turn_row(database, turn_id))["answer"] is None
    assert await outbox_of(database, turn_id) == []
    assert await rows(database, "SELECT * FROM layer_outputs UNION ALL SELECT * FROM layer_outputs") == []
    assert await rows(database, "SELECT * FROM messages") == []


async def test_a_save_is_one_transaction(database: Database) -> None:
    turn_id = await post(database)
    claimed = await take(database)
    what = Save(
        columns={"answer": "a"},
        outputs=[{"layer": "llm", "part": 0, "data": {}, "ms": 1.0}],
        outbox=[{"kind": "no such kind", "payload": {}}],
        event=TurnEvent.RENDER,
    )
    with pytest.raises(IntegrityError, match="ck_outbox_kind"):
        await turns.save(database, claimed, what)
    row = await turn_row(database, turn_id)
    assert (row["state"], row["answer"]) == ("running", None)
    assert await rows(database, "SELECT * FROM layer_outputs") == []


async def test_a_retry_gets_what_was_saved_and_saving_again_changes_nothing(database: Database) -> None:
    await post(database)
    claimed = await take(database)
    outputs = [{"layer": "tts", "part": part, "data": {"text": str(part)}, "ms": 1.0} for part in (1, 0)]
    text = {"kind": "text", "payload": {"text": "a"}}
    await turns.save(database, claimed, Save(outputs=outputs, outbox=[text]))
    await turns.requeue(database, claimed)
    again = await take(database)
    assert [(row["layer"], row["part"], row["data"], row["fence"]) for row in again.outputs] == [
        ("tts", 0, {"text": "0"}, 1),
        ("tts", 1, {"text": "1"}, 1),
    ]
    await turns.save(database, again, Save(outputs=outputs, outbox=[text], event=TurnEvent.RENDER))
    assert len(await outbox_of(database, again.id)) == 1


async def test_history_is_the_conversations_oldest_first_without_the_turns_own(database: Database) -> None:
    turn_id = await post(database, "q0")
    await post(database, "somewhere else")
    for number in range(12):
        claimed = await take(database)
        while claimed.turn["input_text"] == "somewhere else":
            await render(database, claimed)
            claimed = await take(database)
        said = [{"role": role, "text": f"{role[0]}{number}", "language": "en"} for role in ("user", "assistant")]
        await turns.save(database, claimed, Save(messages=said, event=TurnEvent.RENDER))
        turn_id = await post(database, f"q{number + 1}", after=turn_id)
    claimed = await take(database)
    await turns.save(database, claimed, Save(messages=[{"role": "user", "text": "own", "language": "en"}]))
    await turns.requeue(database, claimed)
    claimed = await take(database)
    expected = list(itertools.chain.from_iterable((f"u{number}", f"a{number}") for number in range(2, 12)))
    assert [line["text"] for line in claimed.history] == expected


async def test_a_requeued_turn_waits_for_its_time(database: Database) -> None:
    turn_id = await post(database)
    await turns.requeue(database, await take(database), delay_s=0.3)
    assert await turns.claim(database, "a", LEASE_S) is None
    assert await turns.stranded(database) == []
    await asyncio.sleep(0.35)
    assert await turns.stranded(database) == [turn_id]
    assert (await take(database)).turn["attempts"] == 2


async def test_a_refund_gives_the_attempt_back(database: Database) -> None:
    await post(database)
    await turns.requeue(database, await take(database), refund=True)
    assert (await take(database)).turn["attempts"] == 1


@pytest.mark.parametrize("state", TurnState)
async def test_cancel_in_every_state(database: Database, state: TurnState) -> None:
    turn_id = await post(database)
    claimed = await take(database)
    row = {"kind": "text", "payload": {"text": "a"}}
    await turns.save(database, claimed, Save(outbox=[row]))
    await force(database, turn_id, state)
    after = await endings.cancel(database, turn_id)
    stored = await turn_row(database, turn_id)
    unsent = (await outbox_of(database, turn_id))[0]["state"]
    assert stored["state"] == after
    if state is TurnState.RUNNING:
        assert (after, stored["cancel_requested"], unsent) == ("running", True, "held")
        assert await turns.renew(database, turn_id, claimed.fence, LEASE_S)
        await turns.save(database, claimed, Save(event=TurnEvent.CANCEL))
        assert (await turn_row(database, turn_id))["state"] == "cancelled"
        assert (await outbox_of(database, turn_id))[0]["state"] == "held"
    elif state in sources(TurnEvent.CANCEL):
        assert (after, unsent) == ("cancelled", "held")
    else:
        assert (after, unsent) == (state, "pending")
    assert stored["state"] not in ENDS or stored["ended_at"] is not None or state in ENDS


async def test_nobody_knows_the_turn(database: Database) -> None:
    assert await endings.cancel(database, uuid4()) is None


async def test_cancelling_and_ending_at_once_never_lock_each_other_out(database: Database) -> None:
    for _ in range(10):
        turn_id = await post(database)
        claimed = await take(database)
        texts = [{"kind": kind, "payload": {}} for kind in ("text", "voice")]
        await turns.save(database, claimed, Save(outbox=texts))
        await asyncio.gather(
            *(endings.cancel(database, turn_id) for _ in range(4)),
            turns.save(database, claimed, Save(event=TurnEvent.CANCEL)),
        )
        assert (await turn_row(database, turn_id))["state"] == "cancelled"


@pytest.mark.parametrize("state", TurnState)
async def test_holders_write_to_running_turns_alone(database: Database, state: TurnState) -> None:
    turn_id = await post(database)
    claimed = await take(database)
    await force(database, turn_id, state)
    if state is TurnState.RUNNING:
        assert await turns.renew(database, turn_id, claimed.fence, LEASE_S) is False
        return
    for event in (TurnEvent.RENDER, TurnEvent.REQUEUE, TurnEvent.FAIL, TurnEvent.CANCEL):
        with pytest.raises(LeaseLost):
            await turns.save(database, claimed, Save(event=event))
    with pytest.raises(LeaseLost):
        await turns.renew(database, turn_id, claimed.fence, LEASE_S)
    assert (await turn_row(database, turn_id))["state"] == state


@pytest.mark.parametrize("state", TurnState)
async def test_media_makes_a_received_turn_claimable(database: Database, state: TurnState) -> None:
    turn_id = await post(database, None, remote={"file_id": "f"})
    assert await turns.claim(database, "a", LEASE_S) is None
    await force(database, turn_id, state)
    assert await fetching.arrived(database, {"id": turn_id, "fence": 0}, "in/a.wav") == (state is TurnState.RECEIVED)
    if state is TurnState.RECEIVED:
        assert (await take(database)).turn["input_media"] == "in/a.wav"
