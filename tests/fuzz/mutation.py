"""Changes a file at random, most of the time a little."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise

from tests.fuzz.formats import sealed

MOST = 256 * 1024
"""Bytes of a changed file."""
WORDS = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**62, 2**64 - 1)
"""What counters and sizes break at."""
CHANGES_MOST = 8


def changed(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """data with one to CHANGES_MOST changes; its checksums are right again, most of the time."""
    body = bytearray(data)
    for _ in range(min(1 + int(chance.expovariate(0.7)), CHANGES_MOST)):
        if not body:
            break
        chance.choice(_WAYS)(body, others, chance)
        del body[MOST:]
    whole = bytes(body)
    return resealed(whole) if chance.random() < 0.8 else whole


def resealed(data: bytes) -> bytes:
    """With the checksums of a PNG's chunks and of an Ogg's pages."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data[:8] + b"".join(_chunks(data[8:]))
    if data.startswith(b"OggS"):
        return b"".join(_pages(data))
    return data


def _chunks(data: bytes) -> list[bytes]:
    pieces = []
    while len(data) >= 12:
        size = struct.unpack(">I", data[:4])[0]
        if size > len(data) - 12:
            break
        pieces.append(data[: 8 + size] + struct.pack(">I", zlib.crc32(data[4 : 8 + size])))
        data = data[12 + size :]
    return [*pieces, data]


def _pages(data: bytes) -> list[bytes]:
    starts = [at for at in range(len(data) - 26) if data.startswith(b"OggS", at)] + [len(data)]
    pieces = []
    for start, end in pairwise(starts):
        whole = data[start:end]
        if len(whole) < 27:
            pieces.append(whole)
            continue
        length = 27 + whole[26] + sum(whole[27 : 27 + whole[26]])
        pieces.append(sealed(whole[:length]) + whole[length:])
    return pieces


def _place(body: bytearray, chance: random.Random) -> int:
    """Headers lie in front, and indexes at the end."""
    near = min(len(body), chance.choice((64, 512, len(body))))
    at = chance.randrange(near)
    return at if chance.random() < 0.8 else len(body) - 1 - at


def _flip(body: bytearray, _others: list[bytes], chance: random.Random) -> None:
    body[_place(body, chance)] ^= 1 << chance.randrange(8)


def _byte(body: bytearray, _others: list[bytes], chance: random.Random) -> None:
    body[_place(body, chance)] = chance.randrange(256)


def _word(body: bytearray, _others: list[bytes], chance: random.Random) -> None:
    at, width = _place(body, chance), chance.choice((1, 2, 4, 8))
    value = (chance.choice(WORDS) + chance.choice((0, 0, 1, -1))) % (1 << 8 * width)
    body[at : at + width] = value.to_bytes(width, chance.choice(("little", "big")))


def _doubled(body: bytearray, _others: list[bytes], chance: random.Random) -> None:
    at, size = _place(body, chance), chance.choice((1, 4, 16, 100, 2000))
    body[at:at] = body[at : at + size] * chance.choice((1, 2, 50))


def _left_out(body: bytearray, _others: list[bytes], chance: random.Random) -> None:
    at = _place(body, chance)
    del body[at : at + chance.choice((1, 2, 4, 30, 500))]


def _cut(body: bytearray, _others: list[bytes], chance: random.Random) -> None:
    del body[max(_place(body, chance), 1) :]


def _spliced(body: bytearray, others: list[bytes], chance: random.Random) -> None:
    other, at = chance.choice(others), _place(body, chance)
    start = chance.randrange(len(other))
    body[at : at + chance.choice((0, 40))] = other[start : start + chance.choice((8, 60, 4000))]


_WAYS: tuple[Callable[[bytearray, list[bytes], random.Random], None], ...] = (
    _flip, _flip, _byte, _byte, _word, _word, _word, _word, _doubled, _left_out, _cut, _spliced,
)  # fmt: skip
