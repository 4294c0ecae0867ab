"""Tasks, run by the courier on real tables and a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import AudioInvalid, DatabaseUnavailable, PlatformAway, SmartTalkerError
from core.i18n import t
from core.queue import Queue
from db import tasks
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, rows
from tests.platforms import delayed_rings, make_office, rung
from worker.tasking import ATTEMPTS, BUG_ATTEMPTS, Tasking, find_run
from worker.tasks.base import Done, Office

Work = Callable[[Office, Mapping[str, Any]], Awaitable[Done]]
Make = Callable[..., Tasking]
SAID = {"kind": "text", "payload": {"text": "ready"}}


@pytest.fixture
def make(database: Database, queue: Queue, tmp_path: Path) -> Make:
    def build(run: Work, owner: str = "host:courier-0", **settings: Any) -> Tasking:
        office, _ = make_office(database, queue, tmp_path, **settings)
        return Tasking(office, owner, lambda kind: run)

    return build


async def asked(database: Database, key: str = "k", *, spoken: str | None = "en") -> tuple[int, str]:
    """A task and the conversation that asked for it."""
    message = inbound(channel="telegram", account="bot", chat_id="7", language=spoken)
    accepted = await accept(database, message, avatar="layla")
    async with database.begin() as connection:
        number = await tasks.add(
            connection, "voice", {"n": key}, key=key, conversation_id=UUID(accepted.conversation_id)
        )
    assert number is not None
    return number, accepted.conversation_id


async def task(database: Database, number: int) -> dict[str, Any]:
    return (await rows(database, "SELECT * FROM tasks WHERE id = :id", id=number))[0]


async def replies(database: Database, chat: str) -> list[dict[str, Any]]:
    return await rows(database, "SELECT * FROM outbox WHERE conversation_id = :id ORDER BY id", id=chat)


async def now(database: Database) -> None:
    await rows(database, "UPDATE tasks SET not_before = now() RETURNING id")


async def test_a_task_runs_once_and_writes_all_it_leaves_together(make: Make, database: Database, queue: Queue) -> None:
    number, chat = await asked(database)
    given: list[Mapping[str, Any]] = []

    async def write(connection: AsyncConnection) -> list[Any]:
        await connection.execute(text("UPDATE contacts SET display_name = 'seen'"))
        return ["a-turn"]

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        given.append(task)
        return Done({"avatar": "x"}, [SAID, SAID], write)

    await make(run).task({}, str(number))
    row = await task(database, number)
    assert (row["state"], row["result"], row["lease_owner"], row["attempts"]) == ("done", {"avatar": "x"}, None, 1)
    assert row["ended_at"] is not None
    assert given[0]["payload"] == {"n": "k"}
    assert [each["dedupe_key"] for each in await replies(database, chat)] == [f"task:{number}:0", f"task:{number}:1"]
    assert (await rows(database, "SELECT display_name FROM contacts"))[0]["display_name"] == "seen"
    assert await rung(queue) == 1
    assert await queue.pool.zcard("smarttalker:render") == 1


async def test_what_fails_in_the_last_transaction_leaves_nothing(make: Make, database: Database) -> None:
    number, chat = await asked(database)

    async def write(connection: AsyncConnection) -> list[Any]:
        await connection.execute(text("UPDATE contacts SET display_name = 'seen'"))
        raise AudioInvalid

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        return Done({}, [SAID], write)

    await make(run).task({}, str(number))
    assert (await task(database, number))["state"] == "failed"
    assert [row["payload"]["id"] for row in await replies(database, chat)] == ["error-audio"]
    assert (await rows(database, "SELECT display_name FROM contacts"))[0]["display_name"] is None


@pytest.mark.parametrize("spoken", ["ar", "en", None])
async def test_what_can_never_work_is_told_in_the_persons_language(
    make: Make, database: Database, spoken: str | None
) -> None:
    number, chat = await asked(database, spoken=spoken)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        raise AudioInvalid(message_id="error-not-built", folder="here")

    await make(run).task({}, str(number))
    row = await task(database, number)
    assert (row["state"], row["error"]) == (
        "failed",
        {"code": "audio_invalid", "message_id": "error-not-built", "args": {"folder": "here"}},
    )
    language = spoken or "ar"
    (told,) = await replies(database, chat)
    assert told["kind"] == "notice"
    assert told["payload"] == {
        "text": t("error-not-built", language, folder="here"),
        "language": language,
        "id": "error-not-built",
    }


async def test_a_sentence_that_is_not_there_is_replaced(make: Make, database: Database) -> None:
    number, chat = await asked(database)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        raise SmartTalkerError(message_id="error-that-nobody-wrote")

    await make(run).task({}, str(number))
    assert (await replies(database, chat))[0]["payload"]["id"] == "error-internal"


@pytest.mark.parametrize(
    ("error", "most", "code"),
    [(PlatformAway(), ATTEMPTS, "platform_away"), (ValueError("a secret"), BUG_ATTEMPTS, "internal_error")],
)
async def test_what_may_work_later_is_tried_again_and_then_told(
    make: Make, database: Database, queue: Queue, error: Exception, most: int, code: str
) -> None:
    number, chat = await asked(database)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        raise error

    tasking = make(run)
    for attempt in range(1, most + 1):
        assert await replies(database, chat) == []
        await queue.pool.flushdb()
        await tasking.task({}, str(number))
        row = await task(database, number)
        assert row["attempts"] == attempt
        if attempt < most:
            assert row["state"] == "queued"
            rings = await delayed_rings(queue, "task")
            assert rings[str(number)] == pytest.approx(min(2.0**attempt, 60), abs=0.5)
            assert await tasks.claim(database, "another", 30) is None, "not yet"
            await now(database)
    assert (row["state"], row["error"]["code"]) == ("failed", code)
    assert "a secret" not in str(row["error"])
    assert len(await replies(database, chat)) == 1


async def test_two_at_once_and_no_ring_is_lost(make: Make, database: Database) -> None:
    made = [await asked(database, f"k{n}") for n in range(7)]
    busy, most, ran = 0, 0, []

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.1)
        ran.append(task["id"])
        busy -= 1
        return Done()

    tasking = make(run)
    await asyncio.gather(*(tasking.task({}, str(number)) for number, _ in made))
    assert most == 2
    assert sorted(ran) == [number for number, _ in made]


async def test_a_ring_while_all_are_busy_is_heard(make: Make, database: Database) -> None:
    first, _ = await asked(database, "k1")
    second, _ = await asked(database, "k2")
    going, ran = asyncio.Event(), []

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        await going.wait()
        ran.append(task["id"])
        return Done()

    tasking = make(run)
    working = [asyncio.create_task(tasking.task({}, str(number))) for number in (first, second)]
    await asyncio.sleep(0.1)
    third, _ = await asked(database, "k3")
    await tasking.task({}, str(third))
    going.set()
    await asyncio.gather(*working)
    assert sorted(ran) == [first, second, third]


async def test_couriers_side_by_side_run_each_task_once(make: Make, database: Database) -> None:
    made = [await asked(database, f"k{n}") for n in range(6)]
    ran = []

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        await asyncio.sleep(0.01)
        ran.append(task["id"])
        return Done()

    couriers = [make(run), make(run, "host:courier-1")]
    await asyncio.gather(*(each.task({}, "any") for each in couriers for _ in range(2)))
    assert sorted(ran) == [number for number, _ in made]


async def test_a_long_task_keeps_its_lease(make: Make, database: Database) -> None:
    number, _ = await asked(database)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        await asyncio.sleep(0.8)
        return Done()

    working = asyncio.create_task(make(run, lease_s=0.4, heartbeat_s=0.1).task({}, str(number)))
    for _ in range(7):
        await asyncio.sleep(0.1)
        assert await tasks.claim(database, "another", 30) is None
    await working
    row = await task(database, number)
    assert (row["state"], row["attempts"]) == ("done", 1)


async def test_a_task_whose_lease_is_lost_is_stopped_and_writes_nothing(make: Make, database: Database) -> None:
    number, chat = await asked(database)
    stopped = []

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        await rows(database, "UPDATE tasks SET fence = fence + 1, lease_owner = 'another' RETURNING id")
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            stopped.append(True)
            raise
        return Done({}, [SAID])

    await make(run, lease_s=1.0, heartbeat_s=0.1).task({}, str(number))
    assert stopped == [True]
    assert await replies(database, chat) == []
    row = await task(database, number)
    assert (row["state"], row["lease_owner"]) == ("running", "another")


async def test_a_task_that_loses_its_lease_at_the_end_writes_nothing(make: Make, database: Database) -> None:
    number, chat = await asked(database)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        await rows(database, "UPDATE tasks SET fence = fence + 1 RETURNING id")
        return Done({}, [SAID])

    await make(run).task({}, str(number))
    assert await replies(database, chat) == []
    assert (await task(database, number))["state"] == "running"


async def test_a_crash_frees_the_task_with_its_lease_and_ends_it_when_it_comes_again_and_again(
    make: Make, database: Database
) -> None:
    number, chat = await asked(database)
    ran = []

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        ran.append(task["attempts"])
        return Done()

    for _ in range(ATTEMPTS):
        assert await tasks.claim(database, "dead", -1) is not None
    await make(run).task({}, str(number))
    assert ran == []
    assert (await task(database, number))["state"] == "failed"
    assert [row["payload"]["id"] for row in await replies(database, chat)] == ["error-internal"]


async def test_a_courier_that_stops_gives_its_task_back(make: Make, database: Database) -> None:
    number, _ = await asked(database)
    began = asyncio.Event()

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        began.set()
        await asyncio.sleep(60)
        return Done()

    working = asyncio.create_task(make(run).task({}, str(number)))
    await began.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    row = await task(database, number)
    assert (row["state"], row["attempts"], row["lease_owner"]) == ("queued", 0, None)


async def test_a_new_courier_takes_back_what_it_held(make: Make, database: Database, queue: Queue) -> None:
    number, _ = await asked(database)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        return Done()

    assert await tasks.claim(database, "host:courier-0", 60) is not None
    tasking = make(run)
    await tasking.reconcile()
    assert await rung(queue) == 0, "it is held"
    await tasking.start()
    assert await rung(queue) == 1
    await tasking.task({}, "any")
    assert (await task(database, number))["state"] == "done"


async def test_a_task_of_nobodys_tells_nobody(make: Make, database: Database, queue: Queue) -> None:
    async with database.begin() as connection:
        number = await tasks.add(connection, "sweep", {}, key="s")
    assert number is not None

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        return Done({}, [SAID])

    await make(run).task({}, str(number))
    assert (await task(database, number))["state"] == "done"
    assert await rows(database, "SELECT 1 FROM outbox") == []
    assert await rung(queue) == 0


async def test_an_end_is_written_when_the_database_is_back(
    make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, chat = await asked(database)
    complete, failures, ran = tasks.complete, [DatabaseUnavailable(), DatabaseUnavailable()], []

    async def away(*args: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return await complete(*args, **more)

    async def run(office: Office, task: Mapping[str, Any]) -> Done:
        ran.append(1)
        return Done({}, [SAID])

    monkeypatch.setattr("worker.patience.PAUSE_S", 0.01)
    monkeypatch.setattr(tasks, "complete", away)
    await make(run).task({}, str(number))
    assert (ran, len(await replies(database, chat)), (await task(database, number))["state"]) == ([1], 1, "done")


@pytest.mark.parametrize("kind", ["nothing_like_it", "../base", "base", "", "a.b"])
def test_kinds_that_are_none_fail_for_good(kind: str) -> None:
    with pytest.raises(SmartTalkerError) as caught:
        find_run(kind)
    assert caught.value.permanent
