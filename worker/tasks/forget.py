"""/delete_me: everything that is kept of a person goes, rows and files, this task's own row among them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from bot.channels.base import Chat, Outgoing
from core.errors import QueueUnavailable, StillBusy
from core.i18n import t
from core.logging import get_logger
from core.storage import Storage, storage_errors
from db import people
from db.people import Belongings, Left
from worker.tasks.base import Done, Office

log = get_logger(__name__)

WAIT_S = 15.0
"""A turn that is asked to stop ends within a few seconds; after this long the task is tried again later."""
LOOK_S = 0.25
GOODBYE_S = 50.0
NOBODY = 0
"""The tracker of what has no row in the outbox: real ones begin at 1."""


async def run(office: Office, task: Mapping[str, Any]) -> Done:
    """payload: {"contact_id", "language"}. Raises StillBusy while a turn runs or something is being sent."""
    contact_id = uuid.UUID(task["payload"]["contact_id"])
    left = await _forgotten(office, contact_id)
    deadline = asyncio.get_running_loop().time() + WAIT_S
    while isinstance(left, Left):
        if asyncio.get_running_loop().time() > deadline:
            raise StillBusy
        await _ask_to_stop(office, left)
        await asyncio.sleep(LOOK_S)
        left = await _forgotten(office, contact_id)
    log.info("person_forgotten", conversations=len(left.chats), turns=len(left.turns))
    # A beat that finds no task's row any more must not cut the goodbye off.
    goodbye = asyncio.create_task(_say_goodbye(office, task, left))
    await asyncio.shield(goodbye)
    return Done()


async def _forgotten(office: Office, contact_id: uuid.UUID) -> Left | Belongings:
    """Files before the commit: a crash in between leaves rows that name nothing, and the task comes again."""
    async with office.database.begin() as connection:
        left = await people.stop(connection, contact_id)
        if left:
            return left
        belongings = await people.belongings(connection, contact_id)
        await people.forget(connection, contact_id)
        await asyncio.to_thread(_remove, office.storage, belongings.names)
        with suppress(QueueUnavailable):
            await office.queue.forget(belongings.turns)
    return belongings


def _remove(storage: Storage, names: Iterable[str]) -> None:
    for name in names:
        with storage_errors():
            storage.remove(name)


async def _ask_to_stop(office: Office, left: Left) -> None:
    with suppress(QueueUnavailable):
        for turn_id in left.running:
            await office.queue.ask_cancel(turn_id)


async def _say_goodbye(office: Office, task: Mapping[str, Any], left: Belongings) -> None:
    """By the channel itself, since no row may stay; a goodbye that fails is no failure."""
    for row in left.chats:
        if row["id"] != task["conversation_id"]:
            continue
        language = task["payload"].get("language")
        chat = Chat(row["external_chat_id"], row["account"], row["addresses"], row["traits"], row["is_group"])
        payload = {"text": t("delete-done", language), "language": language, "id": "delete-done"}
        try:
            async with asyncio.timeout(GOODBYE_S):
                channel = office.channel(row["channel"])
                await channel.send(Outgoing(NOBODY, str(row["id"]), None, "notice", payload, chat))
        except Exception as error:
            log.warning("no_goodbye", error=type(error).__name__)
