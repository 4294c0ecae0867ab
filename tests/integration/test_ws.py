"""The WebSocket over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from core.queue import Queue
from core.settings import Settings
from core.states import TurnEvent
from db import turns
from db.migrate import upgrade
from db.sessions import Database
from tests.web import claimed, served


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    upgrade(database_url)
    data_dir = tmp_path_factory.mktemp("data")
    return Settings(_env_file=None, database_url=database_url, redis_url=redis_url, data_dir=data_dir, port=0)


@pytest.fixture(scope="module")
def base_url_without_redis(settings: Settings) -> Iterator[str]:
    with served(settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"})) as url:
        yield url


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    yield database
    await database.close()


@pytest.fixture
async def queue(settings: Settings) -> AsyncIterator[Queue]:
    queue = Queue.lazy(settings.redis_url)
    yield queue
    await queue.close()


def post(base_url: str, text: str = "hello", **more: str) -> dict[str, str]:
    response = httpx.post(f"{base_url}/api/v1/messages", json={"text": text, **more})
    assert response.status_code == 202, response.text
    return dict(response.json())


def call(method: str, url: str) -> Any:
    return httpx.request(method, url).json()


@asynccontextmanager
async def page(base_url: str, conversation_id: str, query: str = "", **more: Any) -> AsyncIterator[ClientConnection]:
    address = f"{base_url.replace('http', 'ws', 1)}/api/v1/ws/{conversation_id}{query}"
    async with connect(address, proxy=None, **more) as socket:
        yield socket


async def told(socket: ClientConnection, timeout: float = 5.0) -> dict[str, Any]:
    return dict(json.loads(await asyncio.wait_for(socket.recv(), timeout)))


async def test_a_page_hears_of_a_turn_from_its_queue_to_its_end(
    base_url: str, database: Database, queue: Queue
) -> None:
    sent = post(base_url)
    async with page(base_url, sent["conversation_id"]) as socket:
        first = await told(socket)
        assert first == call("GET", f"{base_url}/api/v1/turns/{sent['turn_id']}")
        assert first["state"] == "queued"
        held = await claimed(database, sent["turn_id"])
        for text in ("We", "We are open"):
            live = {"layer": "llm", "progress": 0.5, "text": text}
            await queue.tell(sent["conversation_id"], sent["turn_id"], live)
            turn = await told(socket)
            assert (turn["state"], turn["layer"], turn["text"]) == ("running", "llm", text)
        columns = {"answer": "We are open.", "answer_language": "en"}
        await turns.save(database, held, turns.Save(columns=columns, event=TurnEvent.RENDER))
        await queue.tell(sent["conversation_id"], sent["turn_id"])
        turn = await told(socket)
        assert (turn["state"], turn["text"], turn["progress"]) == ("rendered", "We are open.", 1.0)


async def test_a_page_hears_of_messages_from_elsewhere(base_url: str, queue: Queue) -> None:
    sent = post(base_url)
    async with page(base_url, sent["conversation_id"]) as socket:
        await told(socket)
        second = post(base_url, "again", conversation_id=sent["conversation_id"])
        await queue.tell(sent["conversation_id"], second["turn_id"])
        assert (await told(socket))["turn_id"] == second["turn_id"]


async def test_a_page_that_comes_late_gets_the_last_turn_alone(base_url: str) -> None:
    first = post(base_url)
    second = post(base_url, "again", conversation_id=first["conversation_id"])
    for turn in (first, second):
        call("DELETE", f"{base_url}/api/v1/turns/{turn['turn_id']}")
    async with page(base_url, first["conversation_id"]) as socket:
        turn = await told(socket)
        assert (turn["turn_id"], turn["state"]) == (second["turn_id"], "cancelled")
        with pytest.raises(TimeoutError):
            await told(socket, 1.0)


async def test_nothing_reaches_the_page_of_another_conversation(
    base_url: str, database: Database, queue: Queue
) -> None:
    mine, other = post(base_url, "mine"), post(base_url, "other")
    async with page(base_url, mine["conversation_id"]) as socket:
        await told(socket)
        await claimed(database, other["turn_id"])
        secret = {"layer": "llm", "progress": 0.5, "text": "a secret"}
        await queue.tell(other["conversation_id"], other["turn_id"], secret)
        # Even an event that names the wrong conversation shows no turn of another.
        await queue.tell(mine["conversation_id"], other["turn_id"], secret)
        with pytest.raises(TimeoutError):
            await told(socket, 1.0)


async def test_a_stream_of_words_is_gathered_and_ends_with_the_last(
    base_url: str, database: Database, queue: Queue
) -> None:
    sent = post(base_url)
    await claimed(database, sent["turn_id"])
    async with page(base_url, sent["conversation_id"]) as socket:
        await told(socket)
        for number in range(200):
            live = {"layer": "llm", "progress": 0.5, "text": f"word {number}"}
            await queue.tell(sent["conversation_id"], sent["turn_id"], live)
        heard = 0
        while (await told(socket))["text"] != "word 199":
            heard += 1
        assert heard < 150


async def test_while_redis_is_away_a_page_looks_for_itself(base_url_without_redis: str, database: Database) -> None:
    sent = post(base_url_without_redis)
    async with page(base_url_without_redis, sent["conversation_id"]) as socket:
        assert (await told(socket))["state"] == "queued"
        held = await claimed(database, sent["turn_id"])
        assert (await told(socket))["state"] == "running"
        await turns.save(database, held, turns.Save(columns={"answer": "hi"}, event=TurnEvent.RENDER))
        assert (await told(socket))["text"] == "hi"


async def test_a_page_hears_again_once_redis_closed_its_connections(
    base_url: str, database: Database, queue: Queue
) -> None:
    sent = post(base_url)
    async with page(base_url, sent["conversation_id"]) as socket:
        await told(socket)
        await queue.pool.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await claimed(database, sent["turn_id"])
        turn = await told(socket, 10)
        assert turn["state"] == "running"
        await queue.tell(sent["conversation_id"], sent["turn_id"], {"layer": "tts", "progress": 0.5})
        while turn["layer"] != "tts":
            turn = await told(socket, 10)


@pytest.mark.parametrize("name", ["42", "5d1c9f46-2bb2-4f5c-9d30-0d2cf5b6cbd2"])
async def test_an_unknown_conversation_closes_with_4404(base_url: str, name: str) -> None:
    async with page(base_url, name) as socket:
        with pytest.raises(ConnectionClosed) as closed:
            await told(socket)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4404


async def test_keys(settings: Settings, base_url: str) -> None:
    sent = post(base_url)
    with served(settings.model_copy(update={"api_key": Settings(_env_file=None, api_key="s3cret").api_key})) as url:
        for query in ("", "?api_key=wrong"):
            async with page(url, sent["conversation_id"], query) as socket:
                with pytest.raises(ConnectionClosed) as closed:
                    await told(socket)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4403
        for query, headers in (("?api_key=s3cret", {}), ("", {"X-API-Key": "s3cret"})):
            async with page(url, sent["conversation_id"], query, additional_headers=headers) as socket:
                assert (await told(socket))["turn_id"] == sent["turn_id"]


async def test_another_web_page_is_not_let_in(base_url: str) -> None:
    sent = post(base_url)
    with pytest.raises(InvalidStatus):
        async with page(base_url, sent["conversation_id"], origin="https://evil.example"):
            pass
    async with page(base_url, sent["conversation_id"], origin=base_url) as socket:
        assert (await told(socket))["turn_id"] == sent["turn_id"]


async def test_a_page_that_says_too_much_is_closed(base_url: str) -> None:
    sent = post(base_url)
    async with page(base_url, sent["conversation_id"]) as socket:
        await told(socket)
        await socket.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await told(socket)
