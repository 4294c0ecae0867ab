"""SIGTERM: each process finishes what it has begun, and takes nothing more; the render worker in test_render_ends."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from core.supervisor import free_port
from simulators.serving import served
from tests.helpers import outbox_of, rows
from tests.platforms import answered
from tests.recordings import record
from tests.stack import Stack

SLOW_S = 1.2
"""What is under way takes so long after the signal."""


def form(recording: Path) -> bytes:
    head = '--b\r\nContent-Disposition: form-data; name="audio"; filename="a.ogg"\r\nContent-Type: audio/ogg\r\n\r\n'
    return head.encode() + recording.read_bytes() + b"\r\n--b--\r\n"


def posted(kind: str, body: bytes) -> bytes:
    lines = ("POST /api/v1/messages HTTP/1.1", "Host: localhost", f"Content-Type: {kind}")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def heard(port: int, within_s: float = 60.0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the web process as soon as it listens."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)


async def test_the_web_process_answers_what_is_under_way_and_loses_no_upload(stack: Stack, tmp_path: Path) -> None:
    port = free_port("127.0.0.1")
    stack.start("bot", host="127.0.0.1", port=port)
    requests = {
        "text": posted("application/json", b'{"text": "hello"}'),
        "recording": posted("multipart/form-data; boundary=b", form(record(tmp_path / "a.ogg"))),
    }
    under_way = {name: await heard(port) for name in requests}
    for name, (_, writer) in under_way.items():
        writer.write(requests[name][:-10])
        await writer.drain()
    await asyncio.sleep(0.3)
    stack.signal("bot", signal.SIGTERM)
    await asyncio.sleep(SLOW_S)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    for name, (reader, writer) in under_way.items():
        writer.write(requests[name][-10:])
        assert (await asyncio.wait_for(reader.readline(), 10)).split()[1] == b"202", name
        writer.close()
        await writer.wait_closed()
    assert await stack.ended("bot", 10) == 0
    found = await rows(stack.database, "SELECT state, input_text, input_media FROM turns ORDER BY input_text")
    assert [(row["state"], row["input_text"]) for row in found] == [("queued", "hello"), ("queued", None)]
    assert (stack.folder / "media" / found[1]["input_media"]).is_file()


async def test_the_courier_finishes_the_send_in_hand_and_knows_that_it_was_sent(stack: Stack) -> None:
    calls: list[str] = []
    called = asyncio.Event()
    platform, loop = FastAPI(), asyncio.get_running_loop()

    @platform.post("/bot{token}/{method}")
    async def take(token: str, method: str) -> dict[str, Any]:
        calls.append(method)
        loop.call_soon_threadsafe(called.set)
        await asyncio.sleep(SLOW_S)
        message = {"message_id": len(calls), "date": 1, "chat": {"id": 7, "type": "private"}, "text": "a"}
        return {"ok": True, "result": message}

    turn_id, chat = await answered(stack.database, "text")
    with served(platform) as url:
        stack.start("courier", telegram_token="1:a", telegram_api_url=url)
        await stack.queue.ring_courier(chat)
        await asyncio.wait_for(called.wait(), 30)
        stack.signal("courier", signal.SIGTERM)
        assert await stack.ended("courier", 15) == 0
    (row,) = await outbox_of(stack.database, turn_id)
    assert (row["state"], row["attempts"], "repeated" in row["payload"]) == ("sent", 1, False)
    assert calls.count("sendMessage") == 1
