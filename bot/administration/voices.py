"""Voices: new ones, with the consent of who speaks, and the end of one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import naming
from bot.administration.avatars import Begun
from bot.administration.replies import notice
from core.catalogue import Catalogue, Localised, Voice
from core.errors import Conflict, Forbidden, NotFound
from core.wording import checked_language, checked_words
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
    spoken: str | None = None,
    transcript: str | None = None,
) -> Begun:
    """A task that makes a voice of a recording.

    names: as naming.named returns them. source: {"channel", "remote"} or {"file": a name in the storage}. words: those
    in which the actor confirmed that the speaker has agreed. language: in which the actor is answered. key: of the
    event, unique. conversation_id: whom to tell, and where the preview goes. spoken, transcript: the recording's
    language and what is said in it, None where nobody told. Raises Conflict where the key was used, VoiceInvalid for a
    language or a transcript that is none.
    """
    new = await naming.new(connection, catalogue, KIND, names)
    payload = {"act": "add", "id": new, "name": dict(names), "source": dict(source)} | _said(spoken, transcript)
    begun = await _begin(connection, payload, actor, words, language, key, conversation_id)
    await audit.write(connection, actor, "voice-add", new, name=dict(names))
    return begun


async def extend(
    connection: AsyncConnection,
    *,
    actor: str,
    voice: Voice,
    root: Path,
    source: Mapping[str, Any],
    words: str,
    language: str,
    key: str,
    conversation_id: uuid.UUID | None = None,
    spoken: str | None = None,
    transcript: str | None = None,
) -> Begun:
    """A task that adds a recording in another language to a voice that was added, or replaces one of the same.

    Its payload is that of `add` with the act "extend". Raises as `add`, and Forbidden for a shipped voice. root:
    DATA_DIR.
    """
    check_extensible(voice, root=root)
    named = {"act": "extend", "id": voice.id, "name": dict(voice.name)}
    payload = {**named, "source": dict(source)} | _said(spoken, transcript)
    begun = await _begin(connection, payload, actor, words, language, key, conversation_id)
    await audit.write(connection, actor, "voice-extend", voice.id)
    return begun


async def _begin(
    connection: AsyncConnection,
    payload: Mapping[str, Any],
    actor: str,
    words: str,
    language: str,
    key: str,
    conversation_id: uuid.UUID | None,
) -> Begun:
    """The task of a recording, and the record of its consent. Raises Conflict where the key was used."""
    asked = {**payload, "actor": actor, "language": language, "consent": _consent(actor, words)}
    task_id = await tasks.add(connection, KIND, asked, key=key, conversation_id=conversation_id)
    if task_id is None:
        raise Conflict
    await audit.write(connection, actor, "voice-consent", payload["id"], words=words, language=language)
    return Begun(payload["id"], task_id)


def check_extensible(voice: Voice, *, root: Path) -> None:
    """Raises Forbidden for a shipped one. root: DATA_DIR."""
    if not voice.folder.is_relative_to(root):
        raise Forbidden(
            f"the voice {voice.id} is shipped with SmartTalker: recordings are added to voices that were added",
            message_id="error-voice-shipped-recording",
        )


def notes(found: Iterable[str], language: str) -> list[dict[str, Any]]:
    """Rows for the outbox: what is odd about a recording that will do. found: as the task's result lists them."""
    return [notice(note_id(note), language) for note in found]


def note_id(note: str) -> str:
    """The sentence for a note of a task's result."""
    return f"voice-note-{note}"


def _consent(actor: str, words: str) -> dict[str, str]:
    """Milliseconds tell one recording's consent from another's."""
    return {"who": actor, "when": datetime.now(UTC).isoformat(timespec="milliseconds"), "words": words}


def _said(spoken: str | None, transcript: str | None) -> dict[str, str | None]:
    """Raises VoiceInvalid."""
    return {"spoken": checked_language(spoken) if spoken else None, "transcript": checked_words(transcript)}


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
