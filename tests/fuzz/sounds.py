"""Recordings that lie, overflow, nest or point elsewhere, and what each is told."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.formats import box, chunk, element, full, page, png, riff, tone, wave_format, zeros
from tests.recordings import KINDS, can_encode, record

FINE = ""
"""In place of a reason: it is taken."""
RATE, FRAMES = 4_000, 850
"""Little more than the shortest that is taken, so that the files are small."""
HUNDRED_HOURS = 360_000


@dataclass(frozen=True)
class Case:
    """reasons: of the refusal, any of them, or FINE."""

    make: Callable[[], bytes]
    reasons: frozenset[str]


def told(*reasons: str, make: Callable[[], bytes]) -> Case:
    return Case(make, frozenset(reasons))


def recorded(kind: str, seconds: float = 0.25) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return record(Path(folder) / f"a.{kind}", seconds).read_bytes()


SEEDS: dict[str, Case] = {
    f"seed.{kind}": told(FINE, make=lambda kind=kind: recorded(kind))  # type: ignore[misc]
    for kind in KINDS
    if can_encode(kind)
}


def wav(frames: int = FRAMES, *, declared: int | None = None, **fields: int) -> bytes:
    """declared: bytes of sound, as its header says."""
    return riff(wave_format(**fields), chunk(b"data", tone(frames), declared))


WAVES = {
    "hours.wav": told("truncated", make=lambda: wav(declared=RATE * HUNDRED_HOURS)),
    "hours-rf64.wav": told("truncated", FINE, make=lambda: rf64(2 * RATE * HUNDRED_HOURS)),
    "rate-0.wav": told("not_audio", "empty", "truncated", make=lambda: wav(rate=0)),
    "rate-1.wav": told("not_audio", "too_long", make=lambda: wav(rate=1)),
    "rate-10-million.wav": told("not_audio", make=lambda: wav(rate=10_000_000)),
    "rate-4-billion.wav": told("not_audio", make=lambda: wav(rate=0xFFFFFFFF)),
    "channels-0.wav": told("not_audio", "truncated", make=lambda: wav(channels=0)),
    "channels-255.wav": told("not_audio", "truncated", make=lambda: wav(channels=255)),
    "channels-65535.wav": told("not_audio", "truncated", make=lambda: wav(channels=65_535)),
    "align-0.wav": told(FINE, "not_audio", "truncated", make=lambda: wav(align=0, bytes_s=2 * RATE)),
    "align-3.wav": told(FINE, "not_audio", make=lambda: wav(align=3, bytes_s=2 * RATE)),
    "align-65535.wav": told(FINE, "not_audio", "truncated", make=lambda: wav(align=65_535, bytes_s=2 * RATE)),
    "bits-0.wav": told("not_audio", "unknown_codec", "truncated", make=lambda: wav(bits=0)),
    "bits-255.wav": told("not_audio", "unknown_codec", "truncated", make=lambda: wav(bits=255)),
    "format-4-gb.wav": told(
        "not_audio", "truncated", make=lambda: riff(chunk(b"fmt ", bytes(40), 0xFFFFFFF0), size=0xFFFFFFF0)
    ),
    "list-4-gb.wav": told(
        "not_audio", "empty", "truncated", make=lambda: riff(wave_format(), chunk(b"LIST", b"INFO", 0xFFFFFFFE))
    ),
    "lists.wav": told(FINE, "not_audio", make=lambda: riff(wave_format(), chunk(b"LIST", b"INFO") * 200, sound())),
}


def sound() -> bytes:
    return chunk(b"data", tone(FRAMES))


def rf64(size: int) -> bytes:
    """64-bit sizes (EBU Tech 3306)."""
    sizes = chunk(b"ds64", struct.pack("<QQQI", size + 100, size, size // 2, 0))
    return riff(sizes, wave_format(), chunk(b"data", tone(FRAMES), 0xFFFFFFFF), size=0xFFFFFFFF, kind=b"RF64")


def crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def crc16(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005) & 0xFFFF if crc & 0x8000 else crc << 1
    return crc


def flac(blocks: int, rate: int = 16_000, size: int = 65_535) -> bytes:
    """Blocks of `size` equal samples in stereo, of 17 bytes each (RFC 9639); they alternate, so there is no silence."""
    info = struct.pack(">HH", size, size) + bytes(6) + struct.pack(">Q", rate << 44 | 1 << 41 | 15 << 36) + bytes(16)
    body = b"".join(_flac_block(number, size) for number in range(blocks))
    return b"fLaC" + b"\x80\x00\x00\x22" + info + body


def _flac_block(number: int, size: int) -> bytes:
    head = b"\xff\xf8\x70\x18" + chr(number).encode() + struct.pack(">H", size - 1)
    head += bytes([crc8(head)]) + (b"\x00" + struct.pack(">h", 9000 if number % 2 else -9000)) * 2
    return head + struct.pack(">H", crc16(head))


FLACS = {
    "minutes.flac": told("too_long", make=lambda: flac(90)),
    "gigabyte.flac": told("too_long", make=lambda: flac(2000, rate=65_535)),
    "rate-1.flac": told("not_audio", make=lambda: flac(2, rate=1)),
    "frames-of-minutes.flac": told("not_audio", "too_long", make=lambda: flac(2, rate=150)),
    "rate-655350.flac": told("not_audio", make=lambda: flac(40, rate=655_350)),
    "picture-16-mb.flac": told(
        "not_audio", "truncated", make=lambda: flac(1)[:4] + b"\x06\xff\xff\xff" + bytes(64) + flac(1)[4:]
    ),
}


def mp4(
    *,
    frames: int = FRAMES,
    rate: int = RATE,
    channels: int = 1,
    duration: int | None = None,
    table: dict[bytes, bytes] | None = None,
    reference: bytes = full(b"url ")[:11] + b"\x01",
) -> bytes:
    """Sound of 16 bits in one chunk behind its index. table: boxes of the sample table in place of the usual.
    reference: where the sound lies; usually in the file."""
    data, lead = tone(frames), box(b"ftyp", b"isom", bytes(4), b"isom")
    long = frames if duration is None else duration
    media = full(b"mdhd", struct.pack(">IIIII", 0, 0, rate or 1, long & 0xFFFFFFFF, 0))
    entry = bytes(6) + struct.pack(">H", 1) + bytes(8) + struct.pack(">HHIHH", channels, 16, 0, 0, 0)
    boxes = {
        b"stsd": struct.pack(">I", 1) + box(b"sowt", entry[:24] + struct.pack(">I", (rate & 0xFFFF) << 16)),
        b"stts": struct.pack(">III", 1, frames, 1),
        b"stsc": struct.pack(">IIII", 1, 1, frames, 1),
        b"stsz": struct.pack(">II", 2 * channels, frames),
        b"stco": struct.pack(">II", 1, len(lead) + 8),
        **(table or {}),
    }
    samples = box(b"stbl", *(full(kind, content) for kind, content in boxes.items()))
    inner = box(b"minf", full(b"smhd", bytes(4)), box(b"dinf", full(b"dref", struct.pack(">I", 1), reference)), samples)
    kind = full(b"hdlr", bytes(4), b"soun", bytes(13))
    track = box(b"trak", full(b"tkhd", bytes(80)), box(b"mdia", media, kind, inner))
    whole = full(b"mvhd", struct.pack(">IIII", 0, 0, rate or 1, long & 0xFFFFFFFF), bytes(80))
    return lead + box(b"mdat", data) + box(b"moov", whole, track)


def nested(kind: bytes, depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = box(kind, inner)
    return inner


def packed_index(megabytes: int) -> bytes:
    """An index that unpacks to so many megabytes (QuickTime's cmov)."""
    packed = zeros(megabytes)
    index = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", struct.pack(">I", megabytes << 20), packed))
    return box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"moov", index)


LEAD = box(b"ftyp", b"isom", bytes(4), b"isom")
EVIL = struct.pack(">I", 0xFFFFFFFF)
MANY = struct.pack(">I", 0x0FFFFFFF)
BOXES = {
    "fine.mp4": told(FINE, make=mp4),
    "hours.mp4": told(FINE, "truncated", make=lambda: mp4(duration=RATE * HUNDRED_HOURS)),
    "rate-0.mp4": told("not_audio", "truncated", "empty", make=lambda: mp4(rate=0)),
    "channels-255.mp4": told("not_audio", "truncated", "unknown_codec", make=lambda: mp4(channels=255)),
    "box-size-0.mp4": told("not_audio", "truncated", make=lambda: LEAD + box(b"moov", bytes(100), size=0)),
    "box-size-1.mp4": told(
        "not_audio", "truncated", make=lambda: LEAD + box(b"moov", struct.pack(">Q", 1 << 62), bytes(100), size=1)
    ),
    "box-size-minus.mp4": told(
        "not_audio", "truncated", make=lambda: LEAD + box(b"moov", struct.pack(">q", -9), bytes(100), size=1)
    ),
    "box-size-2.mp4": told("not_audio", "truncated", make=lambda: LEAD + box(b"moov", bytes(100), size=2)),
    "nested.mp4": told("not_audio", "truncated", make=lambda: LEAD + nested(b"moov", 400)),
    "nested-tracks.mp4": told("not_audio", "truncated", make=lambda: LEAD + box(b"moov", nested(b"trak", 400))),
    "stsz-huge.mp4": told(
        FINE, "not_audio", "truncated", "empty", make=lambda: mp4(table={b"stsz": bytes(4) + EVIL + bytes(64)})
    ),
    "stsz-large.mp4": told(FINE, "not_audio", "truncated", "empty", make=lambda: mp4(table={b"stsz": EVIL + MANY})),
    "stco-huge.mp4": told(FINE, "not_audio", "truncated", "empty", make=lambda: mp4(table={b"stco": EVIL + bytes(64)})),
    "stts-huge.mp4": told(
        FINE, "not_audio", "truncated", "empty", make=lambda: mp4(table={b"stts": struct.pack(">III", 1, 2**32 - 1, 1)})
    ),
    "stsc-huge.mp4": told(
        FINE, "not_audio", "truncated", "empty",
        make=lambda: mp4(table={b"stsc": struct.pack(">IIII", 1, 1, 2**31 - 1, 1)}),
    ),
    "samples-countless.mp4": told(
        FINE, "not_audio", "truncated", "empty", "too_long",
        make=lambda: mp4(
            table={
                b"stsc": struct.pack(">IIII", 1, 1, 2**28, 1),
                b"stsz": struct.pack(">II", 1, 2**28),
                b"stts": struct.pack(">III", 1, 2**28, 1),
            }
        ),
    ),
    "elsewhere.mp4": told(FINE, make=lambda: mp4(reference=full(b"url ", b"file:///etc/passwd\0"))),
    "elsewhere-alias.mp4": told(
        FINE, "not_audio", "truncated", make=lambda: mp4(reference=full(b"alis", bytes(142), b"/etc/passwd", bytes(40)))
    ),
    "index-of-100-mb.mov": told("not_audio", "truncated", make=lambda: packed_index(100)),
    "index-of-1-gb.mov": told("not_audio", "truncated", make=lambda: packed_index(1000)),
}  # fmt: skip


def opus(
    packets: list[bytes], *, channels: int = 1, rate: int = 48_000, mapping: int = 0, end: int | None = None
) -> bytes:
    """RFC 7845. end: the last page's granule position."""
    head = struct.pack("<8sBBHIhB", b"OpusHead", 1, channels, 312, rate, 0, mapping)
    if mapping:
        head += bytes([min(channels, 255), 0]) + bytes(range(channels))
    tags = struct.pack("<8sI4sI", b"OpusTags", 4, b"none", 0)
    pages = [page([head], number=0, flags=2), page([tags], number=1)]
    groups = [packets[at : at + 200] for at in range(0, len(packets), 200)]
    for number, group in enumerate(groups, 2):
        last = number == len(groups) + 1
        done = min((number - 1) * 200, len(packets)) * 2880
        granule = end if last and end is not None else done
        pages.append(page(group, number=number, granule=granule, flags=4 if last else 0))
    return b"".join(pages)


QUIET = b"\x18"
"""An Opus packet of one byte: 60 ms in which nothing was sent."""
OGGS = {
    "hours.ogg": told("too_long", make=lambda: opus([QUIET] * 6000, end=48_000 * HUNDRED_HOURS)),
    "granule-hours.ogg": told("truncated", "silent", make=lambda: opus([QUIET] * 20, end=48_000 * HUNDRED_HOURS)),
    "granule-huge.ogg": told("truncated", "silent", "not_audio", make=lambda: opus([QUIET] * 20, end=2**63 - 1)),
    "granule-minus.ogg": told("truncated", "silent", "not_audio", make=lambda: opus([QUIET] * 20, end=-(2**62))),
    "channels-0.ogg": told("not_audio", "truncated", "silent", "empty", make=lambda: opus([QUIET] * 20, channels=0)),
    "channels-255.ogg": told(
        "not_audio", "truncated", "silent", "empty", make=lambda: opus([QUIET * 300] * 20, channels=255, mapping=255)
    ),
    "rate-0.ogg": told("silent", "not_audio", make=lambda: opus([QUIET] * 20, rate=0)),
    "rate-4-billion.ogg": told("silent", "not_audio", make=lambda: opus([QUIET] * 20, rate=2**32 - 1)),
    "torn-page.ogg": told("truncated", make=lambda: opus([bytes(9)] * 40)[:-100]),
    "torn-header.ogg": told("truncated", make=lambda: opus([QUIET] * 20) + b"OggS\0\0"),
    "empty-pages.ogg": told(
        "not_audio", "truncated", "silent",
        make=lambda: opus([QUIET] * 20) + b"".join(page([], number=n) for n in range(100)),
    ),
    "comments-4-gb.ogg": told(
        "not_audio", "truncated", "empty", "silent",
        make=lambda: page([opus([])[28:47]], number=0, flags=2)
        + page([b"OpusTags" + EVIL + EVIL], number=1) + page([QUIET] * 20, number=2, granule=57_600),
    ),
    "many-streams.ogg": told(
        "not_audio", "truncated", "empty", "silent",
        make=lambda: b"".join(page([opus([])[28:47]], number=0, flags=2, serial=n) for n in range(100)),
    ),
}  # fmt: skip


def matroska(
    *,
    rate: float = RATE,
    channels: int = 1,
    duration: float = 250.0,
    extra: bytes = b"",
    block: bytes | None = None,
    cluster: int | None = None,
) -> bytes:
    """Sound of 16 bits. cluster: the size that it declares."""
    head = element("1A45DFA3", element("4282", b"matroska"), element("4287", b"\x02"))
    info = element("1549A966", element("2AD7B1", b"\x0f\x42\x40"), element("4489", struct.pack(">d", duration)))
    audio = element(
        "E1", element("B5", struct.pack(">d", rate)), element("9F", bytes([channels])), element("6264", b"\x10")
    )
    entry = element(
        "AE", element("D7", b"\x01"), element("73C5", b"\x01"), element("83", b"\x02"),
        element("86", b"A_PCM/INT/LIT"), audio, extra,
    )  # fmt: skip
    blocks = [tone(FRAMES)[at : at + 400] for at in range(0, 2 * FRAMES, 400)] if block is None else [block]
    body = [element("A3", b"\x81" + struct.pack(">h", 50 * at) + b"\x80" + each) for at, each in enumerate(blocks)]
    cluster_ = element("1F43B675", element("E7", b"\x00"), *body, size=cluster)
    return head + element("18538067", info, element("1654AE6B", entry), cluster_)


def packing(megabytes: int) -> bytes:
    """A track whose blocks are packed with zlib, and a block of so many megabytes."""
    how = element("6D80", element("6240", element("5033", b"\x00"), element("5034", element("4254", b"\x00"))))
    return matroska(extra=how, block=zeros(megabytes))


UNKNOWN = (1 << 56) - 1
ELEMENTS = {
    "fine.mkv": told(FINE, make=matroska),
    "hours.mkv": told("truncated", make=lambda: matroska(duration=1000.0 * HUNDRED_HOURS)),
    "duration-nan.mkv": told(FINE, "truncated", "not_audio", make=lambda: matroska(duration=float("nan"))),
    "duration-infinite.mkv": told(FINE, "truncated", "not_audio", make=lambda: matroska(duration=1e300)),
    "duration-minus.mkv": told(FINE, "truncated", "not_audio", make=lambda: matroska(duration=-1e300)),
    "rate-0.mkv": told(FINE, "not_audio", "truncated", "too_long", make=lambda: matroska(rate=0)),
    "rate-10-million.mkv": told("not_audio", make=lambda: matroska(rate=10_000_000)),
    "rate-nan.mkv": told(FINE, "not_audio", "truncated", make=lambda: matroska(rate=float("nan"))),
    "channels-255.mkv": told("not_audio", "truncated", "empty", make=lambda: matroska(channels=255)),
    "cluster-unknown.mkv": told(FINE, make=lambda: matroska(cluster=UNKNOWN)),
    "cluster-large.mkv": told(FINE, "truncated", "not_audio", make=lambda: matroska(cluster=UNKNOWN - 1)),
    "cluster-small.mkv": told(FINE, "truncated", "not_audio", make=lambda: matroska(cluster=9)),
    "nested.mkv": told("not_audio", make=lambda: nested_elements(400)),
    "block-of-2-mb.mkv": told("silent", "truncated", "not_audio", make=lambda: packing(2)),
    "block-of-900-mb.mkv": told("silent", "truncated", "not_audio", "empty", make=lambda: packing(900)),
}


def nested_elements(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = element("45B6", inner)
    head = element("1A45DFA3", element("4282", b"matroska"))
    return head + element("18538067", element("1043A770", element("45B9", inner)))


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(frame: bytes, size: int | None = None) -> bytes:
    return b"ID3\x04\x00\x00" + synchsafe(len(frame) if size is None else size) + frame


HUGE = b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
TAGS = {
    "id3-256-mb.mp3": told("not_audio", "truncated", make=lambda: id3(b"", 0x0FFFFFFF) + recorded("mp3", 0.22)),
    "id3-frame-256-mb.mp3": told(
        FINE, "not_audio", "truncated",
        make=lambda: id3(b"TIT2" + synchsafe(0x0FFFFFFF) + b"\0\0" + b"x" * 90) + recorded("mp3", 0.22),
    ),
    "id3-picture.mp3": told(FINE, make=lambda: id3(apic(png(HUGE))) + recorded("mp3", 0.22)),
    "id3-packed.mp3": told(FINE, "truncated", make=lambda: id3(packed_frame(50)) + recorded("mp3", 0.22)),
}  # fmt: skip


def apic(picture: bytes) -> bytes:
    body = b"\0image/png\0\x03\0" + picture
    return b"APIC" + synchsafe(len(body)) + b"\0\0" + body


def packed_frame(megabytes: int) -> bytes:
    """A comment that unpacks to so many megabytes."""
    body = synchsafe(0x0FFFFFFF) + zeros(megabytes)
    return b"COMM" + synchsafe(len(body)) + b"\x00\x09" + body


def listed(text: str) -> Case:
    return told("not_audio", make=text.encode)


SECRET = "/tmp/../etc/passwd"
LISTS = {
    "list.m3u8": listed(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{SECRET}\n#EXT-X-ENDLIST\n"),
    "list-net.m3u8": listed("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
    "key.m3u8": listed(
        '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:9/k"\n#EXTINF:1,\ndata:audio/wav;base64,AA==\n'
    ),
    "list.ffconcat": listed(f"ffconcat version 1.0\nfile '{SECRET}'\n"),
    "list.sdp": listed("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n"),
    "list.mpd": listed(
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://127.0.0.1:9/&e;</BaseURL></MPD>'
    ),
    "list.asx": listed('<ASX version="3"><Entry><Ref href="http://127.0.0.1:9/a"/></Entry></ASX>'),
    "list.pls": listed("[playlist]\nNumberOfEntries=1\nFile1=file:///etc/passwd\n"),
    "reference.txt": listed("RTSPtextRTSP://127.0.0.1:9/a\n"),
    "script.txt": listed("#!/bin/sh\ntouch /tmp/owned\n" + "x" * 600),
}

POLYGLOTS = {
    "picture-and-sound.wav": told("not_audio", make=lambda: b"GIF89a" + bytes(7) + b";" + wav()),
    "page-and-sound.mp3": told(
        FINE, "not_audio", make=lambda: b"<html><script>alert(1)</script></html>" + recorded("mp3", 0.22)
    ),
    "sound-and-archive.wav": told(FINE, make=lambda: wav() + b"PK\x05\x06" + bytes(18)),
    "sound-and-list.wav": told(FINE, make=lambda: wav() + LISTS["list.m3u8"].make()),
    "list-and-sound.m3u8": told("not_audio", make=lambda: LISTS["list.m3u8"].make() + wav()),
    "gzip.wav": told("not_audio", make=lambda: zlib.compress(wav(), wbits=31)),
    "noise.bin": told(
        "not_audio", make=lambda: b"".join(zlib.crc32(bytes([at])).to_bytes(4, "big") for at in range(256))
    ),
}

CASES: dict[str, Case] = SEEDS | WAVES | FLACS | BOXES | OGGS | ELEMENTS | TAGS | LISTS | POLYGLOTS
