"""Tasks that need engines: claimed by the render process, ended by the courier; the words of a voice's recording."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.administration import voices
from core.catalogue import Catalogue
from core.errors import ChildDied, StorageError
from core.queue import Queue
from core.settings import Settings
from db import tasks
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, rows, shared_metrics
from tests.platforms import delayed_rings, make_office, rung
from tests.unheard import CLIP, NAMES, RECORDING, WORDS, add_unheard
from worker.adding.voice import remove_voice
from worker.engine_tasks import ATTEMPTS, EngineTasks
from worker.tasking import LATE_S, Tasking
from worker.tasks import transcript
from worker.tasks import voice as voice_task

HEARD = {"text": WORDS["en"], "language": "en", "confidence": 0.9}
FAILED = {"kind": "failed", "code": "asr_failed", "permanent": False, "layer": "asr", "detail": "ASRError: x"}
FOR_GOOD = FAILED | {"permanent": True}
SPENT = {"kind": "time", "layer": "asr", "engine": "ear", "ms": 40.0, "gpu_mb": 0, "ram_mb": 3}


class Answering:
    """A child that answers in turn what it is given: the last report of an order, an error, or nothing for so long."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.works, self.silent_s = False, 0.0
        self.began, self.killed = asyncio.Event(), asyncio.Event()

    async def run(self, name: str, order: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        self.orders.append((name, order))
        self.works = True
        self.began.set()
        answer = self.answers.pop(0)
        try:
            if isinstance(answer, float):
                self.silent_s = answer
                await self.killed.wait()
                raise ChildDied
            if isinstance(answer, Exception):
                raise answer
            yield SPENT
            yield answer
        finally:
            self.works = False

    async def kill(self) -> None:
        self.killed.set()


class Desk:
    """A voice, the task that asks for its words, and who works on it."""

    def __init__(self, database: Database, queue: Queue, folder: Path, **settings: Any) -> None:
        self.database, self.queue, self.folder = database, queue, folder
        self.settings = Settings(_env_file=None, data_dir=folder, **settings)
        self.office, _ = make_office(database, queue, folder)
        self.number, self.chat = 0, ""

    async def ask(self, language: str | None = None, chat: str | None = "7") -> None:
        if chat is not None:
            message = inbound(channel="telegram", account="bot", chat_id=chat, language="en")
            self.chat = (await accept(self.database, message, avatar="layla")).conversation_id
        asked = {"act": "add", "id": "mona", "name": NAMES, "language": "en"}
        async with self.database.begin() as connection:
            number = await tasks.add(
                connection,
                transcript.KIND,
                transcript.payload(asked, CLIP, language),
                key="k",
                conversation_id=UUID(self.chat) if chat is not None else None,
                worker=tasks.RENDER,
            )
        assert number is not None
        self.number = number

    def engines(self, child: Any) -> EngineTasks:
        return EngineTasks(self.settings, self.database, self.queue, shared_metrics(), child, "host:render-0")

    async def courier(self) -> None:
        await Tasking(self.office, "host:courier-0").task({}, "any")

    async def row(self) -> dict[str, Any]:
        return (await rows(self.database, "SELECT * FROM tasks WHERE id = :id", id=self.number))[0]

    async def now(self) -> None:
        await rows(self.database, "UPDATE tasks SET not_before = now() RETURNING id")

    async def told(self) -> list[str]:
        found = await rows(self.database, "SELECT payload FROM outbox WHERE kind = 'menu' ORDER BY id")
        return [row["payload"]["id"] for row in found]

    async def previews(self) -> list[tuple[str, str]]:
        found = await rows(self.database, "SELECT voice, answer_language FROM turns WHERE voice IS NOT NULL")
        return [(row["voice"], row["answer_language"]) for row in found]

    def words(self) -> dict[str, str | None]:
        """By language."""
        voice = Catalogue(self.folder).voice("mona")
        return {language: reference.transcript for language, reference in voice.references.items()}

    async def is_ready(self, language: str = "en") -> None:
        """Who waited was told once, and hears the voice."""
        assert await self.told() == ["admin-voice-ready"]
        assert await self.previews() == [("mona", language)]
        assert (await self.row())["state"] == "done"


@pytest.fixture
def desk(database: Database, queue: Queue, tmp_path: Path) -> Desk:
    add_unheard(tmp_path, "mona")
    return Desk(database, queue, tmp_path, lease_s=1.0, heartbeat_s=0.05)


@pytest.mark.parametrize(
    ("asked", "heard", "written"),
    [
        (None, HEARD, {"en": WORDS["en"]}),
        ("en", HEARD, {"en": WORDS["en"]}),
        (None, {"text": WORDS["ar"], "language": "ar", "confidence": 0.8}, {"ar": WORDS["ar"]}),
        (None, HEARD | {"text": f"  {WORDS['en']}\u0007\n"}, {"en": WORDS["en"]}),
        (None, HEARD | {"text": WORDS["en"].replace("Welcome", "Willkommen"), "language": "de"}, {"de": ...}),
        (None, HEARD | {"text": ""}, {"und": None}),
        (None, HEARD | {"text": "..."}, {"und": None}),
        (None, HEARD | {"text": "Yes."}, {"und": None}),
        (None, HEARD | {"text": WORDS["en"] * 5}, {"und": None}),
        (None, HEARD | {"text": WORDS["en"], "language": "ar"}, {"und": None}),
        (None, HEARD | {"language": "x" * 30}, {"und": None}),
        (None, HEARD | {"language": ""}, {"und": None}),
        (None, HEARD | {"confidence": 0.2}, {"und": None}),
    ],
)
async def test_words_are_written_where_they_can_be_believed(
    desk: Desk, asked: str | None, heard: dict[str, Any], written: dict[str, Any]
) -> None:
    await desk.ask(asked)
    child = Answering({"kind": "done", "result": heard})
    assert await desk.engines(child).take_one()
    assert not await desk.engines(child).take_one()
    ((name, order),) = child.orders
    assert name == f"task-{desk.number}"
    assert order == {
        "do": "hear",
        "media": str(desk.folder / "voices" / "mona" / CLIP),
        "language": asked,
        "expected": "en",
    }
    row = await desk.row()
    assert (row["worker"], row["state"], row["attempts"], row["lease_owner"]) == ("courier", "queued", 0, None)
    assert await desk.told() == []
    assert await rung(desk.queue) == 1
    await desk.courier()
    found = desk.words()
    assert found.keys() == written.keys()
    assert all(words in (..., found[language]) for language, words in written.items())
    await desk.is_ready("ar" if "ar" in written else "en")
    assert "text" not in str((await desk.row())["result"])


@pytest.mark.parametrize(
    ("asr", "words", "awaited"),
    [("fake", None, True), ("fake", WORDS["en"], False), ("pocketsphinx", None, False), ("none-such", None, False)],
)
async def test_words_are_asked_for_where_nobody_told_them_and_somebody_can_write_them_down(
    desk: Desk, asr: str, words: str | None, awaited: bool
) -> None:
    office, _ = make_office(desk.database, desk.queue, desk.folder, asr=asr)
    upload = office.storage.path("up/0/upload")
    upload.parent.mkdir(parents=True)
    shutil.copyfile(RECORDING, upload)
    message = inbound(channel="telegram", account="bot", chat_id="8", language="en")
    chat = UUID((await accept(desk.database, message, avatar="layla")).conversation_id)
    async with desk.database.begin() as connection:
        shared = {"actor": "test", "names": NAMES, "source": {"file": "up/0/upload"}, "words": "I agree."}
        begun = await voices.add(
            connection,
            office.catalogue,
            **shared,
            language="en",
            key="new",
            conversation_id=chat,
            spoken="en",
            transcript=words,
        )
    # An attempt that died before its end was written leaves the voice, and maybe the upload; the next one asks.
    await voice_task.run(office, (await rows(desk.database, "SELECT * FROM tasks"))[0])
    upload.parent.mkdir(parents=True)
    shutil.copyfile(RECORDING, upload)
    await Tasking(office, "host:courier-0").task({}, "any")
    assert not upload.exists()
    ended, *others = await rows(desk.database, "SELECT * FROM tasks ORDER BY id")
    assert (ended["state"], ended["result"].get("transcript")) == ("done", "awaited" if awaited else None)
    assert ("admin-voice-ready" in await desk.told()) is not awaited
    assert await desk.queue.pool.zcard("smarttalker:render") == 1
    found = [(task["kind"], task["worker"], task["conversation_id"], task["payload"]["order"]) for task in others]
    (clip,) = (path.name for path in (desk.folder / "voices" / begun.id).glob("*.wav"))
    order = {"do": "hear", "media": f"voices/{begun.id}/{clip}", "language": "en", "expected": "en"}
    assert found == ([("transcript", "render", chat, order)] if awaited else [])


@pytest.mark.parametrize("end", [FAILED, ChildDied(), {"kind": "cancelled"}], ids=["failed", "died", "cancelled"])
async def test_what_fails_is_tried_again_and_at_last_done_without(desk: Desk, end: Any) -> None:
    await desk.ask()
    child = Answering(*[end] * ATTEMPTS)
    for attempt in range(1, ATTEMPTS + 1):
        assert await desk.engines(child).take_one()
        row = await desk.row()
        if attempt < ATTEMPTS:
            assert (row["worker"], row["state"], row["attempts"]) == ("render", "queued", attempt)
            assert not await desk.engines(child).take_one(), "not yet"
            assert await desk.queue.pool.zcard("smarttalker:render") == attempt
            await desk.now()
    assert row["worker"] == "courier"
    await desk.courier()
    assert desk.words() == {"und": None}
    await desk.is_ready()


async def test_what_can_never_work_is_not_tried_again(desk: Desk) -> None:
    await desk.ask()
    await desk.engines(Answering(FOR_GOOD)).take_one()
    await desk.courier()
    assert desk.words() == {"und": None}
    await desk.is_ready()


async def test_a_task_that_kills_whoever_takes_it_is_given_up(desk: Desk) -> None:
    await desk.ask()
    for _ in range(ATTEMPTS):
        assert await tasks.claim(desk.database, "dead", -1, tasks.RENDER)
    child = Answering()
    assert await desk.engines(child).take_one()
    assert child.orders == []
    await desk.courier()
    await desk.is_ready()


async def test_a_silent_child_is_killed_and_fails_the_attempt(desk: Desk) -> None:
    await desk.ask()
    child = Answering(2.0)
    await desk.engines(child).take_one()
    row = await desk.row()
    assert (row["state"], row["attempts"], row["error"]["code"]) == ("queued", 1, "worker_died")


async def test_an_order_that_never_ends_is_broken_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.engine_tasks.ORDER_S", 0.1)
    await desk.ask()
    child = Answering(0.0)
    await desk.engines(child).take_one()
    assert child.killed.is_set()
    assert (await desk.row())["error"]["code"] == "worker_died"


async def test_a_render_process_that_stops_gives_its_task_back(desk: Desk) -> None:
    await desk.ask()
    child = Answering(0.0)
    working = asyncio.create_task(desk.engines(child).take_one())
    await child.began.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    row = await desk.row()
    assert (row["state"], row["attempts"], row["lease_owner"], child.killed.is_set()) == ("queued", 0, None, True)


async def test_a_task_that_another_holds_by_now_is_let_go(desk: Desk) -> None:
    await desk.ask()
    child = Answering(0.0)
    working = asyncio.create_task(desk.engines(child).take_one())
    await child.began.wait()
    await rows(desk.database, "UPDATE tasks SET fence = fence + 1, lease_owner = 'another' RETURNING id")
    assert await working
    row = await desk.row()
    assert (row["state"], row["lease_owner"], row["worker"]) == ("running", "another", "render")
    assert child.killed.is_set()


async def test_who_waits_long_is_told_without_words_which_come_later(desk: Desk) -> None:
    await desk.ask()
    tasking = Tasking(desk.office, "host:courier-0")
    await tasking.reconcile()
    assert (await desk.row())["worker"] == "render"
    await rows(desk.database, f"UPDATE tasks SET created_at = now() - interval '{LATE_S + 1} s' RETURNING id")
    await tasking.reconcile()
    await desk.courier()
    await desk.is_ready()
    (later,) = await rows(desk.database, "SELECT * FROM tasks WHERE state = 'queued'")
    assert (later["worker"], later["kind"], later["conversation_id"]) == ("render", "transcript", None)
    await rows(desk.database, f"UPDATE tasks SET created_at = now() - interval '{LATE_S + 1} s' RETURNING id")
    await tasking.reconcile()
    await desk.engines(Answering({"kind": "done", "result": HEARD})).take_one()
    await desk.courier()
    assert desk.words() == {"en": WORDS["en"]}
    await desk.is_ready()


@pytest.mark.parametrize(("lease_s", "late"), [(60, 0), (-1, 1)], ids=["at work", "dead"])
async def test_a_task_is_late_only_where_nobody_works_on_it(desk: Desk, lease_s: float, late: int) -> None:
    await desk.ask()
    held = await tasks.claim(desk.database, "another", lease_s, tasks.RENDER)
    assert held is not None
    assert await tasks.hand_over_late(desk.database, 0.0) == late
    assert await tasks.renew(desk.database, held, 60) == (not late)


async def test_the_words_of_a_voice_that_is_gone_are_nobodys(desk: Desk) -> None:
    await desk.ask()
    remove_voice(desk.folder, "mona")
    await desk.engines(Answering(FOR_GOOD | {"code": "not_found"})).take_one()
    await desk.courier()
    assert ((await desk.row())["state"], await desk.told(), await desk.previews()) == ("done", [], [])
    assert [path.name for path in (desk.folder / "voices").iterdir()] == [".removed"]


async def test_a_full_disk_is_waited_for_and_then_the_voice_goes_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise StorageError

    monkeypatch.setattr(transcript, "tell_words", full)
    await desk.ask()
    await desk.engines(Answering({"kind": "done", "result": HEARD})).take_one()
    for _ in range(transcript.WRITINGS):
        assert await desk.told() == []
        await desk.courier()
        await desk.now()
    assert str(desk.number) in await delayed_rings(desk.queue, "task")
    await desk.is_ready()
