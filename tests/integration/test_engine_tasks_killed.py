"""A voice's words through the three real processes, with a fake ear; what dies in the middle is done again."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psutil
import pytest

from bot.administration import voices
from core.catalogue import Catalogue
from core.queue import Queue
from core.settings import HOME
from db import tasks
from tests.helpers import CountingDatabase, rows, turn_row
from tests.stack import Stack
from tests.unheard import CLIP, NAMES, RECORDING, add_unheard
from worker.tasks import transcript


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory, migrated_url: str, redis_url: str) -> AsyncIterator[Stack]:
    """Both workers."""
    database = CountingDatabase(migrated_url)
    queue = await Queue.open(redis_url)
    stack = Stack(tmp_path_factory.mktemp("stack"), migrated_url, redis_url, database, queue)
    stack.start("courier", "render")
    yield stack
    stack.close()
    await queue.close()
    await database.close()


async def chat(stack: Stack) -> UUID:
    turn_id = await stack.ask("hi", modes=("text",))
    return UUID(str((await stack.end_of(turn_id, within_s=40))["conversation_id"]))


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
    running.start("render")
    await written(running, "dies", number, claims=3)
