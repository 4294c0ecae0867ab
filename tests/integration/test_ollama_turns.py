"""Turns whose language model is on an Ollama server with bad days: the real processes, fakes for the other layers.

The lease is shorter than the server's silences, and an answer's first word may take WAIT_S.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import psutil
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from core.queue import Queue
from simulators.ollama import Ollama, running
from tests.helpers import CountingDatabase, outbox_of, rows, turn_row
from tests.stack import ANSWER, Stack

LEASE_S, LATE_S, WAIT_S = 2.5, 3.0, 4.0
SAID = "We open at nine. The dentist is here until six. Come and see us."
QUESTION = "When do you open?"


class Service(Stack):
    """Both workers, with the server."""

    ollama: Ollama

    def begin(self, *names: str) -> None:
        settings = {"llm": "ollama", "ollama_url": self.ollama.url, "llm_wait_s": WAIT_S}
        self.start(*names, **settings, lease_s=LEASE_S, heartbeat_s=0.3)

    async def begun(self) -> psutil.Process:
        """The child, when it is there."""
        deadline = time.monotonic() + 20
        while (child := self.child()) is None or "worker.child" not in child.cmdline():
            assert time.monotonic() < deadline, self.log("render")
            await asyncio.sleep(0.05)
        return child

    async def answer(self, said: str = QUESTION, **where: Any) -> dict[str, Any]:
        """The turn at its end: done, in one attempt, by the child that was there before."""
        child = await self.begun()
        row = await self.end_of(await self.ask(said, **where))
        assert (row["state"], row["attempts"], row["error"]) == ("done", 1, None), self.log("render")
        assert self.child() == child
        return row

    async def sent(self, row: dict[str, Any]) -> list[str]:
        """Kinds of what went out; of notices their ids."""
        return [each["payload"].get("id") or each["kind"] for each in await outbox_of(self.database, row["id"])]

    async def asks(self, count: int) -> None:
        """Until the server was asked for so many answers."""
        deadline = time.monotonic() + 10
        while len(self.ollama.chats) < count:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    def out_of_memory(self) -> float:
        """smarttalker_out_of_memory of Ollama's, as /metrics adds it up."""
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self.folder / "metrics"))  # type: ignore[no-untyped-call]
        labels = {"layer": "llm", "engine": "ollama"}
        return registry.get_sample_value("smarttalker_out_of_memory_total", labels) or 0.0


@pytest.fixture(scope="module")
def server() -> Iterator[Ollama]:
    with running(models=["qwen2.5:14b"]) as ollama:
        yield ollama


@pytest.fixture(scope="module")
async def started(
    tmp_path_factory: pytest.TempPathFactory, migrated_url: str, redis_url: str, server: Ollama
) -> AsyncIterator[Service]:
    """Started while the server was away."""
    database = CountingDatabase(migrated_url)
    queue = await Queue.open(redis_url)
    service = Service(tmp_path_factory.mktemp("stack"), migrated_url, redis_url, database, queue)
    service.ollama = server
    with server.away():
        service.begin("courier", "render")
        row = await service.end_of(await service.ask(QUESTION))
        assert (row["state"], row["engines"]["llm"]) == ("done", "answers")
    yield service
    service.close()
    await queue.close()
    await database.close()


@pytest.fixture
def service(started: Service) -> Iterator[Service]:
    """The server is well again, and says SAID."""
    started.ollama.calm()
    started.ollama.said.clear()
    started.ollama.always(SAID)
    yield started
    assert started.ollama.oddities == []


async def test_a_server_that_was_away_at_the_start_is_asked_when_it_is_back(service: Service) -> None:
    assert "engine_away" in service.log("render")
    row = await service.answer()
    assert (row["answer"], row["engines"]["llm"], row["steps"]) == (SAID, "ollama", [])
    assert await service.sent(row) == list(ANSWER)


async def test_a_first_word_that_comes_later_than_a_lease_lasts(service: Service) -> None:
    service.ollama.fail("slow_start", seconds=LATE_S)
    row = await service.answer()
    assert (row["answer"], row["steps"]) == (SAID, [])
    assert row["timings_ms"]["llm"] > LATE_S * 1000


@pytest.mark.parametrize(
    ("effect", "more", "times"),
    [
        ("timeout_before", {}, 1),
        ("out_of_memory", {}, 2),
        ("empty", {}, 2),
        ("blank", {}, 2),
        ("error_line", {"after": 0}, 1),
        ("error_line", {"after": 1}, 1),
        ("500", {}, 1),
    ],
)
async def test_where_it_says_nothing_the_personas_answers_stand_in(
    service: Service, effect: str, more: dict[str, Any], times: int
) -> None:
    for _ in range(times):
        service.ollama.fail(effect, **more)
    before, exhausted = len(service.ollama.chats), service.out_of_memory()
    row = await service.answer("How much is a visit to the dentist?")
    assert "200" in row["answer"]
    assert row["engines"]["llm"] == "answers"
    code = "out_of_memory" if effect == "out_of_memory" else "llm_failed"
    assert row["steps"] == [{"layer": "llm", "engine": "ollama", "code": code}]
    assert await service.sent(row) == ["notice-step-answers", *ANSWER]
    assert len(service.ollama.chats) == before + times
    assert service.out_of_memory() == exhausted + (effect == "out_of_memory")


async def test_memory_that_suffices_at_the_second_time(service: Service) -> None:
    service.ollama.fail("out_of_memory")
    exhausted = service.out_of_memory()
    row = await service.answer()
    assert (row["answer"], row["steps"]) == (SAID, [])
    assert service.out_of_memory() == exhausted + 1


@pytest.mark.parametrize("effect", ["error_line", "cut", "hang"])
async def test_what_was_said_before_it_broke_off_is_the_answer(service: Service, effect: str) -> None:
    service.ollama.fail(effect, after=12)
    row = await service.answer()
    assert row["answer"] in ("We open at nine.", "We open at nine. The dentist is here until six.")
    assert [(step["layer"], step["code"]) for step in row["steps"]] == [("llm", "llm_cut")]
    assert await service.sent(row) == ["text", "notice-step-cut", "voice", "video"]


async def test_four_thousand_words_become_a_short_answer(service: Service) -> None:
    service.ollama.fail("long")
    began = time.monotonic()
    row = await service.answer(modes=("text", "voice"))
    assert 20 < len(row["answer"].split()) <= 120
    assert time.monotonic() - began < 10
    assert service.ollama.chats[-1].tokens < 1000


@pytest.mark.parametrize("modes", [ANSWER, ("text",)])
@pytest.mark.parametrize("effect", ["timeout_before", "slow_start", "hang", "slow"])
@pytest.mark.alone
async def test_cancelling_leaves_the_child_alive(service: Service, effect: str, modes: tuple[str, ...]) -> None:
    """Whatever it waits for; the server is told to stop, and the next question is answered."""
    more = {"hang": {"after": 12}, "slow": {"seconds": 0.3}, "slow_start": {"seconds": 60}}.get(effect, {})
    service.ollama.fail(effect, **more)
    child, asked = await service.begun(), len(service.ollama.chats)
    turn_id = await service.ask(QUESTION, modes=modes)
    await service.asks(asked + 1)
    await asyncio.sleep(0.3)
    assert await service.cancel(turn_id) < 1
    row = await turn_row(service.database, turn_id)
    assert (row["state"], row["attempts"], row["steps"]) == ("cancelled", 1, [])
    assert await outbox_of(service.database, turn_id) == []
    assert service.child() == child
    assert service.ollama.chats[-1].over.wait(2)
    assert service.ollama.chats[-1].aborted
    assert len(service.ollama.chats) == asked + 1
    assert (await service.answer(modes=("text",)))["answer"] == SAID


async def test_a_worker_that_is_killed_in_the_middle_of_an_answer(service: Service) -> None:
    """The question is asked again, and answered once."""
    asked = len(service.ollama.chats)
    service.ollama.fail("hang", after=12)
    turn_id = await service.ask(QUESTION)
    await service.asks(asked + 1)
    await asyncio.sleep(0.3)
    service.signal("render", signal.SIGKILL)
    await service.ended("render", 5)
    service.begin("render")
    row = await service.end_of(turn_id)
    await service.answered_once(turn_id)
    assert (row["attempts"], row["answer"], row["steps"]) == (2, SAID, [])
    said = await rows(service.database, "SELECT role FROM messages WHERE turn_id = :id ORDER BY id", id=turn_id)
    assert [line["role"] for line in said] == ["user", "assistant"]


async def test_a_worker_that_stops_gives_the_models_memory_back(service: Service) -> None:
    await service.answer(modes=("text",))
    assert loaded(service) == ["qwen2.5:14b"]
    service.signal("render", signal.SIGTERM)
    assert await service.ended("render", 10) == 0
    assert loaded(service) == []
    service.begin("render")


def loaded(service: Service) -> list[str]:
    """As the server says."""
    return [model["name"] for model in httpx.get(f"{service.ollama.url}/api/ps").json()["models"]]
