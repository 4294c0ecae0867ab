"""Avatars and voices from the command line: the services that the chat and REST use, and their task done here."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import avatars, naming, voices
from bot.administration.avatars import Begun
from bot.cli.catalogue import catalogue_of
from bot.cli.recordings import imitating
from bot.cli.serve import stopped_by_signals
from core.embedded import embedded_servers
from core.errors import InputError, NotFound
from core.i18n import t
from core.logging import configure_logging
from core.messages import MAX_AUDIO_BYTES, MAX_PHOTO_BYTES
from core.settings import Settings
from core.states import TaskState
from core.storage import Storage, storage_errors
from core.text import fold
from db import admin
from db.migrate import upgrade
from db.sessions import Database
from worker.identity import Identity
from worker.office import opened
from worker.tasking import Tasking
from worker.tasks.base import Office
from worker.tasks.transcript import AWAITED

ACTOR = "command line"
LANGUAGE = "en"
POLL_S = 0.2
DATABASE_CONNECTIONS = 2
WORDS = (
    "{speaker} agrees that this recording becomes a voice, as the operator confirms on the command line (--consent)."
)
WORDS_TO_COME = "its words are written down by the worker: at once where SmartTalker runs, else when it is started"
NO_WORDS = (
    "not all its words are known, and nothing here can write them down: tell them with --language and --transcript"
)
RESEMBLES = "eSpeak takes over no more than pitch and pace; a neural voice imitates the recording (docs/models.md)"
OTHERS = "the voice {id} has that name too; --to {id} adds a recording to that one instead"

Begin = Callable[[Office, AsyncConnection], Awaitable[Begun]]


def add_avatar(settings: Settings, photo: Path, names: Mapping[str, str], voice: str | None) -> None:
    """The default avatar lends its persona, and its voice where none is given. Raises what the photo can't be."""
    named, source = _named(names), _kept(settings, photo, MAX_PHOTO_BYTES)

    async def begin(office: Office, connection: AsyncConnection) -> Begun:
        template = await avatars.default(connection, office.catalogue, settings.default_avatar)
        speaks = voice or office.catalogue.avatar(template).voice
        return await avatars.add(
            connection,
            office.catalogue,
            actor=ACTOR,
            names=named,
            source={"file": source},
            voice=speaks,
            template=template,
            language=LANGUAGE,
            key=f"cli:{source}",
        )

    done = _run(settings, avatars.KIND, begin, source)["id"]
    print(f"avatar {done} is made: {settings.data_dir / 'avatars' / done}")


def remove_avatar(settings: Settings, avatar_id: str) -> None:
    """Whoever talks with it gets the default one. Raises NotFound, Forbidden, Conflict."""

    async def begin(office: Office, connection: AsyncConnection) -> Begun:
        return await avatars.remove(
            connection,
            office.catalogue,
            actor=ACTOR,
            avatar=office.catalogue.avatar(avatar_id),
            root=settings.data_dir,
            otherwise=settings.default_avatar,
            language=LANGUAGE,
        )

    print(f"avatar {_run(settings, avatars.KIND, begin)['id']} is removed")


@dataclass(frozen=True)
class Recording:
    """A file, who agrees to its becoming a voice, whether they do, and what is said in it, where that is known."""

    path: Path
    speaker: str
    consent: bool
    language: str = ""
    transcript: str = ""


def add_voice(settings: Settings, recording: Recording, names: Mapping[str, str], to: str) -> None:
    """to: the voice that it becomes one more recording of; else the names are a new one's. Raises what the recording
    can't be, and InputError without a consent."""
    if not recording.consent:
        raise InputError("a voice needs its speaker's consent: add --consent where the speaker has agreed")
    if not to and not names:
        raise InputError("a new voice needs a name: --name, --name-ar, or both; one more recording needs --to")
    named = {} if to else _named(names)
    source = _kept(settings, recording.path, MAX_AUDIO_BYTES)
    alike = [] if to else _alike(settings, named)

    async def begin(office: Office, connection: AsyncConnection) -> Begun:
        voice = office.catalogue.voice(to) if to else None
        who = recording.speaker or next(iter((voice.name if voice else names).values()), "The speaker")
        asked: dict[str, Any] = {
            "actor": ACTOR,
            "source": {"file": source},
            "words": WORDS.format(speaker=who),
            "language": LANGUAGE,
            "key": f"cli:{source.partition('/')[0]}",
            "spoken": recording.language,
            "transcript": recording.transcript,
        }
        if voice is not None:
            return await voices.extend(connection, voice=voice, root=settings.data_dir, **asked)
        return await voices.add(connection, office.catalogue, names=named, **asked)

    done = _run(settings, voices.KIND, begin, source)
    became = "has one more recording" if to else "is made"
    print(f"voice {done['id']} {became}: {settings.data_dir / 'voices' / done['id']}")
    for line in (*_notes(settings, done), *(OTHERS.format(id=each) for each in alike)):
        print(line)


def _alike(settings: Settings, names: Mapping[str, str]) -> list[str]:
    """The ids of added voices that have one of the names."""
    wanted = {fold(name) for name in names.values()}
    added = (voice for voice in catalogue_of(settings).voices() if voice.folder.is_relative_to(settings.data_dir))
    return [voice.id for voice in added if wanted.intersection(map(fold, voice.name.values()))]


def _notes(settings: Settings, done: Mapping[str, Any]) -> Iterator[str]:
    """What the operator should know of a recording that was taken."""
    yield from (t(voices.note_id(note), LANGUAGE) for note in done.get("notes", ()))
    if done.get("transcript") == AWAITED:
        yield WORDS_TO_COME
    elif not all(each.transcript for each in catalogue_of(settings).voice(done["id"]).references.values()):
        yield NO_WORDS
    if not imitating(settings):
        yield RESEMBLES


def remove_voice(settings: Settings, voice_id: str) -> None:
    """Raises NotFound, Forbidden, and Conflict while an avatar speaks with it."""

    async def begin(office: Office, connection: AsyncConnection) -> Begun:
        return await voices.remove(
            connection,
            office.catalogue,
            actor=ACTOR,
            voice=office.catalogue.voice(voice_id),
            root=settings.data_dir,
            language=LANGUAGE,
        )

    print(f"voice {_run(settings, voices.KIND, begin)['id']} is removed")


def _named(names: Mapping[str, str]) -> dict[str, str]:
    """Raises InputError."""
    return naming.named(names) if len(names) > 1 else naming.names_of(next(iter(names.values()), ""))


def _kept(settings: Settings, file: Path, most: int) -> str:
    """A copy in the storage, under this name: the task deletes what it worked on. Raises NotFound, InputError,
    StorageError."""
    if not file.is_file():
        raise InputError(f"{file} is not a file") if file.exists() else NotFound(f"{file} is not there")
    size = file.stat().st_size
    if not 0 < size <= most:
        raise InputError(
            f"{file} has {size / 1e6:,.0f} MB: at most {most / 1e6:,.0f} MB" if size else f"{file} is empty"
        )
    name = f"{uuid.uuid4()}/0/upload"
    with storage_errors(), Storage(settings.media_dir).writing(name) as draft:
        shutil.copyfile(file, draft)
    return name


def _run(settings: Settings, kind: str, begin: Begin, source: str | None = None) -> Mapping[str, Any]:
    """What came of it, the id of what was added or removed among it: done by this process or by a courier that was
    quicker."""
    # What went wrong is said in a sentence; the log of a task would say it once more.
    configure_logging("cli", settings.model_copy(update={"log_level": "error"}))
    try:
        with stopped_by_signals(), embedded_servers(settings) as complete:
            upgrade(complete.database_url)
            return asyncio.run(_act(complete, kind, begin))
    finally:
        if source is not None:
            Storage(settings.media_dir).remove(source.partition("/")[0])


async def _act(settings: Settings, kind: str, begin: Begin) -> Mapping[str, Any]:
    async with opened(settings, DATABASE_CONNECTIONS) as office:
        async with office.database.begin() as connection:
            begun = await begin(office, connection)
        await Tasking(office, Identity(settings.data_dir, "cli").name).task({}, str(begun.task_id))
        return {"id": begun.id, **await _ended(office.database, begun.task_id, kind)}


async def _ended(database: Database, task_id: int, kind: str) -> Mapping[str, Any]:
    """The task's result. Raises InputError with the sentence of what went wrong."""
    while True:
        async with database.begin() as connection:
            row = await admin.task(connection, task_id, (kind,))
        if row is None or row["state"] == TaskState.DONE:
            return (row and row["result"]) or {}
        if row["state"] == TaskState.FAILED:
            raise InputError(_said(row["error"] or {}))
        await asyncio.sleep(POLL_S)


def _said(error: Mapping[str, Any]) -> str:
    return t(error.get("message_id", "error-internal"), LANGUAGE, **error.get("args", {}))
