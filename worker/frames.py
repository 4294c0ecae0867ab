"""Messages over a pipe, for every process that holds an engine.

A frame is two unsigned 32-bit big-endian lengths (header, payload), a UTF-8 JSON object and the payload's bytes.
Both lengths are checked before anything is read, so a stray print into the pipe is an error and not an allocation.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import IO, Any

from core.errors import ChildDied

Header = dict[str, Any]

MAX_HEADER = 4 * 1024 * 1024
MAX_PAYLOAD = 64 * 1024 * 1024

_LENGTHS = struct.Struct(">II")


class FrameError(ChildDied):
    """What came through the pipe is no frame: the process at its other end is broken, and is started anew."""


def write_frame(file: IO[bytes], header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
    """Writes and flushes one frame; raises FrameError for one that the reader would refuse, OSError from the pipe."""
    file.write(_encoded(header, len(payload)))
    if len(payload):
        file.write(payload)
    file.flush()


def read_frame(file: IO[bytes]) -> tuple[Header, bytes] | None:
    """The next frame, or None where the pipe was closed between two; raises FrameError for a torn or absurd one."""
    lengths = _read_up_to(file, _LENGTHS.size)
    if not lengths:
        return None
    header_size, payload_size = _sizes(lengths)
    body = _read_up_to(file, header_size + payload_size)
    return _decoded(body, header_size, payload_size)


async def write_frame_async(
    writer: asyncio.StreamWriter, header: Mapping[str, Any], payload: bytes | memoryview = b""
) -> None:
    """write_frame for asyncio; returns when the writer's buffer has room again."""
    writer.write(_encoded(header, len(payload)))
    if len(payload):
        writer.write(payload)
    await writer.drain()


async def read_frame_async(reader: asyncio.StreamReader) -> tuple[Header, bytes] | None:
    """read_frame for asyncio."""
    lengths = await _receive_up_to(reader, _LENGTHS.size)
    if not lengths:
        return None
    header_size, payload_size = _sizes(lengths)
    body = await _receive_up_to(reader, header_size + payload_size)
    return _decoded(body, header_size, payload_size)


def _encoded(header: Mapping[str, Any], payload_size: int) -> bytes:
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    _check_sizes(len(text), payload_size)
    return _LENGTHS.pack(len(text), payload_size) + text


def _sizes(lengths: bytes) -> tuple[int, int]:
    if len(lengths) < _LENGTHS.size:
        raise FrameError("the pipe was closed in the middle of a frame's lengths")
    header_size, payload_size = _LENGTHS.unpack(lengths)
    _check_sizes(header_size, payload_size)
    return header_size, payload_size


def _check_sizes(header_size: int, payload_size: int) -> None:
    if header_size > MAX_HEADER or payload_size > MAX_PAYLOAD:
        raise FrameError(f"a frame of {header_size} + {payload_size} bytes is over {MAX_HEADER} + {MAX_PAYLOAD}")


def _decoded(body: bytes, header_size: int, payload_size: int) -> tuple[Header, bytes]:
    if len(body) < header_size + payload_size:
        raise FrameError(f"the pipe was closed {header_size + payload_size - len(body)} bytes before a frame's end")
    try:
        header = json.loads(body[:header_size])
    except ValueError as error:
        raise FrameError(f"a frame's header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise FrameError("a frame's header is no JSON object")
    return header, body[header_size:]


def _read_up_to(file: IO[bytes], size: int) -> bytes:
    """size bytes, fewer only at the pipe's end (a raw pipe gives what is there, not what was asked for)."""
    parts = bytearray()
    while len(parts) < size and (piece := file.read(size - len(parts))):
        parts += piece
    return bytes(parts)


async def _receive_up_to(reader: asyncio.StreamReader, size: int) -> bytes:
    try:
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial
