"""`kill -9` in the middle of turns, over HTTP through `smarttalker up`: every turn is answered exactly once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import psutil
import pytest

from core.embedded import find_place
from core.embedded.postgres import Postgres
from core.embedded.process import wait_until
from core.embedded.redis import Redis
from core.settings import HOME, Settings
from core.supervisor import environment_of, free_port
from tests.chaos.conftest import Recovery
from tests.helpers import Database, rows
from tests.stack import ANSWER, FAKES, QUICK

PATIENCE_S = 30.0
SLOW = "#sleep 0.6 llm #sleep 0.6 tts"
"""Long enough to be in the middle of."""


class Whole:
    """Everything that `smarttalker up` starts, with embedded servers of its own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(_env_file=None, data_dir=folder / "data", port=free_port("127.0.0.1"))
        self.place = find_place(self.settings.data_dir)
        self.log = (folder / "up.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "up"],
            env={**os.environ, **environment(self.settings)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.web = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.settings.port}", timeout=10)

    @property
    def database_url(self) -> str:
        return Postgres(self.place).url

    async def ready(self) -> None:
        await self.until(self._answers_ready, "ready")

    async def _answers_ready(self) -> bool:
        try:
            return (await self.web.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def until(self, done: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not await done():
            assert self.process.poll() is None, "`smarttalker up` has ended"
            assert time.monotonic() < deadline, f"not {what} after {PATIENCE_S} s"
            await asyncio.sleep(0.05)

    def find(self, name: str) -> psutil.Process | None:
        """bot, courier or render; child is what render holds."""
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                line = process.cmdline()
            except psutil.NoSuchProcess:  # gone meanwhile, or a zombie
                continue
            if line[-1:] == [name] or (name == "child" and "worker.child" in line):
                return process
        return None

    async def kill(self, name: str) -> None:
        """Returns when another of the name runs."""
        victim = self.find(name)
        assert victim is not None
        victim.kill()

        async def another() -> bool:
            found = self.find(name)
            return found is not None and found.pid != victim.pid

        await self.until(another, f"{name} restarted")

    async def post(self, said: str, conversation: str | None = None) -> dict[str, str]:
        """Sends the message, again where nobody took it, with the same key: as a client does."""
        body = {"text": said} | ({"conversation_id": conversation} if conversation else {})
        key = {"Idempotency-Key": token_hex(8)}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = await self.web.post("/api/v1/messages", json=body, headers=key)
                if answer.status_code == 202:
                    return dict(answer.json())
                assert answer.status_code == 503, answer.text
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)

    async def turn(self, turn_id: str) -> dict[str, Any]:
        try:
            answer = await self.web.get(f"/api/v1/turns/{turn_id}")
        except httpx.TransportError:
            return {"state": "unknown"}
        return dict(answer.json()) if answer.status_code == 200 else {"state": "unknown"}

    async def has(self, turn_id: str, *states: str) -> None:
        async def there() -> bool:
            return (await self.turn(turn_id))["state"] in states

        await self.until(there, f"in {states}")

    async def talk(self, count: int, said: str = SLOW) -> list[dict[str, str]]:
        """A conversation of so many messages, sent one right after another."""
        posted = [await self.post(f"0 {said}")]
        for number in range(1, count):
            posted.append(await self.post(f"{number} {said}", posted[0]["conversation_id"]))
        return posted

    async def all_answered_once(self, posted: list[dict[str, str]]) -> None:
        for each in posted:
            await self.has(each["turn_id"], "done", "failed", "cancelled")
        database = Database(self.database_url, size=1)
        try:
            sent = await rows(
                database,
                "SELECT turn_id, kind, state FROM outbox WHERE conversation_id = :id ORDER BY settled_at, id",
                id=posted[0]["conversation_id"],
            )
            turns = await rows(database, "SELECT count(*) AS n FROM turns")
        finally:
            await database.close()
        expected = [(each["turn_id"], kind, "delivered") for each in posted for kind in ANSWER]
        assert [(str(row["turn_id"]), row["kind"], row["state"]) for row in sent] == expected
        assert turns[0]["n"] >= len(posted)

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for process in psutil.Process(self.process.pid).children(recursive=True):
                process.kill()
            self.process.kill()
            self.process.wait(10)
        self.log.close()
        Postgres(self.place).stop()
        Redis(self.place).stop()
        self.place.remove()


def environment(settings: Settings) -> dict[str, str]:
    own = {name: value for name, value in environment_of(settings).items() if value}
    return {**own, **FAKES, **QUICK, "PYTHONPATH": str(HOME)}


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    whole = Whole(tmp_path_factory.mktemp("whole"))
    try:
        await whole.ready()
        yield whole
        await whole.web.aclose()
    finally:
        whole.close()


@pytest.mark.parametrize("name", ["child", "render", "courier", "bot"])
async def test_a_killed_process_costs_no_answer_and_doubles_none(whole: Whole, recovered: Recovery, name: str) -> None:
    posted = await whole.talk(3)
    await whole.has(posted[0]["turn_id"], "running")
    await asyncio.sleep(0.3)
    await whole.kill(name)
    await whole.all_answered_once(posted)
    recovered(f"{name}_killed", posted)


async def test_everything_is_killed_at_once(whole: Whole, recovered: Recovery) -> None:
    posted = await whole.talk(2)
    await whole.has(posted[0]["turn_id"], "running")
    await asyncio.sleep(0.8)
    await asyncio.gather(*(whole.kill(name) for name in ("render", "courier", "bot")))
    await whole.all_answered_once(posted)
    recovered("all_killed", posted)


async def test_redis_is_killed(whole: Whole, recovered: Recovery) -> None:
    posted = await whole.talk(2)
    await whole.has(posted[0]["turn_id"], "running")
    redis = Redis(whole.place)
    pid = int((whole.place.run / "redis.pid").read_text())
    psutil.Process(pid).kill()
    posted.append(await whole.post(f"while it is away {SLOW}", posted[0]["conversation_id"]))
    assert await asyncio.to_thread(wait_until, redis.running, PATIENCE_S)
    await whole.all_answered_once(posted)
    recovered("redis_killed", posted)


async def test_postgres_stops_for_three_seconds(whole: Whole, recovered: Recovery) -> None:
    posted = await whole.talk(2)
    await whole.has(posted[0]["turn_id"], "running")
    server = psutil.Process(int((whole.place.folder / "postgres" / "postmaster.pid").read_text().split()[0]))
    family = [server, *server.children()]
    for process in family:
        process.suspend()
    await asyncio.sleep(3)
    for process in family:
        process.resume()
    await whole.all_answered_once(posted)
    recovered("postgres_stopped_3_s", posted)


async def test_postgres_is_killed(whole: Whole, recovered: Recovery) -> None:
    posted = await whole.talk(2)
    await whole.has(posted[0]["turn_id"], "running")
    psutil.Process(int((whole.place.folder / "postgres" / "postmaster.pid").read_text().split()[0])).kill()
    posted.append(await whole.post(f"while it is away {SLOW}", posted[0]["conversation_id"]))
    await whole.all_answered_once(posted)
    recovered("postgres_killed", posted)
