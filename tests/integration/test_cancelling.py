"""Whoever cancels gets nothing more, and the turn has ended within two seconds, wherever it was."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.channels.base import Outgoing
from core.errors import OutcomeUnknown, PlatformAway, RateLimited
from core.messages import Status
from core.queue import Queue
from core.states import OutboxState, TurnState
from db import conversations, endings, fetching, outbox, overlooked, turns
from db.sessions import Database
from db.turns import Save, TurnEvent
from tests.helpers import outbox_of, post, rows, shared_metrics, turn_row
from tests.platforms import Platform, answered, due_now, make_office
from tests.stack import Stack
from tests.talking import Talk
from tests.unheard import RECORDING
from worker.courier import Courier

END_S = 2.0
LONG = "and so on " * 150
TEXT: dict[str, Any] = {"kind": "text", "payload": {"text": "a", "language": "en"}}

Cancel = Callable[[Database, UUID], Awaitable[Any]]


async def by_page(database: Database, turn_id: UUID) -> None:
    await endings.cancel(database, turn_id)


async def by_chat(database: Database, turn_id: UUID) -> None:
    chat = (await turn_row(database, turn_id))["conversation_id"]
    async with database.begin() as connection:
        await conversations.cancel_open(connection, chat)


async def states_of(database: Database, turn_id: UUID) -> list[str]:
    return [row["state"] for row in await outbox_of(database, turn_id)]


@pytest.mark.parametrize("media", [None, {"kind": "voice", "id": "f"}], ids=["queued", "received"])
async def test_what_nobody_has_begun_ends_at_once(
    database: Database, queue: Queue, tmp_path: Path, media: dict[str, Any] | None
) -> None:
    talk = Talk(database, queue, tmp_path, hint="en")
    await talk.event(**({"remote": media} if media else {"text": "hello"}))
    (turn,) = await talk.turns()
    if media:
        assert await fetching.claim(database, turn["id"], "host:courier-1", 30) is not None
    assert await talk.ids("/cancel") == ["cancel-done"]
    (turn,) = await talk.turns()
    assert (turn["state"], turn["ended_at"] is not None) == ("cancelled", True)
    assert await turns.claim(database, "r", 30) is None
    assert await fetching.waiting(database) == []


@pytest.mark.parametrize("cancel", [by_page, by_chat])
class TestOneThatRuns:
    async def test_sends_nothing_more_even_before_its_holder_has_heard(
        self, database: Database, cancel: Cancel
    ) -> None:
        turn_id = await post(database)
        claimed = await turns.claim(database, "r", 30)
        assert claimed is not None
        await turns.save(database, claimed, Save(outbox=[TEXT]))
        await cancel(database, turn_id)
        assert await states_of(database, turn_id) == ["held"]
        late = Save(outbox=[{**TEXT, "part": 1}], messages=[{"role": "user", "text": "a", "language": "en"}])
        await turns.save(database, claimed, late)
        assert await states_of(database, turn_id) == ["held"]
        assert await rows(database, "SELECT 1 FROM messages") == []

    @pytest.mark.parametrize("event", [TurnEvent.RENDER, TurnEvent.FAIL, TurnEvent.REQUEUE, TurnEvent.CANCEL])
    async def test_is_cancelled_however_it_ends(self, database: Database, cancel: Cancel, event: TurnEvent) -> None:
        turn_id = await post(database)
        claimed = await turns.claim(database, "r", 30)
        assert claimed is not None
        await cancel(database, turn_id)
        assert await turns.save(database, claimed, Save(outbox=[TEXT], event=event)) is TurnState.CANCELLED
        row = await turn_row(database, turn_id)
        assert (row["state"], row["rendered_at"], row["lease_owner"]) == ("cancelled", None, None)
        assert row["ended_at"] is not None
        assert await outbox_of(database, turn_id) == []


async def test_one_that_was_corrected_ends_as_superseded_however_it_ends(database: Database) -> None:
    turn_id = await post(database)
    claimed = await turns.claim(database, "r", 30)
    assert claimed is not None
    changed = "UPDATE turns SET cancel_requested = true, superseded_by = gen_random_uuid() RETURNING id"
    await rows(database, changed)
    assert await turns.save(database, claimed, Save(outbox=[TEXT], event=TurnEvent.RENDER)) is TurnState.SUPERSEDED
    assert await outbox_of(database, turn_id) == []


async def test_of_one_that_is_half_sent_the_rest_stays(database: Database, queue: Queue, tmp_path: Path) -> None:
    turn_id, chat = await answered(database, "text", "voice", "video")

    async def cancel_in_the_second(row: Outgoing) -> None:
        if row.kind == "voice":
            await by_chat(database, turn_id)

    platform = Platform(during=cancel_in_the_second)
    office, _ = make_office(database, queue, tmp_path, platform)
    await Courier(office, shared_metrics(), "host:courier-0").send({}, chat)
    assert platform.kinds == ["text", "voice"]
    assert await states_of(database, turn_id) == ["sent", "sent", "held"]
    assert (await turn_row(database, turn_id))["state"] == "cancelled"


@pytest.mark.parametrize("error", [RateLimited(retry_after_s=0.1), PlatformAway(), OutcomeUnknown()], ids=str)
@pytest.mark.parametrize("event", [TurnEvent.RENDER, None], ids=["rendered", "running"])
async def test_what_failed_while_it_was_cancelled_is_not_tried_again(
    database: Database, queue: Queue, tmp_path: Path, error: Exception, event: TurnEvent | None
) -> None:
    turn_id, chat = await answered(database, "text", "voice", event=event)

    async def cancel(_row: Outgoing) -> None:
        await by_page(database, turn_id)

    platform = Platform(during=cancel, errors=[error])
    office, _ = make_office(database, queue, tmp_path, platform)
    courier = Courier(office, shared_metrics(), "host:courier-0")
    await courier.send({}, chat)
    await due_now(database)
    await courier.send({}, chat)
    assert platform.taken == []
    assert await states_of(database, turn_id) == ["held", "held"]


async def test_what_a_dead_courier_was_sending_is_not_sent_again(database: Database) -> None:
    turn_id, chat = await answered(database, "text")
    assert await outbox.claim(database, UUID(chat), "host:courier-0", 30) is not None
    await by_page(database, turn_id)
    await overlooked.recover(database, "host:courier-0")
    assert await states_of(database, turn_id) == ["held"]


async def test_what_the_platform_gives_back_later_is_not_sent_again(database: Database) -> None:
    turn_id, chat = await answered(database, "text", channel="whatsapp")
    row = await outbox.claim(database, UUID(chat), "host:courier-0", 30)
    assert row is not None
    await outbox.settle(database, row, outbox.Verdict(OutboxState.SENT, external_id="wamid.1"))
    await rows(database, "UPDATE turns SET state = 'cancelled', cancel_requested = true RETURNING id")
    await outbox.told(database, Status("whatsapp", "bot", "s1", "wamid.1", "failed", error=RateLimited.code))
    assert await states_of(database, turn_id) == ["held"]


async def reached(stack: Stack, layer: str) -> UUID:
    """A turn that is in the layer, and stays there whatever it is told."""
    if layer in ("emotion", "llm", "tts", "video"):
        turn_id = await stack.ask(f"#hang {layer}")
        before = {"llm": "emotion", "tts": "llm", "video": "tts"}.get(layer)
        await (stack.saved(turn_id, before) if before else stack.until(turn_id, "running"))
    elif layer == "asr":
        paused(stack)
        name = f"{time.monotonic_ns()}/voice.wav"
        (stack.folder / "media" / name).parent.mkdir(parents=True)
        shutil.copy(RECORDING, stack.folder / "media" / name)
        turn_id = await stack.ask(None, media=name)
        await stack.until(turn_id, "running")
    else:
        turn_id = await stack.ask(LONG)
        await stack.saved(turn_id, "tts")
        paused(stack)
    return turn_id


def paused(stack: Stack) -> None:
    child = stack.child()
    assert child is not None
    child.send_signal(signal.SIGSTOP)


@pytest.mark.alone
async def test_a_child_that_hangs_in_any_layer_does_not_hold_it_up(stack: Stack, queue: Queue) -> None:
    stack.start("courier", "render", lease_s=40, heartbeat_s=20)
    await stack.end_of(await stack.ask("ready?", modes=("text",)), within_s=60)
    ended = {}
    for layer in ("asr", "emotion", "llm", "tts", "video", "upscale"):
        turn_id = await reached(stack, layer)
        assert await stack.cancel(turn_id) <= END_S, layer
        row = await turn_row(stack.database, turn_id)
        assert (row["state"], row["attempts"]) == ("cancelled", 1), layer
        ended[turn_id] = row["ended_at"]
    after = await stack.ask("and now?")
    await stack.end_of(after)
    await stack.answered_once(after)
    for turn_id, moment in ended.items():
        sent = await outbox_of(stack.database, turn_id)
        assert {row["state"] for row in sent} <= {"delivered", "held"}
        assert all(row["settled_at"] <= moment for row in sent if row["state"] == "delivered")
