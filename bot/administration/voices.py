"""Voices: new ones, with the consent of who speaks, and the end of one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import naming
from bot.administration.avatars import Begun
from core.catalogue import Catalogue, Localised, Voice
from core.errors import Conflict, Forbidden, NotFound
from db import audit, choices, tasks

KIND = "voice"
"""The task that builds or removes one."""


def find(catalogue: Catalogue, wanted: str) -> Voice:
    """By id, name or number. Raises NotFound."""
    try:
        return catalogue.find_voice(wanted)
    except NotFound:
        raise NotFound("no voice of that name", message_id="error-voice-unknown", voice=wanted[:60]) from None


async def add(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    actor: str,
    names: Localised,
    source: Mapping[str, Any],
    words: str,
    language: str,
    key: str,
    conversation_id: uuid.UUID | None = None,
) -> Begun:
    """A task that makes a voice of a recording.

    names: as naming.named returns them. source: {"channel", "remote"} or {"file": a name in the storage}. words: those
    in which the actor confirmed that the speaker has agreed. key: of the event, unique. conversation_id: whom to tell,
    and where the preview goes. Raises Conflict where the key was used.
    """
    new = await naming.new(connection, catalogue, KIND, names)
    consent = {"who": actor, "when": datetime.now(UTC).isoformat(timespec="seconds"), "words": words}
    payload = {"act": "add", "id": new, "name": dict(names), "consent": consent}
    asked = {"source": dict(source), "actor": actor, "language": language}
    task_id = await tasks.add(connection, KIND, payload | asked, key=key, conversation_id=conversation_id)
    if task_id is None:
        raise Conflict
    await audit.write(connection, actor, "voice-consent", new, words=words, language=language)
    await audit.write(connection, actor, "voice-add", new, name=dict(names))
    return Begun(new, task_id)


def check_removable(catalogue: Catalogue, voice: Voice, *, root: Path) -> None:
    """Raises Forbidden for a shipped one, Conflict for one that an avatar speaks with. root: DATA_DIR."""
    if not voice.folder.is_relative_to(root):
        raise Forbidden(f"the voice {voice.id} is shipped with SmartTalker and stays", message_id="error-voice-shipped")
    speakers = [avatar.id for avatar in catalogue.avatars() if avatar.voice == voice.id]
    if speakers:
        raise Conflict(
            f"these avatars speak with it: {', '.join(speakers)}", message_id="error-voice-in-use", avatars=speakers
        )


async def remove(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    actor: str,
    voice: Voice,
    root: Path,
    language: str,
    conversation_id: uuid.UUID | None = None,
) -> Begun:
    """A task that removes it; who had chosen it hears each avatar's own voice at once. Raises as check_removable."""
    check_removable(catalogue, voice, root=root)
    fallen = await choices.forget_voice(connection, voice.id)
    payload = {"act": "remove", "id": voice.id, "actor": actor, "language": language}
    # A second one finds nothing left to do.
    key = f"{KIND}:remove:{uuid.uuid4()}"
    task_id = await tasks.add(connection, KIND, payload, key=key, conversation_id=conversation_id)
    assert task_id is not None
    await audit.write(connection, actor, "voice-remove", voice.id, conversations=fallen)
    return Begun(voice.id, task_id)
