"""Idle loops that an engine draws: asked for by the courier, drawn by the render process when no turn waits, kept as
long as they show the avatar as it is."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from core.catalogue import Catalogue
from core.errors import ChildDied
from core.idling import HalfLoop, half_loop_of, loop_of
from core.queue import Queue
from core.settings import HOME, Settings
from db import idling, switches, tasks
from db.intake import accept
from db.sessions import Database
from tests.helpers import inbound, rows, shared_metrics
from tests.platforms import make_office
from worker.engine_tasks import AGAIN_S, ATTEMPTS, EngineTasks
from worker.half_idling import HalfIdling
from worker.tasking import Tasking

FAILED = {"kind": "failed", "code": "video_failed", "permanent": False, "layer": "video", "detail": "VideoError: x"}


class Artist:
    """A child that ends each order as it is told: with a film, with a report, or not before it is stopped."""

    def __init__(self, *ends: Any) -> None:
        self.ends = list(ends)
        self.orders: list[tuple[str, dict[str, Any]]] = []
        self.works, self.silent_s = False, 0.0
        self.stopped, self.killed = asyncio.Event(), asyncio.Event()

    async def run(self, name: str, order: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        self.orders.append((name, order))
        end = self.ends.pop(0)
        if end == "film":
            path = Path(order["media"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"film")
            yield {"kind": "done", "result": {"bytes": 4, "seconds": 5.76}}
        elif end == "waits":
            await self.stopped.wait()
            yield {"kind": "cancelled"}
        elif end == "dies":
            await self.stopped.wait()
            raise ChildDied
        else:
            yield end

    async def stop(self, name: str) -> None:
        assert name == self.orders[-1][0]
        self.stopped.set()

    async def kill(self) -> None:
        self.killed.set()


class Studio:
    """One avatar with a half-body picture, and who works for it."""

    def __init__(self, database: Database, queue: Queue, folder: Path, **settings: Any) -> None:
        self.database, self.queue, self.folder = database, queue, folder
        self.settings = Settings(_env_file=None, data_dir=folder, lease_s=1.0, heartbeat_s=0.05)
        self.office, _ = make_office(database, queue, folder, **{"video": "echomimic", **settings})
        shutil.copytree(HOME / "avatars" / "omar", folder / "avatars" / "nour", ignore=shutil.ignore_patterns("frames"))
        self.half = folder / "avatars" / "nour" / "half.png"
        self.half.write_bytes(b"half a body")

    def loop(self) -> HalfLoop:
        return half_loop_of(Catalogue(self.folder).avatar("nour"))

    def render(self, *ends: Any) -> tuple[EngineTasks, Artist]:
        child = Artist(*ends)
        known: Any = child
        return EngineTasks(self.settings, self.database, self.queue, shared_metrics(), known, "host:render-0"), child

    async def courier(self) -> None:
        await Tasking(self.office, "host:courier-0").task({}, "any")

    async def tasks(self) -> list[dict[str, Any]]:
        return await rows(self.database, "SELECT * FROM tasks ORDER BY id")

    async def now(self) -> None:
        await rows(self.database, "UPDATE tasks SET not_before = now() RETURNING id")


@pytest.fixture
def studio(database: Database, queue: Queue, tmp_path: Path) -> Studio:
    return Studio(database, queue, tmp_path)


async def test_it_is_asked_for_once_drawn_and_asked_for_anew_where_the_picture_was_replaced(studio: Studio) -> None:
    rounds = HalfIdling(studio.office)
    for _ in range(2):
        await rounds.reconcile()
    assert await studio.queue.pool.zcard("smarttalker:render") == 1
    first = studio.loop()
    render, child = studio.render("film")
    assert await render.take_one()
    assert child.orders[0][1] == {"do": "idle", "avatar": "nour", "media": str(first.path(studio.folder.resolve()))}
    await studio.courier()
    (task,) = await studio.tasks()
    assert (task["state"], task["result"]) == ("done", {"id": "nour", "bytes": 4, "seconds": 5.76})
    await HalfIdling(studio.office).reconcile()
    assert (await studio.tasks())[0]["state"] == "done", "it is there"

    studio.half.write_bytes(b"another")
    await rounds.reconcile()
    render, _ = studio.render("film")
    assert await render.take_one()
    await studio.courier()
    assert not first.path(studio.folder).exists()
    assert studio.loop().path(studio.folder).is_file()

    # Whose file is gone is drawn anew by the next courier.
    studio.loop().path(studio.folder).unlink()
    await HalfIdling(studio.office).reconcile()
    assert [task["state"] for task in await studio.tasks()] == ["done", "queued"]
    render, _ = studio.render("film")
    assert await render.take_one()


async def test_the_puppets_loop_and_that_of_half_the_body_leave_each_other_alone(studio: Studio) -> None:
    avatar = studio.office.catalogue.avatar("nour")
    await HalfIdling(studio.office).reconcile()
    render, _ = studio.render("film")
    await render.take_one()
    paths = [loop.path(studio.folder) for loop in (loop_of(avatar), studio.loop())]
    paths[0].parent.mkdir(parents=True)
    paths[0].write_bytes(b"film")
    async with studio.database.begin() as connection:
        await idling.order(connection, loop_of(avatar))
    await studio.courier()
    assert [task["state"] for task in await studio.tasks()] == ["done", "done"]
    assert [path.is_file() for path in paths] == [True, True]


@pytest.mark.parametrize(
    ("settings", "half", "asked"),
    [
        ({"video": "puppet"}, True, 0),
        ({"video": "musetalk"}, True, 0),
        ({"profile": "gpu", "video": ""}, True, 1),
        ({"video": "puppet", "video_ar": "echomimic"}, True, 1),
        ({}, False, 0),
    ],
)
async def test_it_is_asked_for_where_an_engine_of_the_settings_draws_it(
    database: Database, queue: Queue, tmp_path: Path, settings: dict[str, str], half: bool, asked: int
) -> None:
    studio = Studio(database, queue, tmp_path, **settings)
    if not half:
        studio.half.unlink()
    await HalfIdling(studio.office).reconcile()
    assert len(await studio.tasks()) == asked


@pytest.mark.parametrize(
    ("ends", "attempts"),
    [([FAILED] * ATTEMPTS, ATTEMPTS), ([FAILED | {"permanent": True}], 1)],
    ids=["again and again", "for good"],
)
async def test_what_can_not_be_drawn_is_given_up(studio: Studio, ends: list[Any], attempts: int) -> None:
    await HalfIdling(studio.office).reconcile()
    render, child = studio.render(*ends)
    for _ in range(attempts):
        await studio.now()
        assert await render.take_one()
    await studio.courier()
    await studio.courier()
    (task,) = await studio.tasks()
    assert (task["state"], task["error"]["code"], len(child.orders)) == ("failed", "video_failed", attempts)
    for _ in range(2):
        await HalfIdling(studio.office).reconcile()
    assert (await studio.tasks())[0]["state"] == "failed"
    await rows(studio.database, "UPDATE tasks SET ended_at = now() - interval '11 minutes' RETURNING id")
    await HalfIdling(studio.office).reconcile()
    (task,) = await studio.tasks()
    assert (task["state"], task["worker"], task["attempts"], task["result"]) == ("queued", "render", 0, None)


async def test_what_would_take_hours_is_given_up_at_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.engine_tasks.YIELDING_S", 0.1)
    await HalfIdling(studio.office).reconcile()
    render, child = studio.render("waits")
    assert await render.take_one()
    assert child.killed.is_set()
    await studio.courier()
    assert [task["state"] for task in await studio.tasks()] == ["failed"]


@pytest.mark.parametrize("end", ["waits", "dies"])
async def test_a_turn_goes_first(studio: Studio, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the child stops at once or has to be killed: the attempt does not count, and the loop is drawn later."""
    monkeypatch.setattr("worker.engine_tasks.LOOK_S", 0.02)
    await HalfIdling(studio.office).reconcile()
    render, child = studio.render(end, "film")
    drawing = asyncio.create_task(render.take_one())
    async with studio.database.begin() as connection:
        await switches.turn_on(connection, switches.PAUSED)
    await accept(studio.database, inbound(channel="web"), avatar="layla")
    await asyncio.sleep(0.2)
    assert not child.stopped.is_set(), "nobody would take the turn"
    async with studio.database.begin() as connection:
        await switches.turn_off(connection, switches.PAUSED)
    assert await asyncio.wait_for(drawing, 5)
    (task,) = await studio.tasks()
    assert (task["state"], task["attempts"], task["lease_owner"], task["worker"]) == ("queued", 0, None, "render")
    assert not await render.take_one(), f"not before {AGAIN_S} s"
    await rows(studio.database, "UPDATE turns SET state = 'done' RETURNING id")
    await studio.now()
    assert await render.take_one()
    assert [name for name, _ in child.orders] == [f"task-{task['id']}"] * 2
    assert studio.loop().path(studio.folder).is_file()


@pytest.mark.parametrize(("waits", "stops"), [("a person", True), ("nobody", False), ("the end", True)])
async def test_what_somebody_waits_for_and_the_end_go_first(
    studio: Studio, waits: str, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of a recording, which a conversation waits for or nobody, and a process that is to end."""
    monkeypatch.setattr("worker.engine_tasks.LOOK_S", 0.02)
    await HalfIdling(studio.office).reconcile()
    render, child = studio.render("waits")
    drawing = asyncio.create_task(render.take_one())
    if waits == "the end":
        render.draining = True
    else:
        chat = (await accept(studio.database, inbound(channel="web"), avatar="layla")).conversation_id
        await rows(studio.database, "UPDATE turns SET state = 'done' RETURNING id")
        async with studio.database.begin() as connection:
            await tasks.add(
                connection,
                "transcript",
                {"order": {"do": "hear"}},
                key="words",
                conversation_id=UUID(chat) if waits == "a person" else None,
                worker=tasks.RENDER,
            )
    await asyncio.sleep(0.2)
    assert child.stopped.is_set() == stops
    child.stopped.set()
    assert await asyncio.wait_for(drawing, 5)


async def test_the_loop_of_an_avatar_that_was_removed_meanwhile_is_forgotten(studio: Studio) -> None:
    await HalfIdling(studio.office).reconcile()
    path = studio.loop().path(studio.folder)
    render, _ = studio.render("film")
    assert await render.take_one()
    assert path.is_file()
    shutil.rmtree(studio.folder / "avatars" / "nour")
    await studio.courier()
    assert [task["state"] for task in await studio.tasks()] == ["done"]
    assert not (studio.folder / "idle" / "nour").exists()
