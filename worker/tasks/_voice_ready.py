"""The word that a voice is ready, and a preview of it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import avatars
from bot.administration.replies import menu
from core.kinds import LANGUAGES, Mode
from db import prepared
from db.models import Conversation
from worker.tasks.base import Office


def ready(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A row for the outbox. payload: {"act", "id", "name", "language"}: whether the voice is new or has one recording
    more, the voice, and in which language to tell."""
    voice, language = payload["id"], payload["language"]
    uses = [(f"/voice {voice}", "admin-use-here")]
    said = "admin-voice-extended" if payload["act"] == "extend" else "admin-voice-ready"
    return menu(said, language, uses, name=payload["name"][language], command=f"/voice {voice}")


def preview(
    office: Office, task: Mapping[str, Any], spoken: str
) -> Callable[[AsyncConnection], Awaitable[list[uuid.UUID]]]:
    """Writes a turn in which the conversation's avatar greets with the new voice; none where no conversation asked.

    spoken: the recording's language; a greeting there is in LANGUAGES alone, else it is in the one of what is told.
    """
    language = spoken if spoken in LANGUAGES else task["payload"]["language"]

    async def write(connection: AsyncConnection) -> list[uuid.UUID]:
        if (conversation_id := task["conversation_id"]) is None:
            return []
        chosen = await connection.scalar(select(Conversation.avatar).where(Conversation.id == conversation_id))
        speaker = chosen or await avatars.default(connection, office.catalogue, office.settings.default_avatar)
        turn = await prepared.add(
            connection,
            conversation_id,
            text=office.catalogue.avatar(speaker).persona.greeting[language],
            language=language,
            avatar=speaker,
            voice=task["payload"]["id"],
            modes=(Mode.TEXT, Mode.VOICE),
        )
        return [turn] if turn else []

    return write
