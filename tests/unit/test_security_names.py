"""Names and values from outside, wherever they could be taken for something else: logs, links, files, headers."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr

from bot.api import guards
from bot.channels.whatsapp import signature
from core.errors import NotFound
from core.logging import configure_logging, get_logger
from core.queue import unpack
from core.settings import Settings
from core.storage import Storage, expiry, sign, verify
from tests.unit.test_logging import Terminal, as_before

__all__ = ["as_before"]

KEY = b"k" * 32
SECRET = "Sécret-مفتاح-1"
FORGED = 'Mona\r\n{"level": "info", "event": "forged"}\n\x1b[2J\x1b]0;x\x07\u202efdp.exe\u2066\x9b31m'
EXPIRES = str(expiry())


def digest(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def media(expires: str, name: str = "t/1/a.mp4") -> str:
    return parse_qs(sign(name, KEY, int(expires)))["signature"][0]


COMPARISONS: dict[str, tuple[Callable[[str], bool], str]] = {
    "a key": (lambda given: guards.same(SecretStr(SECRET), given.encode()), SECRET),
    "Meta's word to verify": (lambda given: signature.same(given, SECRET), SECRET),
    "Meta's signature": (lambda given: signature.holds(given, b"{}", SECRET), digest(b"{}")),
    "a link": (lambda given: verify("t/1/a.mp4", KEY, EXPIRES, given), media(EXPIRES)),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_secrets_are_compared_in_constant_time_whatever_their_length(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    compare, right = COMPARISONS[name]
    compared: list[Any] = []

    def spy(*both: Any) -> bool:
        compared.append(both)
        return bool(both[0] == both[1])

    monkeypatch.setattr(hmac, "compare_digest", spy)
    wrong = ["", right[:1], right[:-1], right + "0", right * 2, right[:-1] + "\x7f", "0" * len(right)]
    for given in wrong:
        assert not compare(given), given
    assert compare(right)
    assert len(compared) == len(wrong) + 1


def test_a_key_is_compared_as_the_bytes_that_came() -> None:
    assert guards.same(SecretStr(SECRET), SECRET.encode())
    assert not guards.same(SecretStr(SECRET), SECRET.upper().encode())
    assert not guards.same(SecretStr(SECRET), SECRET.encode("utf-16"))


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.usefixtures("as_before")
def test_a_name_from_outside_forges_no_line_and_turns_none(stream: type[io.StringIO]) -> None:
    told = stream()
    configure_logging("bot", Settings(_env_file=None), told)
    get_logger("x").info("seen", display_name=FORGED)
    get_logger("x").info(FORGED)
    lines = told.getvalue().splitlines()
    assert len(lines) == 2
    assert not any(each in told.getvalue() for each in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e", "\u2066", "\r"))
    if stream is io.StringIO:
        assert json.loads(lines[0])["event"] == "seen"


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("new row violates\nDETAIL:  Failing row contains (1, a wish).\n[SQL: INSERT]", "a wish"),
        ("duplicate key\nDETAIL:  Key (text)=(a wish) exists.", "a wish"),
        ("1 validation error\n  wrong [type=x, input_value='a wish', input_type=str]", "a wish"),
        ("ws://host/api/v1/ws/1?api_key=a%20wish", "a%20wish"),
        ("/api/v1/media/t/1/a.mp4?expires=1&signature=awish", "awish"),
    ],
)
@pytest.mark.usefixtures("as_before")
def test_what_libraries_quote_of_a_message_is_left_out(said: str, hidden: str) -> None:
    told = io.StringIO()
    configure_logging("bot", Settings(_env_file=None), told)
    try:
        raise ValueError(said)
    except ValueError:
        get_logger("x").exception("failed")
    assert "ValueError" in told.getvalue()
    assert hidden not in told.getvalue()


class Trap:
    """Unpickled it leaves a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_that_comes_out_of_redis_is_unpickled(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever JSON says to it
        unpack(pickle.dumps(Trap(tmp_path / "sprung"), protocol))
    assert not (tmp_path / "sprung").exists()


TRICKS = [
    "../media.key",
    "t/../../media.key",
    "t/1/../../../media.key",
    "/etc/passwd",
    "//etc/passwd",
    "t\\..\\..\\media.key",
    "t/1/a.mp4\0.jpg",
    "..",
    ".",
    "",
    "link/media.key",
    "t/1/" + "x" * 5000,
    "t/1/\u202ea.mp4\r\nSet-Cookie: a=b",
]


@pytest.mark.parametrize("name", TRICKS)
def test_no_name_reaches_what_is_not_ours_even_with_a_right_signature(tmp_path: Path, name: str) -> None:
    (tmp_path / "media.key").write_bytes(KEY)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "link").symlink_to(tmp_path)
    with pytest.raises(NotFound):
        Storage(tmp_path / "media").existing(name)
