"""What people sent, from Telegram's servers or a local Bot API server's disk, never more than is taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from telegram.error import BadRequest

from bot.channels.telegram.client import FLOOD_S, OFFICIAL, Client, httpx_options, timeouts
from bot.channels.telegram.failures import is_too_big, translated
from bot.channels.telegram.fields import size
from core.decoding import refuse
from core.errors import MediaGone, PlatformAway, RateLimited, SmartTalkerError, TooLarge
from core.logging import get_logger
from core.settings import Settings
from core.storage import storage_errors

log = get_logger("bot.channels.telegram")

FETCH_S: Final = 90.0
_CHUNK: Final = 256 * 1024
_PLAIN: Final = {"Accept-Encoding": "identity"}
"""Nothing is unpacked here, so that what is counted is what comes."""


class Downloads:
    """Of one bot."""

    def __init__(self, client: Client, settings: Settings, most: int) -> None:
        """most: bytes that are taken."""
        assert settings.telegram_token is not None
        self._client = client
        self._most = most
        server = settings.telegram_api_url.rstrip("/")
        self._files_url = f"{server}/file/bot{settings.telegram_token.get_secret_value()}"
        self._local = server != OFFICIAL
        self._http = httpx.AsyncClient(timeout=timeouts(), **httpx_options(settings))

    async def close(self) -> None:
        await self._http.aclose()

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        """Raises MediaGone, PlatformAway, RateLimited, StorageError, and what `_too_large` says."""
        self._check(size(remote.get("bytes")), remote)
        try:
            async with asyncio.timeout(FETCH_S):
                path = await self._locate(remote)
                await self._write(self._chunks(path), target, remote)
        except TimeoutError:
            raise PlatformAway("the download took too long") from None

    async def _locate(self, remote: Mapping[str, Any]) -> str:
        with translated():
            path, length = await self._file(remote)
        self._check(length, remote)
        return path

    async def _file(self, remote: Mapping[str, Any]) -> tuple[str, int | None]:
        try:
            return await self._client.file(str(remote.get("id") or ""))
        except BadRequest as error:
            if is_too_big(error):
                raise _too_large(remote) from error
            raise MediaGone(error.message[:200]) from error

    def _check(self, length: int | None, remote: Mapping[str, Any]) -> None:
        if length is not None and length > self._most:
            raise _too_large(remote)

    async def _write(self, chunks: AsyncGenerator[bytes, None], target: Path, remote: Mapping[str, Any]) -> None:
        """The whole file or none."""
        written = 0
        try:
            with storage_errors(), target.open("wb") as file:
                async with aclosing(chunks):
                    async for chunk in chunks:
                        written += len(chunk)
                        self._check(written, remote)
                        file.write(chunk)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _chunks(self, path: str) -> AsyncGenerator[bytes, None]:
        """A local server started with --local names a file on its disk, which must be this machine's."""
        if self._local and path.startswith("/"):
            return self._from_disk(Path(path))
        return self._from_server(path)

    async def _from_disk(self, path: Path) -> AsyncGenerator[bytes, None]:
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except FileNotFoundError:
            raise MediaGone("the local Bot API server's file is not on this machine") from None
        except OSError as error:
            log.error("local_file_unreadable", reason=error.strerror, remedy="let SmartTalker read the server's folder")
            raise PlatformAway("the local Bot API server's file can't be read") from error
        with file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk

    async def _from_server(self, path: str) -> AsyncGenerator[bytes, None]:
        with translated():
            async with self._http.stream("GET", f"{self._files_url}/{quote(path)}", headers=_PLAIN) as answer:
                _check_status(answer)
                async for chunk in answer.aiter_raw(_CHUNK):
                    yield chunk


def _check_status(answer: httpx.Response) -> None:
    if answer.status_code == 429:
        wait = answer.headers.get("retry-after", "")
        raise RateLimited(float(wait) if wait.isdecimal() else FLOOD_S)
    if answer.status_code in (401, 408) or answer.status_code >= 500:
        raise PlatformAway(f"the file's server says {answer.status_code}")
    if answer.status_code != 200:
        raise MediaGone(f"the file's server says {answer.status_code}")


def _too_large(remote: Mapping[str, Any]) -> SmartTalkerError:
    return TooLarge("the picture is too large") if remote.get("kind") == "photo" else refuse("too_large")
