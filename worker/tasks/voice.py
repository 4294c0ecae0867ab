"""A new voice from a recording, one more recording of a voice, or the end of one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration.replies import notice
from bot.administration.voices import notes
from core.catalogue import ANY
from core.errors import NotFound
from core.kinds import Layer
from db import audit, choices, tasks
from worker.adding.voice import Added, add_reference, add_voice, recording_of, remove_voice
from worker.engines.registry import dictates
from worker.tasks import transcript
from worker.tasks._source import release, sourced
from worker.tasks._voice_ready import preview, ready
from worker.tasks.base import Done, Office

AUDITED = {"add": "voice-added", "extend": "voice-extended"}


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as bot.administration.voices writes it. Raises what add_voice, add_reference, remove_voice and fetching
    raise."""
    return await (_remove if task["payload"]["act"] == "remove" else _add)(office, task)


async def _add(office: Office, task: Mapping[str, Any]) -> Done:
    """Who waits for the voice is told when its words are written down, or at once where nobody can."""
    payload, root = task["payload"], office.settings.data_dir
    added = await asyncio.to_thread(recording_of, root, payload["id"], payload["consent"])
    if added is not None:  # by an attempt that died at once
        release(office, task)
    else:
        async with sourced(office, task, "error-media-gone") as recording:
            added = await (add_voice if payload["act"] == "add" else add_reference)(
                recording,
                voice_id=payload["id"],
                root=root,
                consent=payload["consent"],
                added_by=payload["actor"],
                language=payload["spoken"],
                transcript=payload["transcript"],
                **({"name": payload["name"]} if payload["act"] == "add" else {}),
            )
    result = {"id": payload["id"], "notes": list(added.notes)}
    odd, wanted = notes(added.notes, payload["language"]), _wanted(office, added)
    greet = preview(office, task, added.language)

    async def write(connection: AsyncConnection) -> list[Any]:
        await audit.write(connection, payload["actor"], AUDITED[payload["act"]], payload["id"])
        return [await _ask(connection, task, added)] if wanted else await greet(connection)

    if wanted:
        return Done(result=result | {"transcript": transcript.AWAITED}, replies=odd, write=write)
    return Done(result=result, replies=[*odd, ready(payload)], write=write)


def _wanted(office: Office, added: Added) -> bool:
    """Whether words are missing that somebody can write down."""
    language = None if added.language == ANY else added.language
    return added.transcript is None and dictates(office.settings.engine(Layer.ASR, language))


async def _ask(connection: AsyncConnection, task: Mapping[str, Any], added: Added) -> str:
    """Orders the words of the recording; what to ring the render process for."""
    language = None if added.language == ANY else added.language
    number = await tasks.add(
        connection,
        transcript.KIND,
        transcript.payload(task["payload"], added.clip.name, language),
        key=f"{transcript.KIND}:{task['id']}",
        conversation_id=task["conversation_id"],
        worker=tasks.RENDER,
    )
    return f"task-{number}"


async def _remove(office: Office, task: Mapping[str, Any]) -> Done:
    payload = task["payload"]
    old = payload["id"]
    # An earlier attempt may have removed it already.
    with suppress(NotFound):
        await asyncio.to_thread(remove_voice, office.settings.data_dir, old)

    async def write(connection: AsyncConnection) -> list[Any]:
        """Whoever chose it in the meantime hears the avatar's own, too."""
        await choices.forget_voice(connection, old)
        await audit.write(connection, payload["actor"], "voice-removed", old)
        return []

    return Done(result={"id": old}, replies=[notice("admin-voice-gone", payload["language"], id=old)], write=write)
