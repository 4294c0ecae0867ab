"""The render worker, its child and the courier as real processes, with fakes for engines: turns, and tasks that need
engines. What dies in the middle is done again."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import psutil
import pytest

from bot.administration import voices
from core.catalogue import Catalogue
from core.queue import Queue
from core.settings import HOME
from db import prepared, tasks
from tests.helpers import CountingDatabase, outbox_of, rows, turn_row
from tests.stack import Stack
from tests.unheard import CLIP, NAMES, RECORDING, add_unheard
from worker.tasks import transcript

LONG = "and so on " * 150


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, migrated_url: str, redis_url: str) -> AsyncIterator[Stack]:
    """Both workers."""
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


async def chat(stack: Stack) -> UUID:
    turn_id = await stack.ask("hi", modes=("text",))
    return UUID(str((await stack.end_of(turn_id, within_s=40))["conversation_id"]))


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
    await running.end_of(turn_id)
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


async def test_a_preview_goes_through_the_pipeline_from_speech_on(running: Stack) -> None:
    async with running.database.begin() as connection:
        preview = await prepared.add(
            connection, await chat(running), text="Good morning. Welcome.", language="en", avatar="sara"
        )
    assert preview is not None
    await running.queue.ring_render(preview)
    row = await running.end_of(preview)
    assert (row["state"], row["answer"], row["steps"]) == ("done", "Good morning. Welcome.", [])
    assert set(row["engines"]) == {"tts", "video"}
    sent = await rows(running.database, "SELECT kind, state FROM outbox WHERE turn_id = :id ORDER BY id", id=preview)
    assert [(each["kind"], each["state"]) for each in sent] == [("text", "delivered"), ("video", "delivered")]


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


# ---- tasks that need engines


async def ask(stack: Stack, voice: str) -> int:
    """The words of a new voice, as voice tasks ask for them."""
    add_unheard(stack.folder, voice)
    payload = transcript.payload({"act": "add", "id": voice, "name": NAMES, "language": "en"}, CLIP, None)
    async with stack.database.begin() as connection:
        number = await tasks.add(connection, transcript.KIND, payload, key=voice, worker=tasks.RENDER)
    assert number is not None
    await stack.queue.ring_render(f"task-{number}")
    return number


async def until(stack: Stack, condition: str, within_s: float = 40.0, **values: Any) -> dict[str, Any]:
    """The first task of which it is true."""
    deadline = time.monotonic() + within_s
    while not (found := await rows(stack.database, f"SELECT * FROM tasks WHERE {condition}", **values)):
        assert time.monotonic() < deadline, f"no task with {condition} after {within_s} s"
        await asyncio.sleep(0.02)
    return found[0]


async def written(stack: Stack, voice: str, number: int, claims: int) -> None:
    """The words are there, after so many claims in all."""
    row = await until(stack, "id = :id AND state = 'done'", id=number)
    assert (row["result"], row["fence"]) == ({"id": voice, "language": "en", "words": True}, claims)
    references = Catalogue(stack.folder).voice(voice).references
    assert [(language, (each.transcript or "")[:11]) for language, each in references.items()] == [
        ("en", "hello hello")
    ]


async def suspended(stack: Stack) -> psutil.Process:
    """The child, which does nothing any more."""
    await chat(stack)
    child = stack.child()
    assert child is not None
    child.suspend()
    return child


@pytest.mark.parametrize(("told", "heard"), [(None, "en"), ("ar", "ar")])
async def test_a_voice_is_ready_when_its_words_are_written_down(running: Stack, told: str | None, heard: str) -> None:
    conversation = await chat(running)
    upload = running.folder / "media" / f"up-{heard}" / "a.wav"
    upload.parent.mkdir(parents=True)
    shutil.copyfile(RECORDING, upload)
    async with running.database.begin() as connection:
        begun = await voices.add(
            connection,
            Catalogue(running.folder, HOME),
            actor="test",
            names={"ar": "نور", "en": "Noor"},
            source={"file": f"up-{heard}/a.wav"},
            words="I agree.",
            language="en",
            key=f"add-{heard}",
            conversation_id=conversation,
            spoken=told,
        )
    await running.queue.ring_task(begun.task_id)
    row = await until(running, "kind = 'transcript' AND state = 'done' AND conversation_id = :chat", chat=conversation)
    assert row["result"] == {"id": begun.id, "language": heard, "words": True}
    reference = Catalogue(running.folder).voice(begun.id).references[heard]
    assert reference.transcript is not None
    assert set(reference.transcript.split()) == {"hello" if heard == "en" else "مرحبا"}
    (preview,) = await rows(running.database, "SELECT id FROM turns WHERE voice = :id", id=begun.id)
    turn = await running.end_of(preview["id"])
    assert (turn["state"], turn["answer_language"]) == ("done", heard)
    sent = await rows(
        running.database, "SELECT payload->>'id' AS id FROM outbox WHERE kind = 'menu' AND conversation_id = :id",
        id=conversation,
    )  # fmt: skip
    assert [each["id"] for each in sent] == ["admin-voice-ready"]
    assert not upload.parent.exists()


async def test_turns_come_before_tasks(running: Stack) -> None:
    first = await running.ask("#sleep 0.5 llm", modes=("text",))
    await running.saved(first, "emotion")
    number = await ask(running, "later")
    second = await running.ask("two", modes=("text",))
    row = await until(running, "id = :id AND state = 'done'", id=number)
    for turn_id in (first, second):
        assert (await turn_row(running.database, turn_id))["rendered_at"] < row["ended_at"]
    await written(running, "later", number, claims=2)


async def test_a_child_that_dies_over_a_recording_is_started_again(running: Stack) -> None:
    child = await suspended(running)
    number = await ask(running, "killed")
    await until(running, "id = :id AND state = 'running'", id=number)
    child.kill()
    await written(running, "killed", number, claims=3)


async def test_a_render_process_that_dies_over_a_recording_goes_on_when_it_is_back(running: Stack) -> None:
    await suspended(running)
    number = await ask(running, "dies")
    await until(running, "id = :id AND state = 'running'", id=number)
    running.signal("render", signal.SIGKILL)
    await running.ended("render", 5)
    running.start("render", lease_s=20)
    await written(running, "dies", number, claims=3)
