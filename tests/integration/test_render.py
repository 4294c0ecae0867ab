"""The render worker, its child and the courier as real processes, with fakes for engines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from core.queue import Queue
from tests.helpers import CountingDatabase, outbox_of, rows, turn_row
from tests.stack import Stack

LONG = "and so on " * 150


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, migrated_url: str, redis_url: str) -> AsyncIterator[Stack]:
    """Both workers, for tests that kill neither."""
    database = CountingDatabase(migrated_url)
    queue = await Queue.open(redis_url)
    stack = Stack(tmp_path_factory.mktemp("stack"), migrated_url, redis_url, database, queue)
    stack.start("courier", "render", lease_s=20)
    yield stack
    stack.close()
    await queue.close()
    await database.close()


def media(stack: Stack, path: str) -> Path:
    return stack.folder / "media" / path


async def test_a_text_is_answered_by_text_voice_and_video(running: Stack) -> None:
    turn_id = await running.ask("what is new?")
    row = await running.end_of(turn_id)
    await running.answered_once(turn_id)
    assert (row["answer"], row["answer_language"], row["emotion"]) == ("You asked: what is new?.", "en", "neutral")
    assert row["engines"] == dict.fromkeys(("emotion", "llm", "tts", "video"), "fake")
    assert {"emotion", "llm", "tts", "video", "total"} <= set(row["timings_ms"])
    assert (row["attempts"], row["steps"], row["error"], row["lease_owner"]) == (1, [], None, None)
    for kind, file in (("audio", row["audio"]), ("video", row["video"])):
        with av.open(str(media(running, file["path"]))) as container:
            assert sum(1 for _ in container.decode(**{kind: 0})) > 10
            assert media(running, file["path"]).stat().st_size == file["bytes"]
    said = await rows(running.database, "SELECT role, text FROM messages WHERE turn_id = :id ORDER BY id", id=turn_id)
    assert [(line["role"], line["text"]) for line in said] == [("user", "what is new?"), ("assistant", row["answer"])]
    known = "SELECT language FROM conversations WHERE id = :id"
    assert (await rows(running.database, known, id=row["conversation_id"]))[0]["language"] == "en"


async def test_text_alone_ends_as_soon_as_it_is_sent(running: Stack) -> None:
    turn_id = await running.ask("hi", modes=("text",))
    await running.end_of(turn_id, within_s=5)
    assert [(row["kind"], row["state"]) for row in await outbox_of(running.database, turn_id)] == [
        ("text", "delivered")
    ]


async def test_a_conversation_is_answered_in_order(running: Stack) -> None:
    asked = [await running.ask("one")]
    asked += [await running.ask(said, after=asked[0]) for said in ("two", "three")]
    for turn_id in asked:
        await running.end_of(turn_id)
        await running.answered_once(turn_id)
    sent = await rows(
        running.database,
        "SELECT turn_seq FROM outbox WHERE conversation_id = :id ORDER BY settled_at, id",
        id=(await turn_row(running.database, asked[0]))["conversation_id"],
    )
    assert [row["turn_seq"] for row in sent] == [1] * 3 + [2] * 3 + [3] * 3


@pytest.mark.parametrize(
    ("said", "sent", "step"),
    [
        ("#fail tts", ["text", "notice"], ("tts", "fake", "tts_failed")),
        ("#fail emotion", ["text", "voice", "video"], ("emotion", "fake", "emotion_failed")),
    ],
)
async def test_a_layer_that_fails_steps_down_and_says_so(
    running: Stack, said: str, sent: list[str], step: tuple[str, str, str]
) -> None:
    turn_id = await running.ask(said)
    row = await running.end_of(turn_id)
    assert row["state"] == "done"
    assert [(found["layer"], found["engine"], found["code"]) for found in row["steps"]] == [step]
    assert [found["kind"] for found in await outbox_of(running.database, turn_id)] == sent


async def test_what_was_asked_for_as_voice_alone_comes_as_text_when_there_is_no_voice(running: Stack) -> None:
    turn_id = await running.ask("#fail tts", modes=("voice",))
    assert (await running.end_of(turn_id))["state"] == "done"
    assert [row["kind"] for row in await outbox_of(running.database, turn_id)] == ["notice", "text"]


@pytest.mark.alone
async def test_cancelling_while_it_draws_leaves_the_child_alive(running: Stack) -> None:
    turn_id = await running.ask(LONG)
    await running.saved(turn_id, "tts")
    child = running.child()
    assert await running.cancel(turn_id) < 1.5
    assert (await turn_row(running.database, turn_id))["state"] == "cancelled"
    assert running.child() == child
    kinds = {row["kind"]: row["state"] for row in await outbox_of(running.database, turn_id)}
    assert "video" not in kinds
    assert not list((running.folder / "media" / str(turn_id)).rglob("*.part"))


@pytest.mark.alone
async def test_cancelling_an_engine_that_does_not_listen_kills_the_child_in_time(running: Stack) -> None:
    turn_id = await running.ask("#hang llm")
    later = await running.ask("still there?", after=turn_id)
    await running.saved(turn_id, "emotion")
    child = running.child()
    assert await running.cancel(turn_id) <= 2.5
    assert (await turn_row(running.database, turn_id))["state"] == "cancelled"
    assert await outbox_of(running.database, turn_id) == []
    await running.end_of(later)
    await running.answered_once(later)
    assert running.child() != child


@pytest.mark.alone
async def test_a_cancelled_turn_that_waits_is_never_begun(running: Stack) -> None:
    first = await running.ask("#sleep 0.5 llm")
    second = await running.ask("two", after=first)
    third = await running.ask("three", after=first)
    assert await running.cancel(second) < 0.3
    for turn_id in (first, third):
        await running.end_of(turn_id)
        await running.answered_once(turn_id)
    row = await turn_row(running.database, second)
    assert (row["state"], row["attempts"]) == ("cancelled", 0)


async def test_a_killed_child_is_started_again_and_goes_on_where_it_was(running: Stack) -> None:
    turn_id = await running.ask("#sleep 3 tts")
    await running.saved(turn_id, "llm")
    child = running.child()
    assert child is not None
    child.kill()
    row = await running.end_of(turn_id)
    await running.answered_once(turn_id)
    assert row["attempts"] == 2
    fence = "SELECT fence FROM layer_outputs WHERE layer = 'llm' AND turn_id = :id"
    assert await rows(running.database, fence, id=turn_id) == [{"fence": 1}]


async def test_a_turn_that_another_holds_now_is_let_go(running: Stack) -> None:
    turn_id = await running.ask("#sleep 2 tts")
    await running.saved(turn_id, "llm")
    taken = "UPDATE turns SET state = 'queued', lease_owner = NULL, lease_until = NULL WHERE id = :id RETURNING id"
    await rows(running.database, taken, id=turn_id)
    row = await running.end_of(turn_id)
    await running.answered_once(turn_id)
    assert row["fence"] == 2
