"""The photo or the recording that a task works on: fetched from its platform, or uploaded before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core.errors import MediaGone, NotFound, SmartTalkerError
from core.storage import storage_errors
from worker.tasks.base import Office


@asynccontextmanager
async def sourced(office: Office, task: Mapping[str, Any], gone: str) -> AsyncIterator[Path]:
    """The file; deleted at the end of the block, unless the task is to be tried again and nobody can fetch it anew.

    gone: the sentence for a file that is no longer there. Raises MediaGone, and what the channel's fetch raises.
    """
    source = task["payload"]["source"]
    name = _name(task)
    try:
        if "file" not in source:
            await _fetch(office, source, name, gone)
        try:
            path = office.storage.existing(name)
        except NotFound:
            raise MediaGone("the upload is gone", message_id=gone) from None
        yield path
    except SmartTalkerError as error:
        if error.permanent:
            release(office, task)
        raise
    else:
        release(office, task)


def release(office: Office, task: Mapping[str, Any]) -> None:
    """Deletes the file of a task that has ended, if it had one."""
    if "source" in task["payload"]:
        office.storage.remove(_name(task).partition("/")[0])


def _name(task: Mapping[str, Any]) -> str:
    """In the storage."""
    source = task["payload"]["source"]
    return str(source["file"]) if "file" in source else f"task-{task['id']}/0/upload"


async def _fetch(office: Office, source: Mapping[str, Any], name: str, gone: str) -> None:
    path = office.storage.path(name)
    with storage_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        await office.channel(source["channel"]).fetch(source["remote"], path)
    except MediaGone:
        raise MediaGone("the platform no longer has it", message_id=gone) from None
