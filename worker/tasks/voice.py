"""A new voice from a recording, with a preview of it; or the end of one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import avatars
from bot.administration.replies import menu, notice
from core.errors import NotFound
from core.kinds import Mode
from db import audit, choices, prepared
from db.models import Conversation
from worker.adding.voice import add_voice, remove_voice
from worker.tasks._source import sourced
from worker.tasks.base import Done, Office


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as bot.administration.voices writes it. Raises what add_voice, remove_voice and fetching raise."""
    return await (_remove if task["payload"]["act"] == "remove" else _add)(office, task)


async def _add(office: Office, task: Mapping[str, Any]) -> Done:
    payload = task["payload"]
    new, language = payload["id"], payload["language"]
    if not _known(office, new):
        async with sourced(office, task, "error-media-gone") as recording:
            await add_voice(
                recording,
                voice_id=new,
                name=payload["name"],
                root=office.settings.data_dir,
                consent=payload["consent"],
                added_by=payload["actor"],
            )
    uses = [(f"/voice {new}", "admin-use-here")]
    told = menu("admin-voice-ready", language, uses, name=payload["name"][language], command=f"/voice {new}")

    async def write(connection: AsyncConnection) -> list[uuid.UUID]:
        await audit.write(connection, payload["actor"], "voice-added", new)
        if task["conversation_id"] is None:
            return []
        return await _preview(office, connection, task["conversation_id"], new, language)

    return Done(result={"id": new}, replies=[told], write=write)


async def _preview(
    office: Office, connection: AsyncConnection, conversation_id: uuid.UUID, voice: str, language: str
) -> list[uuid.UUID]:
    """The conversation's avatar greets with the new voice."""
    chosen = await connection.scalar(select(Conversation.avatar).where(Conversation.id == conversation_id))
    speaker = chosen or await avatars.default(connection, office.catalogue, office.settings.default_avatar)
    preview = await prepared.add(
        connection,
        conversation_id,
        text=office.catalogue.avatar(speaker).persona.greeting[language],
        language=language,
        avatar=speaker,
        voice=voice,
        modes=(Mode.TEXT, Mode.VOICE),
    )
    return [preview] if preview else []


def _known(office: Office, voice: str) -> bool:
    """Whether an earlier attempt has made it: until the task ends, its id is nobody else's."""
    try:
        office.catalogue.voice(voice)
    except NotFound:
        return False
    return True


async def _remove(office: Office, task: Mapping[str, Any]) -> Done:
    payload = task["payload"]
    old = payload["id"]
    # An earlier attempt may have removed it already.
    with suppress(NotFound):
        await asyncio.to_thread(remove_voice, office.settings.data_dir, old)

    async def write(connection: AsyncConnection) -> list[uuid.UUID]:
        """Whoever chose it in the meantime hears the avatar's own, too."""
        await choices.forget_voice(connection, old)
        await audit.write(connection, payload["actor"], "voice-removed", old)
        return []

    return Done(result={"id": old}, replies=[notice("admin-voice-gone", payload["language"], id=old)], write=write)
