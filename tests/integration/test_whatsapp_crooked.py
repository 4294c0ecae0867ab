"""A Graph API that answers oddly: the token goes to nobody else, and nothing is sent twice for want of a field."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse

from bot.channels.base import Chat, Outgoing, Surroundings
from bot.channels.whatsapp.send import Sender
from core.errors import ChannelError, MediaGone, OutcomeUnknown, PlatformAway, RateLimited, Refused
from core.queue import Queue
from core.settings import Settings
from core.storage import Storage
from simulators.serving import served

TOKEN = "EAAGsecret"


@dataclass
class Crooked:
    """answers: what the next requests get, by their last path segment. asked: (path, whether the token came along)."""

    url: str = ""
    answers: dict[str, Response] = field(default_factory=dict)
    asked: list[tuple[str, bool]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append((request.url.path, TOKEN in request.headers.get("authorization", "")))
        if request.headers.get("content-type") == "application/json":
            self.bodies.append(await request.json())
        return self.answers[request.url.path.rpartition("/")[2]]


@pytest.fixture
def servers() -> Iterator[tuple[Crooked, Crooked]]:
    """The API, and somebody else's server."""
    api, other = Crooked(), Crooked(answers={"x": PlainTextResponse("bytes")})
    apps = FastAPI(), FastAPI()
    for crooked, app in zip((api, other), apps, strict=True):
        app.add_api_route("/{path:path}", crooked.answer, methods=["GET", "POST"], response_model=None)
    with served(apps[0]) as api.url, served(apps[1]) as other.url:
        yield api, other


@pytest.fixture
async def sender(servers: tuple[Crooked, Crooked], tmp_path: Path) -> AsyncIterator[Sender]:
    settings = Settings(
        _env_file=None,
        whatsapp_phone_id="111",
        whatsapp_token=TOKEN,
        whatsapp_api_url=servers[0].url,
        data_dir=tmp_path,
    )
    sender = Sender(Surroundings(settings, Queue.lazy("redis://127.0.0.1:1"), Storage(tmp_path)))
    yield sender
    await sender.close()


def row(chat: str = "966501", **changes: Any) -> Outgoing:
    return Outgoing(**{**Outgoing(7, "c", None, "text", {"text": "hello"}, Chat(chat, "111")).__dict__, **changes})


async def test_an_address_elsewhere_is_not_followed(
    servers: tuple[Crooked, Crooked], sender: Sender, tmp_path: Path
) -> None:
    api, other = servers
    api.answers["55"] = JSONResponse({"url": f"{other.url}/x", "id": "55"})
    with pytest.raises(MediaGone, match="not Meta's"):
        await sender.fetch({"kind": "voice", "id": "55"}, tmp_path / "file")
    api.answers |= {"55": JSONResponse({"url": f"{api.url}/y"}), "y": RedirectResponse(f"{other.url}/x")}
    with pytest.raises(MediaGone, match="not Meta's"):
        await sender.fetch({"kind": "voice", "id": "55"}, tmp_path / "file")
    assert other.asked == []


async def test_a_redirect_at_home_is_followed_but_not_for_ever(
    servers: tuple[Crooked, Crooked], sender: Sender, tmp_path: Path
) -> None:
    api, _ = servers
    api.answers |= {
        "55": JSONResponse({"url": f"{api.url}/y"}),
        "y": RedirectResponse(f"{api.url}/z"),
        "z": PlainTextResponse("bytes"),
    }
    await sender.fetch({"kind": "voice", "id": "55"}, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"bytes"
    api.answers["z"] = RedirectResponse(f"{api.url}/y")
    with pytest.raises(PlatformAway):
        await sender.fetch({"kind": "voice", "id": "55"}, tmp_path / "file")


@pytest.mark.parametrize(
    "facts",
    [{}, {"url": None}, {"url": "file:///etc/passwd"}, {"url": "http://["}, {"url": "/x"}, {"url": "x" * 9000}, []],
)
async def test_no_address(servers: tuple[Crooked, Crooked], sender: Sender, tmp_path: Path, facts: Any) -> None:
    servers[0].answers["55"] = JSONResponse(facts)
    with pytest.raises(MediaGone):
        await sender.fetch({"kind": "voice", "id": "55"}, tmp_path / "file")


async def test_a_file_without_end_is_too_large(
    servers: tuple[Crooked, Crooked], sender: Sender, tmp_path: Path
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(400):
            yield b"x" * 65_536

    api, _ = servers
    api.answers |= {"55": JSONResponse({"url": f"{api.url}/y"}), "y": StreamingResponse(endless())}
    with pytest.raises(Exception, match="larger than 16 MB"):
        await sender.fetch({"kind": "voice", "id": "55"}, tmp_path / "file")
    assert not (tmp_path / "file").exists()


async def test_an_answer_without_contacts_is_an_answer(servers: tuple[Crooked, Crooked], sender: Sender) -> None:
    api, _ = servers
    api.answers["messages"] = JSONResponse({"messages": [{"id": "wamid.1"}]})
    assert (await sender.send(row("SA.a1B2c3", reply_to="wamid.0"))).external_id == "wamid.1"
    assert api.asked == [("/v26.0/111/messages", True)]
    assert api.bodies == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "recipient": "SA.a1B2c3",
            "type": "text",
            "text": {"body": "hello", "preview_url": False},
            "context": {"message_id": "wamid.0"},
            "biz_opaque_callback_data": "7",
        }
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JSONResponse({}), OutcomeUnknown),
        (JSONResponse([]), OutcomeUnknown),
        (JSONResponse({"messages": [{}]}), OutcomeUnknown),
        (PlainTextResponse("ok"), OutcomeUnknown),
        (PlainTextResponse("x" * 2_000_000), OutcomeUnknown),
        (RedirectResponse("/elsewhere"), Refused),
        (JSONResponse({"error": "odd"}, 400), Refused),
        (JSONResponse({"error": {"message": "no code"}}, 503), PlatformAway),
        (JSONResponse({"error": {"code": "x"}}, 429, {"Retry-After": "17"}), RateLimited),
        (PlainTextResponse("<html>", 401), PlatformAway),
    ],
)
async def test_odd_answers_to_a_message(
    servers: tuple[Crooked, Crooked], sender: Sender, answer: Response, expected: type[ChannelError]
) -> None:
    servers[0].answers["messages"] = answer
    with pytest.raises(expected):
        await sender.send(row())
    assert len(servers[0].asked) == 1


@pytest.mark.parametrize("answer", [JSONResponse({}), PlainTextResponse("ok"), JSONResponse({"id": "a b"})])
async def test_odd_answers_to_an_upload(
    servers: tuple[Crooked, Crooked], sender: Sender, tmp_path: Path, answer: Response
) -> None:
    servers[0].answers["media"] = answer
    (tmp_path / "a.ogg").write_bytes(b"OggS")
    with pytest.raises(PlatformAway):
        await sender.send(row(kind="voice", payload={"path": "a.ogg"}))


def test_pywa_is_not_imported_before_it_is_used() -> None:
    code = (
        "import sys, bot.channels.whatsapp.receive, bot.channels.whatsapp.send;"
        "sys.exit(any(name.startswith('pywa') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
