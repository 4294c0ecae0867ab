"""The Bot API's client: python-telegram-bot's Bot with our time-outs, and answers that can be told apart."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from telegram import Bot
from telegram.error import BadRequest, InvalidToken, NetworkError, TelegramError
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from core.errors import ConfigurationError
from core.settings import Settings

CONNECT_S: Final = 10.0
WRITE_S: Final = 20.0
MEDIA_WRITE_S: Final = 60.0
READ_S: Final = 30.0
POOL_S: Final = 5.0
CONNECTIONS: Final = 32
POLL_S: Final = 25
"""How long a request for updates waits on Telegram's side."""
FLOOD_S: Final = 5.0
"""A 429 without a time."""
OFFICIAL: Final = "https://api.telegram.org"


class Flood(TelegramError):
    """429; python-telegram-bot's RetryAfter warns whenever it is made, and needs a time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"to be tried again in {seconds:g} s")
        self.seconds = seconds


class ServerTrouble(NetworkError):
    """5xx: python-telegram-bot says only NetworkError, as for a connection that broke."""


class TooBig(BadRequest):
    """413: more than the server takes."""


class NotTheBotApi(TelegramError):
    """2xx with something that is not the Bot API's answer."""


class Request(HTTPXRequest):
    """Says by its errors what the status was; writes nothing of an answer into a log."""

    __slots__ = ()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *waits: Any, **named_waits: Any
    ) -> tuple[int, bytes]:
        code, payload = await super().do_request(url, method, request_data, *waits, **named_waits)
        if code >= 500:
            raise ServerTrouble(f"status {code}")
        if code == 413:
            raise TooBig("Request Entity Too Large")
        if code == 401:
            raise InvalidToken("status 401")
        if code == 429:
            raise Flood(_wait(payload))
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or not answer.keys() & {"result", "description"}:
            raise NotTheBotApi("the answer is not the Bot API's")
        return answer


class Client(Bot):
    """Adds two methods as plain JSON: what can't be read of it must not spoil the rest."""

    __slots__ = ()

    async def updates(self, offset: int | None, kinds: tuple[str, ...]) -> list[Any]:
        """Waits up to POLL_S; those before the offset are then forgotten by Telegram. Raises TelegramError."""
        asked = {"offset": offset, "limit": 100, "timeout": POLL_S, "allowed_updates": list(kinds)}
        found = await self._post("getUpdates", asked, read_timeout=POLL_S + 10.0)
        if not isinstance(found, list):
            raise NotTheBotApi("getUpdates answered no list")
        return found

    async def file(self, file_id: str) -> tuple[str, int | None]:
        """The file's path on the server (a local server says an absolute one) and its bytes, where told. Raises
        TelegramError."""
        found = await self._post("getFile", {"file_id": file_id})
        path, size = (found.get("file_path"), found.get("file_size")) if isinstance(found, dict) else (None, None)
        if not isinstance(path, str) or not path:
            raise NotTheBotApi("getFile answered no path")
        return path, size if isinstance(size, int) else None

    async def close_connections(self) -> None:
        """Bot.shutdown closes only what Bot.initialize opened, and that asks the server who we are."""
        for request in self._request:
            await request.shutdown()


def open_client(settings: Settings) -> Client:
    """Connects when first used. Raises ConfigurationError."""
    if settings.telegram_token is None:
        raise ConfigurationError("Telegram has no token: set SMARTTALKER_TELEGRAM_TOKEN")
    server = settings.telegram_api_url.rstrip("/")
    return Client(
        settings.telegram_token.get_secret_value(),
        base_url=f"{server}/bot",
        base_file_url=f"{server}/file/bot",
        request=_request(settings, CONNECTIONS),
        get_updates_request=_request(settings, 1),
    )


def httpx_options(settings: Settings) -> dict[str, Any]:
    """A proxy from the environment serves, but not for a server on this machine."""
    host = (urlsplit(settings.telegram_api_url).hostname or "").lower()
    return {"trust_env": host not in ("localhost", "127.0.0.1", "::1")}


def timeouts() -> httpx.Timeout:
    return httpx.Timeout(connect=CONNECT_S, read=READ_S, write=WRITE_S, pool=POOL_S)


def _request(settings: Settings, connections: int) -> BaseRequest:
    return Request(
        connection_pool_size=connections,
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        write_timeout=WRITE_S,
        pool_timeout=POOL_S,
        media_write_timeout=MEDIA_WRITE_S,
        httpx_kwargs=httpx_options(settings),
    )


def _wait(payload: bytes) -> float:
    """`parameters.retry_after` in seconds."""
    try:
        seconds = json.loads(payload)["parameters"]["retry_after"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return FLOOD_S
    return seconds if isinstance(seconds, int) and seconds > 0 else FLOOD_S
