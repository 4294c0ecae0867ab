"""Servers that are not quite Telegram's: a local one with files on its disk, a proxy that talks nonsense."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response

from bot.channels.base import Chat, Outgoing
from bot.channels.telegram.send import Sender
from core.errors import (
    AudioInvalid,
    ChannelError,
    MediaGone,
    OutcomeUnknown,
    PlatformAway,
    RateLimited,
    Refused,
    Unreachable,
)
from simulators.serving import served
from tests.integration.test_telegram_send import surroundings

ROW = Outgoing(1, "c", None, "text", {"text": "private words"}, Chat("5", "1"))


@contextmanager
def saying(body: bytes, status: int = 200) -> Iterator[str]:
    """A server that answers everything with the same."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def anything(path: str) -> Response:
        return Response(body, status, media_type="application/json")

    with served(app) as url:
        yield url


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>welcome</html>", OutcomeUnknown),
        (200, b"", OutcomeUnknown),
        (200, b"[]", OutcomeUnknown),
        (200, b'{"ok": true}', OutcomeUnknown),
        (200, b'{"ok": true, "result": 7}', OutcomeUnknown),
        (200, b'{"ok": true, "result": {}}', OutcomeUnknown),
        (200, b'{"ok": false, "description": "no"}', OutcomeUnknown),
        (301, b"", OutcomeUnknown),
        (400, b'{"ok": false, "description": "Bad Request: chat not found"}', Unreachable),
        (400, b'{"ok": false, "description": "Bad Request: can\'t do that"}', Refused),
        (400, b"<html>", Refused),
        (401, b'{"ok": false, "description": "Unauthorized"}', PlatformAway),
        (404, b'{"ok": false, "description": "Not Found"}', PlatformAway),
        (409, b'{"ok": false, "description": "Conflict"}', PlatformAway),
        (413, b"<html>", Refused),
        (429, b"<html>", RateLimited),
        (429, b'{"ok": false, "description": "x", "parameters": {"retry_after": 0}}', RateLimited),
        (429, b'{"ok": false, "parameters": []}', RateLimited),
        (502, b"<html>", PlatformAway),
        (599, b'{"ok": false, "description": "x", "parameters": {"retry_after": 3}}', PlatformAway),
    ],
)
async def test_every_answer_is_told_apart(
    tmp_path: Path, status: int, body: bytes, error: type[ChannelError], capsys: pytest.CaptureFixture[str]
) -> None:
    with saying(body, status) as url:
        sender = Sender(surroundings(tmp_path, url))
        with pytest.raises(error) as raised:
            await sender.send(ROW)
        await sender.close()
    assert len(str(raised.value)) <= 300
    assert "private words" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b'{"ok": true, "result": {"file_id": "x"}}', PlatformAway),
        (200, b'{"ok": true, "result": []}', PlatformAway),
        (200, b"<html>", PlatformAway),
        (400, b'{"ok": false, "description": "Bad Request: file is too big"}', AudioInvalid),
        (400, b'{"ok": false, "description": "Bad Request: invalid file_id"}', MediaGone),
        (404, b'{"ok": false, "description": "Not Found"}', PlatformAway),
    ],
)
async def test_every_answer_about_a_file_too(tmp_path: Path, status: int, body: bytes, error: type[Exception]) -> None:
    with saying(body, status) as url:
        sender = Sender(surroundings(tmp_path, url))
        with pytest.raises(error):
            await sender.fetch({"kind": "voice", "id": "x"}, tmp_path / "came")
        await sender.close()


@contextmanager
def local_server(path: Path, told: int | None) -> Iterator[str]:
    """As one started with --local: getFile names a file on its disk, and hands out nothing over HTTP."""
    app = FastAPI()

    @app.post("/bot{token}/getFile")
    async def get_file(token: str) -> dict[str, Any]:
        return {"ok": True, "result": {"file_id": "x", "file_path": str(path), "file_size": told}}

    with served(app) as url:
        yield url


async def test_a_local_servers_file_is_read_from_its_disk(tmp_path: Path) -> None:
    kept, remote = tmp_path / "server" / "file_0.oga", {"kind": "voice", "id": "x"}
    kept.parent.mkdir()
    kept.write_bytes(b"sound" * 100_000)
    with local_server(kept, None) as url:
        sender = Sender(surroundings(tmp_path, url))
        await sender.fetch(remote, tmp_path / "came")
        assert (tmp_path / "came").read_bytes() == kept.read_bytes()
        kept.write_bytes(b"0" * 20_000_001)
        with pytest.raises(AudioInvalid):
            await sender.fetch(remote, tmp_path / "larger")
        kept.unlink()
        with pytest.raises(MediaGone):
            await sender.fetch(remote, tmp_path / "gone")
        kept.mkdir()
        with pytest.raises(PlatformAway):
            await sender.fetch(remote, tmp_path / "unreadable")
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["came"]
        await sender.close()


async def test_a_file_that_says_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    with local_server(tmp_path / "nowhere", 20_000_001) as url:
        sender = Sender(surroundings(tmp_path, url))
        with pytest.raises(AudioInvalid):
            await sender.fetch({"kind": "voice", "id": "x"}, tmp_path / "came")
        await sender.close()
