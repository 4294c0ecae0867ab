"""Files that people sent, in two hops: the id gives an address for five minutes, the address with the token the
bytes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from bot.channels.whatsapp.contents import MEDIA_ID
from bot.channels.whatsapp.fields import number, prose
from bot.channels.whatsapp.graph import Graph, unseen
from core.decoding import refuse
from core.errors import AudioInvalid, MediaGone, PlatformAway, Refused, TooLarge
from core.storage import storage_errors

FETCH_S = 90.0
CHUNK = 256 * 1024
MAX_URL = 4096


class Downloads:
    """most_bytes: of one file."""

    def __init__(self, graph: Graph, most_bytes: int) -> None:
        self._graph = graph
        self._most = most_bytes

    async def fetch(self, remote: Mapping[str, Any], target: Path) -> None:
        """Writes the file, whole or not at all. Raises MediaGone, PlatformAway, RateLimited, AudioInvalid, TooLarge,
        StorageError."""
        try:
            with unseen():
                async with asyncio.timeout(FETCH_S):
                    await self._twice(remote, target)
        except BaseException:
            with suppress(OSError):
                target.unlink(missing_ok=True)
            raise

    async def _twice(self, remote: Mapping[str, Any], target: Path) -> None:
        """An address that has expired on the way is asked for once more."""
        id = remote.get("id")
        if not isinstance(id, str) or not MEDIA_ID.fullmatch(id):
            raise MediaGone("no file's id")
        for last in (False, True):
            facts = await self._facts(id)
            self._check_size(remote, number(facts.get("file_size")))
            try:
                return await self._write(remote, facts, target)
            except Refused as error:
                if last:
                    raise MediaGone(str(error)) from error

    async def _facts(self, id: str) -> dict[str, Any]:
        try:
            return await self._graph.describe(id)
        except Refused as error:
            raise MediaGone(str(error)) from error

    def _check_size(self, remote: Mapping[str, Any], size: int | None) -> None:
        if size is not None and size > self._most:
            raise _too_large(remote)

    async def _write(self, remote: Mapping[str, Any], facts: Mapping[str, Any], target: Path) -> None:
        """Raises Refused where the address does not serve (any more)."""
        announced = number(facts.get("file_size"))
        digest, size = hashlib.sha256(), 0
        async with self._graph.stream(_url(facts)) as answer:
            with storage_errors(), target.open("wb") as file:
                async for chunk in answer.aiter_raw(CHUNK):
                    size += len(chunk)
                    self._check_size(remote, size)
                    if announced is not None and size > announced:
                        raise PlatformAway("more bytes than announced")
                    digest.update(chunk)
                    file.write(chunk)
        expected = [found for found in map(_digest, (remote.get("sha256"), facts.get("sha256"))) if found]
        if any(each != digest.digest() for each in expected):
            raise PlatformAway("other bytes than announced")


def _url(facts: Mapping[str, Any]) -> str:
    """Whose host it names is checked where the request goes out. Raises Refused."""
    try:
        url = httpx.URL(prose(facts.get("url"), MAX_URL) or "")
    except httpx.InvalidURL:
        raise Refused("no address") from None
    if not url.is_absolute_url:
        raise Refused("no address")
    return str(url)


def _too_large(remote: Mapping[str, Any]) -> AudioInvalid | TooLarge:
    return TooLarge("the picture is too large") if remote.get("kind") == "photo" else refuse("too_large")


def _digest(value: Any) -> bytes | None:
    """Webhooks write SHA-256 in base64, the Graph API in hexadecimal digits."""
    if not isinstance(value, str):
        return None
    try:
        found = bytes.fromhex(value) if len(value) == 64 else base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return None
    return found if len(found) == 32 else None
