"""Webhooks over real connections: kept, closed, silent, secure or gone."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from simulators.delivery import Delivery, Event, Pace, Post
from simulators.posting import Poster
from tests.integration.simulators.telegram_side import until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def server(answer: Callable[[int], bytes | None]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads one request at a time and writes `answer(number)`; None closes the connection."""
    came: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
            came.append(head + await reader.readexactly(length))
            told = answer(len(came))
            if told is None:
                break
            writer.write(told)
        writer.close()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    listening = await asyncio.start_server(guarded, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/hook?a=1", came
    finally:
        listening.close()


async def test_a_connection_is_used_again() -> None:
    poster = Poster()
    async with server(lambda number: OK) as (url, came):
        for _ in range(3):
            assert await poster.post(url, b"{}", {"X-Secret": "s"}, 5.0) == 200
        assert [each.split(b"\r\n")[0] for each in came] == [b"POST /hook?a=1 HTTP/1.1"] * 3
        assert b"X-Secret: s" in came[0]
        assert len(poster._idle) == 1
        await poster.close()


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 500),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", None),
        (b"nonsense\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", None),
        (None, None),
    ],
)
async def test_answers(told: bytes | None, status: int | None) -> None:
    poster = Poster()
    async with server(lambda number: told) as (url, _):
        try:
            got = await poster.post(url, b"{}", {}, 0.3)
        except OSError:
            got = None
        await poster.close()
    assert got == status


async def test_an_address_where_nobody_listens_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="Connect call failed"):
            await Poster().post(f"http://127.0.0.1:{port}/", b"{}", {}, 1.0)


async def test_deliveries_are_tried_until_they_are_taken() -> None:
    answers: dict[int, bytes | None] = {1: None, 2: b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"}
    taken: list[str] = []
    async with server(lambda number: answers.get(number, OK)) as (url, came):
        delivery = Delivery(
            lambda events: Post(url, b"{}", {}),
            lambda events: taken.extend(each.id for each in events),
            pace=Pace(backoff_s=(0.01, 0.02)),
        )
        await delivery.start()
        delivery.put(Event("a", None, lane="1"))
        delivery.put(Event("b", None, lane="1"))
        await until(lambda: taken == ["a", "b"])
        await delivery.stop()
    assert [each.status for each in delivery.attempts] == [None, 503, 200, 200]
    assert delivery.attempts[0].error is not None
    assert len(came) == 4


async def test_what_has_no_address_any_more_is_dropped() -> None:
    delivery = Delivery(lambda events: None)
    await delivery.start()
    delivery.put(Event("a", None))
    await asyncio.sleep(0.05)
    await delivery.stop()
    assert list(delivery.attempts) == []
