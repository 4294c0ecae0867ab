from __future__ import annotations

import asyncio
import io
import os
import struct
import threading
from typing import Any

import pytest

from worker.frames import (
    MAX_HEADER,
    MAX_PAYLOAD,
    FrameError,
    read_frame,
    read_frame_async,
    write_frame,
    write_frame_async,
)

FRAMES: list[tuple[dict[str, Any], bytes]] = [
    ({}, b""),
    ({"kind": "speak", "text": "مرحبًا"}, b""),
    ({"n": 1, "nested": {"a": [1, 2.5, None]}}, bytes(range(256)) * 1000),
]

BROKEN = [
    pytest.param(b"\x00\x00", id="torn lengths"),
    pytest.param(struct.pack(">II", 2, 5) + b"{}abc", id="torn payload"),
    pytest.param(struct.pack(">II", 10, 0) + b"{", id="torn header"),
    pytest.param(struct.pack(">II", MAX_HEADER + 1, 0), id="absurd header"),
    pytest.param(struct.pack(">II", 2, MAX_PAYLOAD + 1), id="absurd payload"),
    pytest.param(b"Traceback (most recent call last)", id="a stray print"),
    pytest.param(struct.pack(">II", 3, 0) + b"{]}", id="no JSON"),
    pytest.param(struct.pack(">II", 2, 0) + b"\xff\xfe", id="no UTF-8"),
    pytest.param(struct.pack(">II", 2, 0) + b"[]", id="no object"),
]


def test_frames_come_back_in_order() -> None:
    file = io.BytesIO()
    for header, payload in FRAMES:
        write_frame(file, header, payload)
    file.seek(0)
    assert [read_frame(file) for _ in FRAMES] == FRAMES
    assert read_frame(file) is None


def test_lengths_are_big_endian() -> None:
    file = io.BytesIO()
    write_frame(file, {"a": 1}, b"xyz")
    assert file.getvalue() == b'\x00\x00\x00\x07\x00\x00\x00\x03{"a":1}xyz'


@pytest.mark.parametrize("raw", BROKEN)
def test_a_broken_frame_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(raw))


def test_too_much_is_not_written() -> None:
    file = io.BytesIO()
    with pytest.raises(FrameError):
        write_frame(file, {}, bytes(MAX_PAYLOAD + 1))
    assert file.getvalue() == b""


def test_through_an_unbuffered_pipe() -> None:
    read_end, write_end = os.pipe()
    payload = os.urandom(300_000)
    with os.fdopen(read_end, "rb", buffering=0) as source, os.fdopen(write_end, "wb") as sink:
        thread = threading.Thread(target=write_frame, args=(sink, {"size": len(payload)}, payload))
        thread.start()
        assert read_frame(source) == ({"size": len(payload)}, payload)
        thread.join()


async def test_asyncio_reads_the_same() -> None:
    file = io.BytesIO()
    for header, payload in FRAMES:
        write_frame(file, header, payload)
    reader = _reader(file.getvalue())
    assert [await read_frame_async(reader) for _ in FRAMES] == FRAMES
    assert await read_frame_async(reader) is None


@pytest.mark.parametrize("raw", BROKEN)
async def test_asyncio_refuses_the_same(raw: bytes) -> None:
    with pytest.raises(FrameError):
        await read_frame_async(_reader(raw))


async def test_asyncio_writes_the_same() -> None:
    process = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for header, payload in FRAMES:
        await write_frame_async(process.stdin, header, payload)
        assert await read_frame_async(process.stdout) == (header, payload)
    process.stdin.close()
    assert await read_frame_async(process.stdout) is None
    await process.wait()


def _reader(raw: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(raw)
    reader.feed_eof()
    return reader
