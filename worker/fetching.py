"""Media that came with a message: fetched from the platform at once, decoded in a limited process, then the turn waits
for an answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from core.decoding import decode_voice, refuse
from core.errors import (
    AccountRefused,
    ConfigurationError,
    DatabaseUnavailable,
    QueueUnavailable,
    RateLimited,
    SmartTalkerError,
)
from core.i18n import t
from core.logging import get_logger, log_context, where
from core.messages import MAX_AUDIO_BYTES, MAX_AUDIO_SECONDS
from core.storage import storage_errors
from db import fetching
from worker.renewing import renewed
from worker.tasks.base import Office

log = get_logger(__name__)

ATTEMPTS = 6
BACK_OFF_S = (1.0, 3.0, 10.0, 30.0, 60.0)
DECODERS = 2
"""Recordings decoded at once; each takes a core for a moment."""


class Fetcher:
    """One turn's media at a time for each job; several jobs side by side."""

    def __init__(self, office: Office, owner: str) -> None:
        self._office = office
        self._owner = owner
        self._decoders = asyncio.Semaphore(DECODERS)

    async def start(self) -> None:
        """Takes back what a dead process of this name had in hand; the first round rings for it."""
        await fetching.take_back(self._office.database, self._owner)

    async def fetch(self, _ctx: dict[Any, Any], turn: str) -> None:
        """Fetches what the turn waits for, unless somebody else does."""
        database, settings = self._office.database, self._office.settings
        with log_context(turn_id=turn):
            try:
                held = await fetching.claim(database, uuid.UUID(turn), self._owner, settings.lease_s)
                if held is None:
                    return
                async with renewed(lambda: fetching.renew(database, held, settings.lease_s), settings.heartbeat_s):
                    await self._hold(held)
            except (DatabaseUnavailable, QueueUnavailable) as error:
                # The lease runs out, and the reconciler rings.
                log.warning("fetch_interrupted", code=error.code)

    async def reconcile(self) -> None:
        """Rings for what nobody fetches. Raises DatabaseUnavailable, QueueUnavailable."""
        for turn_id in await fetching.waiting(self._office.database):
            await self._office.queue.ring_fetch(turn_id)

    async def _hold(self, turn: Mapping[str, Any]) -> None:
        try:
            media = await self._media(turn)
        except (DatabaseUnavailable, QueueUnavailable):
            raise
        except SmartTalkerError as error:
            return await self._not_fetched(turn, error)
        except Exception as error:
            log.error("fetch_failed", error=type(error).__name__, where=where(error))
            return await self._not_fetched(turn, SmartTalkerError(type(error).__name__))
        if await fetching.arrived(self._office.database, turn, media):
            await self._office.queue.ring_render(turn["id"])
        else:
            self._discard(turn)
        return None

    async def _media(self, turn: Mapping[str, Any]) -> str:
        """The decoded recording's name in the storage."""
        remote, storage = turn["input_remote"], self._office.storage
        if (remote.get("seconds") or 0) > MAX_AUDIO_SECONDS:
            raise refuse("too_long")
        if (remote.get("bytes") or 0) > MAX_AUDIO_BYTES:
            raise refuse("too_large")
        folder = _folder(turn)
        upload, voice = storage.path(f"{folder}/upload"), storage.path(f"{folder}/voice.wav")
        with storage_errors():
            upload.parent.mkdir(parents=True, exist_ok=True)
        try:
            await self._office.channel(turn["channel"]).fetch(remote, upload)
            async with self._decoders:
                await decode_voice(upload, voice)
        finally:
            with suppress(OSError):
                upload.unlink()
        return storage.name(voice)

    def _discard(self, turn: Mapping[str, Any]) -> None:
        """What this attempt left; the turn's folder too, unless another attempt is in it."""
        self._office.storage.remove(_folder(turn))
        with suppress(OSError):
            self._office.storage.path(str(turn["id"])).rmdir()

    async def _not_fetched(self, turn: Mapping[str, Any], error: SmartTalkerError) -> None:
        log.warning("not_fetched", code=error.code, attempt=turn["attempts"])
        # The operator acts on a refused account and on missing credentials, and the person's message is kept meanwhile.
        waits = isinstance(error, RateLimited | AccountRefused | ConfigurationError)
        if waits or (not error.permanent and turn["attempts"] < ATTEMPTS):
            delay_s = error.retry_after_s if isinstance(error, RateLimited) else back_off_s(turn["attempts"])
            await fetching.again(self._office.database, turn, delay_s, refund=waits)
            return await self._office.queue.ring_fetch(turn["id"], delay_s=delay_s)
        told = error if error.permanent else None
        message_id = told.user_message_id if told else "error-media-gone"
        args = told.args_for_user if told else {}
        notice = {"text": t(message_id, turn["spoken"], **args), "language": turn["spoken"], "id": message_id}
        why = {"code": error.code, "layer": None, "message_id": message_id, "args": args}
        self._discard(turn)
        if await fetching.failed(self._office.database, turn, why, notice):
            await self._office.queue.ring_courier(turn["conversation_id"])
        return None


def _folder(turn: Mapping[str, Any]) -> str:
    """Of the attempt, so that two never write to one file."""
    return f"{turn['id']}/heard-{turn['fence']}"


def back_off_s(attempts: int) -> float:
    """After so many attempts, the first of them 1."""
    return BACK_OFF_S[min(attempts, len(BACK_OFF_S)) - 1]
