"""What the courier does when a platform does not take what it is sent: states, attempts, rings, and who is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.channels.base import Limits, Outgoing
from core.errors import (
    ConfigurationError,
    OutcomeUnknown,
    PlatformAway,
    QueueUnavailable,
    RateLimited,
    Refused,
    StorageError,
    Unreachable,
    WindowClosed,
)
from core.i18n import t
from core.messages import Inbound, Status
from core.queue import CANCELS, Queue
from db import endings, outbox, overlooked
from db.entering import entering
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, outbox_of, rows, shared_metrics, turn_row
from tests.platforms import Platform, answered, delayed_rings, due_now, make_office, rung
from worker.courier import Courier
from worker.sending import BUG_ATTEMPTS

ADMIN = "42"
Make = Callable[..., Courier]


@pytest.fixture
def make(database: Database, queue: Queue, tmp_path: Path) -> Make:
    def build(*platforms: Platform, owner: str = "host:courier-0", on: Queue | None = None, **settings: Any) -> Courier:
        office, _ = make_office(database, on or queue, tmp_path, *platforms, **settings)
        return Courier(office, shared_metrics(), owner)

    return build


async def conversation(database: Database, chat: str) -> dict[str, Any]:
    return (await rows(database, "SELECT * FROM conversations WHERE id = :id", id=chat))[0]


async def window(database: Database, chat: str, hours: float) -> None:
    """The window closes, or has closed, so many hours from now."""
    statement = "UPDATE conversations SET window_expires_at = now() + :left WHERE id = :id RETURNING id"
    await rows(database, statement, id=chat, left=timedelta(hours=hours))


async def states(database: Database, turn_id: UUID) -> list[tuple[str, str]]:
    return [(row["kind"], row["state"]) for row in await outbox_of(database, turn_id)]


async def administrator(database: Database, channel: str = "telegram", **changes: Any) -> str:
    """The conversation of somebody whom the settings name."""
    message = inbound(channel=channel, account="bot", chat_id=ADMIN, sender_id=ADMIN, language="en", **changes)
    accepted = await accept(database, message, avatar="layla")
    await endings.cancel(database, UUID(accepted.turn_id))
    return accepted.conversation_id


async def notices(database: Database, chat: str) -> list[dict[str, Any]]:
    return await rows(database, "SELECT * FROM outbox WHERE conversation_id = :id ORDER BY id", id=chat)


TRACKS = Limits(tracks=True, window_s=86400.0)


@pytest.mark.parametrize(
    ("error", "limits", "state", "attempts", "delay_s", "calls"),
    [
        (RateLimited(30), Limits(), "pending", 0, 30, 1),
        (RateLimited(30, whole=True), Limits(), "pending", 0, 30, 1),
        (PlatformAway(), Limits(), "pending", 1, 2, 1),
        (QueueUnavailable(), Limits(), "pending", 1, 2, 1),
        (StorageError(), Limits(), "pending", 1, 2, 1),
        (ValueError("a secret"), Limits(), "pending", 1, 2, 1),
        (ConfigurationError(), Limits(), "pending", 0, 60, 1),
        (OutcomeUnknown(), TRACKS, "pending", 1, 15, 1),
        (OutcomeUnknown(), Limits(), "pending", 1, 2, 1),
        (WindowClosed(), TRACKS, "held", 1, None, 1),
        (Unreachable(), Limits(), "failed", 1, None, 1),
        (Refused(), Limits(), "failed", 1, None, 1),
    ],
)
async def test_what_an_error_does_to_its_row(
    make: Make,
    database: Database,
    queue: Queue,
    error: Exception,
    limits: Limits,
    state: str,
    attempts: int,
    delay_s: float | None,
    calls: int,
) -> None:
    platform = Platform(limits=limits, errors=[error])
    turn_id, chat = await answered(database, "text")
    await make(platform).send({}, chat)
    row = (await outbox_of(database, turn_id))[0]
    assert (row["state"], row["attempts"], platform.calls) == (state, attempts, calls)
    rings = await delayed_rings(queue)
    assert list(rings) == ([] if delay_s is None else [chat])
    if delay_s is not None:
        assert rings[chat] == pytest.approx(delay_s, abs=0.5)
        assert "a secret" not in json.dumps(row["error"])


async def test_a_second_unknown_outcome_ends_the_row(make: Make, database: Database) -> None:
    platform = Platform(errors=[OutcomeUnknown(), PlatformAway(), OutcomeUnknown()])
    turn_id, chat = await answered(database, "text")
    courier = make(platform)
    for _ in range(2):
        await courier.send({}, chat)
        assert (await states(database, turn_id)) == [("text", "pending")]
        await due_now(database)
    await courier.send({}, chat)
    row = (await outbox_of(database, turn_id))[0]
    assert (row["state"], row["payload"]["repeated"], row["error"]["code"]) == ("unknown", True, "outcome_unknown")
    assert platform.calls == 4
    assert platform.taken[0].payload["id"] == "notice-in-doubt"
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_a_bug_in_a_channel_fails_after_few_tries(make: Make, database: Database) -> None:
    platform = Platform(errors=[KeyError("x")] * BUG_ATTEMPTS)
    turn_id, chat = await answered(database, "text")
    courier = make(platform)
    for _ in range(BUG_ATTEMPTS):
        await courier.send({}, chat)
        await due_now(database)
    assert (await states(database, turn_id)) == [("text", "failed")]


async def test_one_chats_limit_holds_up_no_other_and_the_accounts_limit_all(
    make: Make, database: Database, queue: Queue
) -> None:
    platform = Platform(errors=[RateLimited(20), None, RateLimited(40, whole=True)])
    courier, another = make(platform), make(platform, owner="host:courier-1")
    (first, one), (second, two) = [await answered(database, "text", chat=chat) for chat in ("1", "2")]
    (_, three), (last, four) = [await answered(database, "text", chat=chat) for chat in ("3", "4")]
    await courier.send({}, one)
    await courier.send({}, two)
    assert await states(database, second) == [("text", "sent")]
    await courier.send({}, three)
    await another.send({}, four)
    assert platform.calls == 3, "the account is quiet for every courier"
    row = (await outbox_of(database, last))[0]
    assert (row["state"], row["attempts"]) == ("pending", 0)
    await due_now(database)
    await another.send({}, one)
    assert platform.calls == 3, "the chat was told to wait"
    assert (await states(database, first)) == [("text", "pending")]
    rings = await delayed_rings(queue)
    assert all(rings[chat] == pytest.approx(40, abs=1) for chat in (three, four))


async def test_a_row_that_waits_for_its_time_is_rung_for_again_by_whoever_looks(
    make: Make, database: Database, queue: Queue
) -> None:
    platform = Platform(errors=[RateLimited(0.3)])
    _, chat = await answered(database, "text")
    courier = make(platform)
    await courier.send({}, chat)
    await queue.pool.flushdb()
    await courier.send({}, chat)
    assert chat in await delayed_rings(queue)
    await asyncio.sleep(0.35)
    await courier.send({}, chat)
    assert platform.kinds == ["text"]


async def test_a_closed_window_is_seen_without_a_call(make: Make, database: Database) -> None:
    platform = Platform(limits=TRACKS)
    turn_id, chat = await answered(database, "text", "voice")
    await window(database, chat, -1)
    await make(platform).send({}, chat)
    assert platform.calls == 0
    assert await states(database, turn_id) == [("text", "held"), ("voice", "held")]
    assert (await turn_row(database, turn_id))["state"] == "done"


async def test_a_window_that_the_platform_knows_better_is_asked_once(make: Make, database: Database) -> None:
    platform = Platform(limits=TRACKS, errors=[WindowClosed()])
    turn_id, chat = await answered(database, "text", "voice", "video")
    await window(database, chat, 5)
    await make(platform).send({}, chat)
    assert platform.calls == 1
    assert {state for _, state in await states(database, turn_id)} == {"held"}


async def known_as(database: Database, chat: str, **addresses: str) -> None:
    """The person goes by another id, and has these addresses."""
    statement = (
        "UPDATE conversations SET external_chat_id = 'bsuid', addresses = :addresses WHERE id = :id RETURNING id"
    )
    await rows(database, statement, id=chat, addresses=json.dumps(addresses))
    await rows(database, "UPDATE contacts SET external_id = 'bsuid' WHERE external_id = :id RETURNING id", id=ADMIN)


@pytest.mark.parametrize("addresses", [{}, {"wa_id": "+42"}, {"user_id": "42"}])
async def test_administrators_are_told_once_an_hour_whom_and_why(
    make: Make, database: Database, queue: Queue, addresses: dict[str, str]
) -> None:
    platform = Platform(limits=TRACKS)
    admin = await administrator(database)
    if addresses:
        await known_as(database, admin, **addresses)
    courier = make(platform, admins=f"telegram:{ADMIN},whatsapp:7,telegram:99")
    _, chat = await answered(database, "text", "voice")
    await rows(database, "UPDATE contacts SET display_name = 'Mona' WHERE external_id <> :id RETURNING id", id=ADMIN)
    await window(database, chat, -1)
    before = await rung(queue)
    await courier.send({}, chat)
    told = await notices(database, admin)
    text = t("notice-held", "en", person="Mona", channel="Telegram")
    assert [(row["kind"], row["payload"]["text"]) for row in told] == [("notice", text)]
    assert await rung(queue) == before + 1
    assert "An answer." not in text.replace("An answer to", "")
    assert await notices(database, chat) == await rows(
        database, "SELECT * FROM outbox WHERE conversation_id = :id AND turn_id IS NOT NULL ORDER BY id", id=chat
    )


async def test_nobody_becomes_an_administrator_by_a_name_of_their_choice(make: Make, database: Database) -> None:
    stranger = await administrator(database, display_name=ADMIN)
    await known_as(database, stranger, username=ADMIN)
    _, chat = await answered(database, "text")
    await window(database, chat, -1)
    await make(Platform(limits=TRACKS), admins=f"telegram:{ADMIN}").send({}, chat)
    assert await notices(database, stranger) == []


async def test_an_administrators_own_closed_window_makes_no_circle(make: Make, database: Database) -> None:
    platform = Platform(limits=TRACKS)
    admin, other = await administrator(database), await administrator(database, "whatsapp")
    courier = make(platform, Platform("whatsapp", limits=TRACKS), admins=f"telegram:{ADMIN},whatsapp:{ADMIN}")
    _, chat = await answered(database, "text")
    for each in (chat, admin, other):
        await window(database, each, -1)
        await courier.send({}, each)
    assert [row["state"] for row in await notices(database, admin)] == ["held"]
    assert [row["state"] for row in await notices(database, other)] == ["held"]


async def test_when_the_person_writes_again_the_newest_held_answer_goes_out_first(
    make: Make, database: Database
) -> None:
    platform = Platform(limits=TRACKS)
    courier = make(platform)
    old, chat = await answered(database, "text")
    kept, _ = await answered(database, "text", "voice")
    await rows(
        database,
        "INSERT INTO outbox (conversation_id, kind, dedupe_key, payload)"
        " VALUES (:id, 'notice', 'n', :payload) RETURNING id",
        id=chat,
        payload=json.dumps({"text": "x", "language": "en"}),
    )
    await window(database, chat, -1)
    await courier.send({}, chat)
    assert platform.calls == 0
    await courier.send({}, chat)
    assert platform.calls == 0, "the window is still closed"
    await window(database, chat, 24)
    new, _ = await answered(database, "text")
    await courier.send({}, chat)
    assert [row.turn_id for row in platform.taken] == [str(kept), str(kept), str(new)]
    assert await states(database, old) == [("text", "held")]
    assert [row["state"] for row in await notices(database, chat) if row["kind"] == "notice"] == ["held"]
    await courier.send({}, chat)
    assert platform.calls == 3


@pytest.mark.parametrize("why", ["stale", "cancelled"])
async def test_a_held_answer_that_nobody_wants_any_more_stays_held(make: Make, database: Database, why: str) -> None:
    platform = Platform(limits=TRACKS)
    courier = make(platform)
    turn_id, chat = await answered(database, "text")
    await window(database, chat, -1)
    await courier.send({}, chat)
    if why == "stale":
        statement = "UPDATE turns SET ended_at = now() - interval '25 hours' WHERE id = :id RETURNING id"
    else:
        statement = "UPDATE turns SET state = 'cancelled' WHERE id = :id RETURNING id"
    await rows(database, statement, id=turn_id)
    await window(database, chat, 24)
    await courier.send({}, chat)
    assert platform.calls == 0
    assert await states(database, turn_id) == [("text", "held")]


async def test_somebody_who_blocked_the_bot_is_left_alone(make: Make, database: Database, queue: Queue) -> None:
    platform = Platform(errors=[Unreachable()])
    sent, chat = await answered(database, "text", "voice")
    second, _ = await answered(database, "text")
    running, _ = await answered(database, event=None)
    queued = UUID((await accept(database, inbound(channel="telegram", account="bot", chat_id="7"), avatar="x")).turn_id)
    heard: list[str] = []

    async def listen() -> None:
        async for turn_id in queue.listen(CANCELS):
            heard.append(turn_id)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.2)
    courier = make(platform)
    await courier.send({}, chat)
    await asyncio.sleep(0.2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert (await conversation(database, chat))["reachable"] is False
    assert {state for turn in (sent, second) for _, state in await states(database, turn)} == {"failed"}
    found = [(await turn_row(database, turn))["state"] for turn in (sent, second, queued)]
    assert found == ["cancelled"] * 3
    row = await turn_row(database, running)
    assert (row["state"], row["cancel_requested"], row["ended_at"]) == ("running", True, None)
    own = {str(turn) for turn in (sent, second, running, queued)}
    assert [turn for turn in heard if turn in own] == [str(running)]  # a given Redis may carry others' too
    values = "(conversation_id, kind, dedupe_key, payload) VALUES (:id, 'text', 'late', '{\"text\": \"x\"}')"
    await rows(database, f"INSERT INTO outbox {values} RETURNING id", id=chat)
    await courier.send({}, chat)
    assert platform.calls == 1, "nothing is tried for somebody who is gone"


@pytest.mark.parametrize(
    ("modes", "kinds", "errors", "expected"),
    [
        # The video is refused: the voice note was sent, its text too.
        (
            ["text", "voice", "video"],
            ["text", "voice", "video"],
            [None, None, Refused()],
            [("text", "sent"), ("voice", "sent"), ("video", "failed"), ("notice", "sent")],
        ),
        (["video"], ["video"], [Refused()], [("video", "failed"), ("notice", "sent"), ("text", "sent")]),
        (["voice"], ["voice"], [Refused()], [("voice", "failed"), ("notice", "sent"), ("text", "sent")]),
        # A voice note that fails leaves the video.
        (["voice", "video"], ["voice", "video"], [Refused()], [("voice", "failed"), ("video", "sent")]),
        (
            ["voice", "video"],
            ["voice", "video"],
            [Refused(), Refused()],
            [("voice", "failed"), ("video", "failed"), ("notice", "sent"), ("text", "sent")],
        ),
        # The text is not sent twice.
        (
            ["text", "video"],
            ["text", "video"],
            [None, Refused()],
            [("text", "sent"), ("video", "failed"), ("notice", "sent")],
        ),
        (["text"], ["text"], [Refused()], [("text", "failed")]),
    ],
)
async def test_a_refused_video_or_voice_note_steps_down(
    make: Make, database: Database, modes: list[str], kinds: list[str], errors: list[Any], expected: list[Any]
) -> None:
    platform = Platform(errors=errors)
    turn_id, chat = await answered(database, *kinds, modes=modes)
    await make(platform).send({}, chat)
    assert await states(database, turn_id) == expected
    assert (await turn_row(database, turn_id))["state"] == "done"
    said = [row["payload"]["id"] for row in await outbox_of(database, turn_id) if row["kind"] == "notice"]
    if said:
        left = ("voice", "sent") in expected
        assert said == ["notice-step-voice" if left else "notice-step-text"]
    assert all(row.reply_to == "q1" for row in platform.taken)


async def test_a_voice_note_that_fails_waits_for_the_video_that_is_still_made(make: Make, database: Database) -> None:
    platform = Platform(errors=[Refused()])
    turn_id, chat = await answered(database, "voice", event=None, modes=["voice", "video"])
    await make(platform).send({}, chat)
    assert await states(database, turn_id) == [("voice", "failed")]


async def test_a_cancelled_answer_does_not_step_down(make: Make, database: Database) -> None:
    turn_id, chat = await answered(database, "video", modes=["video"])

    async def cancel(_: Outgoing) -> None:
        await endings.cancel(database, turn_id)

    platform = Platform(errors=[Refused()], during=cancel)
    await make(platform).send({}, chat)
    assert await states(database, turn_id) == [("video", "failed")]


async def test_a_long_answer_steps_down_in_parts(make: Make, database: Database) -> None:
    platform = Platform(limits=Limits(text_length=40), errors=[Refused()])
    answer = ("One sentence that is rather long. " * 4).strip()
    turn_id, chat = await answered(database, "video", modes=["video"], answer=answer, answer_language="ar")
    await make(platform).send({}, chat)
    texts = [row.payload["text"] for row in platform.taken if row.kind == "text"]
    assert len(texts) == 4
    assert " ".join(texts) == answer
    assert platform.taken[0].payload["text"] == t("notice-step-text", "ar")
    keys = [row["dedupe_key"] for row in await outbox_of(database, turn_id)]
    assert f"{turn_id}:text:3" in keys


async def test_what_a_channel_learns_is_kept(make: Make, database: Database) -> None:
    platform = Platform(learned={"no_round": True})
    _, chat = await answered(database, "text")
    courier = make(platform)
    await courier.send({}, chat)
    platform.learned = {"no_voice": True, "moved_to": "-1007"}
    await rows(database, 'UPDATE conversations SET is_group = true, addresses = \'{"thread": "3"}\' RETURNING id')
    _, _ = await answered(database, "text")
    await courier.send({}, chat)
    found = await conversation(database, chat)
    assert found["traits"] == {"no_round": True, "no_voice": True}
    assert found["external_chat_id"] == "-1007"
    sent = platform.taken[-1].chat
    assert (sent.id, sent.account, sent.group) == ("7", "bot", True)
    assert (dict(sent.addresses), dict(sent.traits)) == ({"thread": "3"}, {"no_round": True})


async def test_a_name_that_another_conversation_has_stays_a_trait(make: Make, database: Database) -> None:
    platform = Platform(learned={"moved_to": "8"})
    await answered(database, "text", chat="8")
    _, chat = await answered(database, "text", chat="7")
    await make(platform).send({}, chat)
    found = await conversation(database, chat)
    assert (found["external_chat_id"], found["traits"]) == ("7", {"moved_to": "8"})
    assert platform.calls == 1


async def test_a_channel_without_credentials_keeps_its_rows_and_breaks_no_other(
    make: Make, database: Database, queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    platform = Platform()
    kept, closed = await answered(database, "text", channel="whatsapp")
    sent, open_ = await answered(database, "text")
    courier = make(platform)
    for _ in range(3):
        await courier.send({}, closed)
    await courier.send({}, open_)
    assert await states(database, kept) == [("text", "pending")]
    assert (await outbox_of(database, kept))[0]["attempts"] == 0
    assert await states(database, sent) == [("text", "sent")]
    assert await overlooked.undelivered(database) == [UUID(closed)]
    await courier.ring()
    assert await rung(queue) == 0, "nobody rings for what can't be sent"
    written = capsys.readouterr()
    assert (written.out + written.err).count("channel_missing") == 1


async def test_two_couriers_and_many_rings_keep_order_and_send_once(make: Make, database: Database) -> None:
    async def slowly(_: Outgoing) -> None:
        await asyncio.sleep(0.01)

    platform = Platform(during=slowly)
    couriers = [make(platform), make(platform, owner="host:courier-1")]
    made = [await answered(database, "text", "voice", "video", chat=str(n % 3)) for n in range(6)]
    rings = [courier.send({}, chat) for courier in couriers for _, chat in made for _ in range(2)]
    await asyncio.gather(*rings)
    for chat in {chat for _, chat in made}:
        mine = [str(turn_id) for turn_id, where in made if where == chat]
        got = [(row.turn_id, row.kind) for row in platform.taken if row.conversation_id == chat]
        assert got == [(turn_id, kind) for turn_id in mine for kind in ("text", "voice", "video")]


async def test_replies_to_commands_keep_their_order(make: Make, database: Database) -> None:
    _, chat = await answered(database)
    values = "(conversation_id, kind, dedupe_key, payload) VALUES (:id, 'text', :key, :payload)"
    for number in range(4):
        payload = json.dumps({"text": str(number)})
        await rows(database, f"INSERT INTO outbox {values} RETURNING id", id=chat, key=f"k{number}", payload=payload)
    platform = Platform(errors=[RateLimited(30)])
    courier = make(platform)
    await asyncio.gather(*(courier.send({}, chat) for _ in range(4)))
    assert platform.taken == []
    await queue_flush(courier)
    await due_now(database)
    await asyncio.gather(*(courier.send({}, chat) for _ in range(4)))
    assert [row.payload["text"] for row in platform.taken] == ["0", "1", "2", "3"]


async def queue_flush(courier: Courier) -> None:
    await courier._queue.pool.flushdb()


async def test_a_send_that_never_ends_has_an_unknown_outcome(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: Outgoing) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("worker.sending.SEND_S", 0.1)
    platform = Platform(limits=TRACKS, during=hang)
    turn_id, chat = await answered(database, "text")
    await make(platform).send({}, chat)
    row = (await outbox_of(database, turn_id))[0]
    assert (row["state"], row["payload"].get("repeated")) == ("pending", True)


async def test_what_was_sent_while_the_database_was_away_is_not_sent_again(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.errors import DatabaseUnavailable

    platform = Platform()
    turn_id, chat = await answered(database, "text")
    settle, failures = outbox.settle, [DatabaseUnavailable(), DatabaseUnavailable()]

    async def away(*args: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await settle(*args, **more)

    monkeypatch.setattr("worker.patience.PAUSE_S", 0.01)
    monkeypatch.setattr(outbox, "settle", away)
    await make(platform).send({}, chat)
    assert (platform.calls, await states(database, turn_id)) == (1, [("text", "sent")])


async def test_a_crash_inside_a_tracked_send_waits_for_the_platforms_word(
    make: Make, database: Database, queue: Queue
) -> None:
    turn_id, chat = await answered(database, "text", channel="whatsapp")
    await outbox.claim(database, UUID(chat), "host:courier-0", 60)
    await make(Platform("whatsapp", limits=TRACKS)).start()
    row = (await outbox_of(database, turn_id))[0]
    assert (row["state"], row["payload"]["repeated"]) == ("pending", True)
    assert (await delayed_rings(queue))[chat] == pytest.approx(15, abs=1)


async def test_a_rendered_turn_whose_rows_wait_is_not_rung_for_in_vain(make: Make, database: Database) -> None:
    _, chat = await answered(database, "text", "voice")
    platform = Platform(errors=[RateLimited(30)])
    await make(platform).send({}, chat)
    assert await overlooked.undelivered(database) == []
    await due_now(database)
    assert await overlooked.undelivered(database) == [UUID(chat)]


async def edit(database: Database, said: Inbound, by: UUID) -> None:
    """The person's first message is corrected."""
    async with entering(database, said, 86400.0) as entry:
        assert entry is not None
        await endings.correct(entry.connection, entry.conversation["id"], "q1", "else", by)


async def test_blocking_writing_cancelling_and_statuses_at_once_never_lock_each_other_out(
    make: Make, database: Database
) -> None:
    for number in range(8):
        platform = Platform("whatsapp", errors=[Unreachable()])
        turn_id, chat = await answered(database, "text", "voice", channel="whatsapp", chat=str(number))
        (first, _) = await outbox_of(database, turn_id)
        said = inbound(channel="whatsapp", account="bot", chat_id=str(number))
        status = Status("whatsapp", "bot", f"s{number}", "m1", "failed", str(first["id"]), "unreachable")
        await asyncio.gather(
            make(platform).send({}, chat),
            edit(database, said, turn_id),
            endings.cancel(database, turn_id),
            outbox.told(database, status),
        )
        assert {state for _, state in await states(database, turn_id)} <= {"failed", "held", "sent"}
        assert (await turn_row(database, turn_id))["state"] in ("done", "cancelled", "superseded")
