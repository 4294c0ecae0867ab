"""Forms and JSON that were made to break what reads them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.web.forms import MAX_FORM, MAX_PARTS, Form, read_form
from bot.channels.web.receive import MAX_JSON, read_json
from core.errors import AudioInvalid, InputError, MalformedBody, SmartTalkerError, TooLarge

SOON_S = 2.0
"""Of computing: the largest form takes 0.1 s."""
BEGIN, END = b"--x\r\n", b"\r\n--x--"
MUCH = 15_000_000


def part(name: bytes, rest: bytes = b"") -> bytes:
    return BEGIN + b'Content-Disposition: form-data; name="' + name + b'"' + rest + b"\r\n\r\n"


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), 65_536):
        yield body[at : at + 65_536]


FILE = part(b"audio", b'; filename="a"')
REFUSED: dict[str, tuple[type[SmartTalkerError], bytes]] = {
    "nothing": (MalformedBody, b""),
    "no form": (MalformedBody, b"x" * 1000),
    "line ends": (MalformedBody, b"\r\n" * (MUCH // 2)),
    "a file of returns": (MalformedBody, FILE + b"\r" * MUCH),
    "a file of what nearly ends it": (MalformedBody, FILE + b"\r\n--" * (MUCH // 4)),
    "more than a file may have": (AudioInvalid, FILE + b"a" * (MAX_FORM + 1)),
    "a header of 15 MB": (MalformedBody, BEGIN + b"A: " + b"x" * MUCH),
    "a header's name of 15 MB": (MalformedBody, BEGIN + b"A" * MUCH),
    "a thousand headers": (MalformedBody, BEGIN + b"A: x\r\n" * 1000),
    "a header without a name": (MalformedBody, BEGIN + b": x\r\n"),
    "a thousand parts": (MalformedBody, (part(b"a") + b"\r\n") * 1000 + END),
    "one part too many": (MalformedBody, b"".join(part(b"a") + b"\r\n" for _ in range(MAX_PARTS + 1)) + END),
    "two files": (MalformedBody, FILE + b"a\r\n" + FILE + b"b" + END),
    "a field of 15 MB": (TooLarge, part(b"text") + b"a" * MUCH),
    "a file under another name": (InputError, part(b"voice", b'; filename="a"') + b"\xff" * 100_000 + END),
    "half a surrogate pair": (MalformedBody, part(b"text") + b"\xed\xa0\x80" + END),
    "latin letters": (MalformedBody, part(b"text") + b"\xe9" + END),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_hostile_form_is_refused_soon_and_as_what_it_is(tmp_path: Path, name: str) -> None:
    error, body = REFUSED[name]
    began = time.process_time()
    with pytest.raises(SmartTalkerError) as caught:
        await read_form(pieces(body), "multipart/form-data; boundary=x", tmp_path / "upload")
    assert type(caught.value) is error
    assert time.process_time() - began < SOON_S
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


@pytest.mark.parametrize(
    "rest",
    [
        b'; filename="../../../../etc/passwd"',
        b'; filename="/etc/passwd\0.ogg"',
        b'; filename="C:\\\\windows\\\\system.ini"',
        b"; filename*=UTF-8''..%2f..%2fetc%2fpasswd",
        b'; filename="a.ogg\\r\\nSet-Cookie: a=b"',
        b'; filename="' + b"a" * 3000 + b'"',
        b'; filename=""',
        b'; name="text"; name="audio"; filename="a"',
    ],
    ids=["up", "nul", "drive", "encoded", "lines", "long", "none", "two names"],
)
async def test_a_files_name_goes_nowhere(tmp_path: Path, rest: bytes) -> None:
    form = await read_form(pieces(part(b"audio", rest) + b"x" + END), "multipart/form-data; boundary=x", tmp_path / "u")
    assert form == Form(has_file=True, digest=form.digest)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("u", b"x")]


@pytest.mark.parametrize(
    "boundary",
    ["", '""', "b" * 257, "b" * 60_000, ';"' * 30_000, 'a=";' * 15_000, "\xe9", "a\r\nb"],
    ids=["none", "empty", "long", "endless", "quotes", "parameters", "latin", "lines"],
)
async def test_a_hostile_boundary_is_a_malformed_form(tmp_path: Path, boundary: str) -> None:
    began = time.process_time()
    with pytest.raises(MalformedBody):
        await read_form(pieces(FILE + b"a" + END), f"multipart/form-data; boundary={boundary}", tmp_path / "upload")
    assert time.process_time() - began < SOON_S


JSON: dict[str, tuple[type[SmartTalkerError], bytes]] = {
    "lists in lists": (MalformedBody, b"[" * MAX_JSON),
    "objects in objects": (MalformedBody, b'{"a":' * (MAX_JSON // 5)),
    "a number of 100,000 digits": (MalformedBody, b'{"text": ' + b"9" * 100_000 + b"}"),
    "half a letter": (MalformedBody, b'{"text": "\xd8"}'),
    "another encoding": (MalformedBody, '"\ud800"'.encode("utf-16", "surrogatepass")),
    "too much": (TooLarge, b" " * (MAX_JSON + 1)),
}


@pytest.mark.parametrize("name", JSON)
async def test_hostile_json_is_refused_soon(name: str) -> None:
    error, body = JSON[name]
    began = time.process_time()
    with pytest.raises(SmartTalkerError) as caught:
        await read_json(pieces(body))
    assert type(caught.value) is error
    assert time.process_time() - began < SOON_S
