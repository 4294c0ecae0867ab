"""The smallest parts of files: chunks, boxes, pages, elements."""

from __future__ import annotations

import struct
import zlib
from functools import cache


def tone(frames: int, channels: int = 1) -> bytes:
    """16-bit little-endian: a loud square wave of 500 Hz at 4 kHz."""
    return b"".join(struct.pack("<h", 9000 if at // 4 % 2 else -9000) * channels for at in range(frames))


def riff(*chunks: bytes, size: int | None = None, kind: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return kind + struct.pack("<I", len(body) if size is None else size) + body


def chunk(kind: bytes, data: bytes, size: int | None = None) -> bytes:
    """Of a WAV; a size of its own is a lie."""
    return kind + struct.pack("<I", len(data) if size is None else size) + data + bytes(len(data) % 2)


def wave_format(
    rate: int = 4_000, channels: int = 1, bits: int = 16, align: int | None = None, bytes_s: int | None = None
) -> bytes:
    align = channels * bits // 8 & 0xFFFF if align is None else align
    bytes_s = rate * align & 0xFFFFFFFF if bytes_s is None else bytes_s
    return chunk(b"fmt ", struct.pack("<HHIIHH", 1, channels, rate, bytes_s, align, bits))


def box(kind: bytes, *parts: bytes, size: int | None = None) -> bytes:
    """Of an MP4 (ISO/IEC 14496-12)."""
    data = b"".join(parts)
    return struct.pack(">I", len(data) + 8 if size is None else size) + kind + data


def full(kind: bytes, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, bytes(4), *parts)


@cache
def _ogg_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        value = index << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
        table.append(value & 0xFFFFFFFF)
    return tuple(table)


def ogg_crc(page: bytes) -> int:
    """RFC 3533, of a page whose own four bytes are 0."""
    table, crc = _ogg_table(), 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ table[crc >> 24 ^ byte]
    return crc


def page(packets: list[bytes], *, number: int, granule: int = 0, flags: int = 0, serial: int = 7) -> bytes:
    """Of an Ogg file; the packets end in it."""
    lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, number, 0) + bytes([len(lacing)]) + lacing
    return sealed(head + b"".join(packets))


def sealed(whole: bytes) -> bytes:
    """A page with its checksum."""
    bare = whole[:22] + bytes(4) + whole[26:]
    return bare[:22] + struct.pack("<I", ogg_crc(bare)) + bare[26:]


def element(number: str, *parts: bytes, size: int | None = None) -> bytes:
    """Of a Matroska file (RFC 8794), its size in eight bytes; number: its id in hexadecimal digits."""
    data = b"".join(parts)
    return bytes.fromhex(number) + struct.pack(">Q", 1 << 56 | (len(data) if size is None else size)) + data


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def zeros(count: int) -> bytes:
    """So many megabytes of zeros, as zlib packs them (RFC 1950); made without packing them."""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    more = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    # Adler-32 of n zeros: one sum stays 1, the other counts them.
    checksum = ((count << 20) % 65521) << 16 | 1
    return first + more * (count - 1) + b"\x03\x00" + struct.pack(">I", checksum)
