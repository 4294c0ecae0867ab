"""The words of a voice's recording, as the ear of the render process wrote them down, and the end of the wait for them.

A task for engines first (worker.engine_tasks); the courier runs this when it has their answer, or none.
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from core.catalogue import ANY, Reference
from core.errors import NotFound, StorageError, VoiceInvalid
from core.logging import get_logger
from core.wording import checked_language, checked_words
from db import tasks
from worker.adding.listening import listen
from worker.adding.recording import RATE, load
from worker.adding.voice import tell_words
from worker.adding.words import check_fit
from worker.tasks._voice_ready import preview, ready
from worker.tasks.base import Done, Office

log = get_logger(__name__)

KIND = "transcript"
AWAITED = "awaited"
"""Of the voice task's result: `transcript` where this task was ordered."""
LEAST_CONFIDENCE = 0.5
"""Below it a model guesses: half of what it wrote, token by token, could as well have been something else."""
WRITINGS = 3
"""So often words are written where a disk is full; then the voice goes without."""


def payload(asked: Mapping[str, Any], clip: str, language: str | None) -> dict[str, Any]:
    """asked: the voice task's payload. clip: the recording's file in the voice's folder. language: None where nobody
    told."""
    order = {"do": "hear", "media": f"voices/{asked['id']}/{clip}", "language": language, "expected": asked["language"]}
    kept = {key: asked[key] for key in ("act", "id", "name", "language")}
    return {**kept, "clip": clip, "order": order}


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: as above. Of a voice or a recording that was removed meanwhile nothing is said. Raises StorageError."""
    found = _reference(office, task["payload"])
    if found is None:
        return Done()
    if task["result"] is None:
        return _without_engines(office, task, found)
    said = await asyncio.to_thread(_believed, found, task["result"].get("done") or {})
    try:
        if said is not None:
            await asyncio.to_thread(tell_words, *_place(office, task), language=said[0], transcript=said[1])
    except NotFound:
        return Done()
    except StorageError:
        if task["attempts"] < WRITINGS:
            raise
        said = None
    return _told(office, task, found.language if said is None else said[0], words=said is not None)


def _place(office: Office, task: Mapping[str, Any]) -> tuple[Path, str, str]:
    """DATA_DIR, the voice's id, the clip's name."""
    return office.settings.data_dir, task["payload"]["id"], task["payload"]["clip"]


def _reference(office: Office, payload: Mapping[str, Any]) -> Reference | None:
    """The recording, if the voice still has it."""
    try:
        references = office.catalogue.voice(payload["id"]).references.values()
    except NotFound:
        return None
    return next((each for each in references if each.clip.name == payload["clip"]), None)


def _without_engines(office: Office, task: Mapping[str, Any], found: Reference) -> Done:
    """Who waits is told that the voice is ready; its words are written down whenever an ear is there again."""
    greet = preview(office, task, found.language)

    async def write(connection: AsyncConnection) -> list[Any]:
        key = f"{KIND}:{task['id']}:later"
        number = await tasks.add(connection, KIND, task["payload"], key=key, worker=tasks.RENDER)
        return [*await greet(connection), f"task-{number}"]

    return Done(result={"id": task["payload"]["id"]}, replies=[ready(task["payload"])], write=write)


def _told(office: Office, task: Mapping[str, Any], language: str, *, words: bool) -> Done:
    voice = task["payload"]["id"]
    log.info("transcript", voice=voice, language=language, words=words)
    result = {"id": voice, "language": language, "words": words}
    return Done(result=result, replies=[ready(task["payload"])], write=preview(office, task, language))


def _believed(reference: Reference, heard: Mapping[str, Any]) -> tuple[str, str] | None:
    """Language and words; None where nothing was understood, or what was can't be what is said."""
    try:
        language, words = checked_language(heard.get("language")), checked_words(heard.get("text"))
        if words is None or language == ANY or heard["confidence"] < LEAST_CONFIDENCE:
            return None
        check_fit(words, language, _spoken_s(reference.clip))
    except (VoiceInvalid, OSError, wave.Error) as error:
        log.info("transcript_refused", error=type(error).__name__)
        return None
    return language, words


def _spoken_s(clip: Path) -> float:
    """Seconds of speech in it."""
    return listen(load(clip), RATE).spoken_s
