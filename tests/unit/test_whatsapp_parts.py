"""Shapes of messages, meanings of errors, signatures, who may see the token."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.base import Chat
from bot.channels.whatsapp import shapes, signature
from bot.channels.whatsapp.people import recipient
from bot.channels.whatsapp.problems import AccountRefused, problem
from bot.channels.whatsapp.transport import GraphTransport
from bot.channels.whatsapp.uploads import document_mime, picture_mime
from core.errors import ChannelError, PlatformAway, RateLimited, Refused, Unreachable, WindowClosed

ISOLATES = "\u2066\u2067\u2068"


def choice(title: str, **more: str) -> dict[str, str]:
    return {"id": f"/{title}", "title": title, **more}


@pytest.mark.parametrize(
    ("value", "longest", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("مرحبا بكم", 6, "مرحبا…"),
        ("ab😀cd", 6, "ab😀cd"),
        ("ab😀cde", 6, "ab😀c…"),
        ("abc😀de", 5, "abc…"),
        ("a \u2068name that is long\u2069", 10, "a \u2068name…\u2069"),
        ("one two three", 9, "one two…"),
    ],
)
def test_cutting(value: str, longest: int, expected: str) -> None:
    assert shapes.cut(value, longest) == expected


@given(st.text(alphabet="aا😀 \u2068\u2069\u2067\u200d", max_size=60), st.integers(8, 40))
def test_what_is_cut_fits_and_closes_its_isolates(value: str, longest: int) -> None:
    made = shapes.cut(value, longest)
    assert made == value or (shapes.units(made) <= longest and "…" in made)
    if made != value:
        assert shapes._open_isolates(made) == 0


@pytest.mark.parametrize(
    ("choices", "fit"),
    [
        ([choice("Yes"), choice("No")], True),
        ([choice("a"), choice("b"), choice("c")], True),
        ([choice("a"), choice("b"), choice("c"), choice("d")], False),
        ([choice("x" * 20)], True),
        ([choice("x" * 21)], False),
        ([choice("a", description="more")], False),
        ([choice("same"), choice(" same ")], False),
        ([], False),
    ],
)
def test_which_choices_are_buttons(choices: list[dict[str, str]], fit: bool) -> None:
    assert shapes.fits_buttons(choices) is fit


def test_a_list_is_cut_to_its_limits() -> None:
    choices = [choice(f"{n} " + "نص\n" * 20, description="d" * 100) for n in range(12)]
    made = shapes.listed("b" * 2000, choices, "ب" * 30)
    (section,) = made["action"]["sections"]
    assert len(section["rows"]) == 10
    assert all(len(row["title"]) <= 24 and len(row["description"]) <= 72 for row in section["rows"])
    assert "\n" not in section["rows"][0]["title"]
    assert len(made["action"]["button"]) <= 20
    assert len(made["body"]["text"]) == 1024


def answer(code: int | None, status: int = 400, headers: dict[str, str] | None = None, **more: Any) -> ChannelError:
    body = {"error": {"message": "m", **({} if code is None else {"code": code}), **more}}
    return problem(status, json.dumps(body).encode(), httpx.Headers(headers or {}))


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (131047, 400, WindowClosed),
        (131026, 400, Unreachable),
        (131030, 400, Unreachable),
        (131021, 400, Unreachable),
        (190, 401, AccountRefused),
        (None, 401, AccountRefused),
        (200, 403, AccountRefused),
        (131031, 403, AccountRefused),
        (131000, 500, PlatformAway),
        (131016, 503, PlatformAway),
        (None, 502, PlatformAway),
        (1, 400, PlatformAway),
        (100, 400, Refused),
        (131008, 400, Refused),
        (131009, 400, Refused),
        (131051, 400, Refused),
        (131053, 400, Refused),
        (None, 404, Refused),
        (424242, 400, Refused),
    ],
)
def test_what_an_error_means(code: int | None, status: int, expected: type[ChannelError]) -> None:
    assert type(answer(code, status)) is expected


@pytest.mark.parametrize(
    ("code", "headers", "seconds", "whole"),
    [
        (130429, {}, 2.0, True),
        (80007, {}, 60.0, True),
        (4, {}, 60.0, True),
        (131056, {}, 6.0, False),
        (131056, {"Retry-After": "3"}, 3.0, False),
        (130429, {"Retry-After": "9999999"}, 3600.0, True),
        (130429, {"Retry-After": "0"}, 1.0, True),
        (130429, {"Retry-After": "soon"}, 2.0, True),
        (None, {}, 30.0, True),
    ],
)
def test_how_long_a_limit_waits(code: int | None, headers: dict[str, str], seconds: float, whole: bool) -> None:
    error = answer(code, 429, headers)
    assert isinstance(error, RateLimited)
    assert (error.retry_after_s, error.whole) == (seconds, whole)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"error": {"code": "x"}}', b"[" * 10**5])
def test_a_body_that_is_no_error_object(body: bytes) -> None:
    assert isinstance(problem(502, body, {}), PlatformAway)
    assert isinstance(problem(400, body, {}), Refused)


def test_a_reason_names_no_values() -> None:
    token, words = "EAAG" + "x" * 60, "what she said"
    error = answer(190, 401, error_data={"details": f'Malformed {token} "{words}" to +966 50 123 4567'})
    assert all(secret not in str(error) for secret in (token, words, "4567"))
    assert "190" in str(error)


def test_a_signature_holds_for_its_body_and_secret() -> None:
    body = b'{"a":"\\u0645"}'
    header = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    claim = signature.claimed(header) or ""
    assert signature.holds(claim, body, "secret")
    assert signature.holds(signature.claimed(header.upper().replace("SHA", "sha")) or "", body, "secret")
    assert not signature.holds(claim, body + b" ", "secret")
    assert not signature.holds(claim, body, "Secret")


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha1=" + "a" * 40, "sha256=" + "g" * 64, "a" * 64])
def test_what_is_no_signature(header: str | None) -> None:
    assert signature.claimed(header) is None


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        (Chat("966501", "1"), {"to": "966501"}),
        (Chat("SA.b2", "1", {"wa_id": "966501", "user_id": "SA.b2"}), {"to": "966501"}),
        (Chat("SA.b2", "1", {"user_id": "SA.b2"}), {"recipient": "SA.b2"}),
        (Chat("SA.b2", "1"), {"recipient": "SA.b2"}),
    ],
)
def test_whom_a_message_is_addressed_to(chat: Chat, expected: dict[str, str]) -> None:
    assert recipient(chat) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://lookaside.fbsbx.com/x",
        "https://lookaside.fbsbx.com:8443/x",
        "https://lookaside.fbsbx.com.evil.example/x",
        "https://evilfbcdn.net/x",
        "https://graph.facebook.com@evil.example/x",
        "https://evil.example/#graph.facebook.com",
        "http://graph.facebook.com/v26.0/me",
        "http://127.0.0.1:9001/x",
        "https://127.0.0.1:9000/x",
        "http://169.254.169.254/latest",
    ],
)
async def test_the_token_goes_nowhere_else(url: str) -> None:
    transport = GraphTransport("http://127.0.0.1:9000")
    with pytest.raises(Refused, match="not Meta's"):
        await transport.handle_async_request(httpx.Request("GET", url))
    await transport.aclose()


@pytest.mark.parametrize(
    ("api", "url", "expected"),
    [
        ("https://graph.facebook.com", "https://graph.facebook.com/v26.0/1?a=b", "https://graph.facebook.com/v26.0/1?a=b"),
        ("http://127.0.0.1:9000/", "https://graph.facebook.com/v26.0/1", "http://127.0.0.1:9000/v26.0/1"),
        ("http://proxy:1/wa", "https://graph.facebook.com/v26.0/1?a=b", "http://proxy:1/wa/v26.0/1?a=b"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/files/1", "http://127.0.0.1:9000/files/1"),
        ("https://graph.facebook.com", "https://lookaside.fbsbx.com/a?mid=1", "https://lookaside.fbsbx.com/a?mid=1"),
        ("https://graph.facebook.com", "https://scontent.xx.fbcdn.net/a", "https://scontent.xx.fbcdn.net/a"),
        ("https://graph.facebook.com", "https://mmg-fna.whatsapp.net/a", "https://mmg-fna.whatsapp.net/a"),
    ],
)  # fmt: skip
async def test_where_a_request_goes(api: str, url: str, expected: str) -> None:
    transport = GraphTransport(api)
    routed = transport._routed(httpx.Request("GET", url))
    assert str(routed.url) == expected
    assert routed.headers["host"] == httpx.URL(expected).netloc.decode()
    await transport.aclose()


@pytest.mark.parametrize(
    ("name", "mime"),
    [("a.pdf", "application/pdf"), ("export.json", "text/plain"), ("تصدير.txt", "text/plain"), ("x", "text/plain")],
)
def test_what_a_document_is(name: str, mime: str) -> None:
    assert document_mime(name) == mime


@pytest.mark.parametrize(
    ("name", "mime"), [("a/p.PNG", "image/png"), ("a.jpg", "image/jpeg"), ("a.webp", None), ("", None)]
)
def test_which_pictures_are_shown(name: str, mime: str | None) -> None:
    assert picture_mime(name) == mime
