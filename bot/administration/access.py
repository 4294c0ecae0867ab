"""Who may use the bot, in an administrator's word."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import Forbidden, NotFound
from db import access, audit
from db.conversations import cancel_open

Admins = Collection[tuple[str, str]]
"""Settings.admin_ids."""


@dataclass(frozen=True)
class Person:
    """A person as an administrator names them: `telegram:123`, or `123` on the channel where it is said."""

    channel: str
    id: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.id}"


@dataclass(frozen=True)
class Banned:
    """running: turns whose holder is to be asked to stop; ended: how many ended at once."""

    person: Person
    running: Sequence[uuid.UUID]
    ended: int


def person(said: str, channel: str) -> Person:
    """Raises NotFound where nothing was said."""
    named, colon, rest = said.strip().partition(":")
    plain = (rest if colon else named).strip()
    # Ids and numbers are typed in either script's digits.
    found = "".join(str(int(char)) if char.isdecimal() else char for char in plain).lstrip("+")
    if not found:
        raise NotFound("nobody was named", message_id="error-person-missing")
    return Person(named.strip().lower() if colon else channel, found)


async def ban(connection: AsyncConnection, *, actor: str, who: Person, admins: Admins) -> Banned:
    """Nothing that they send is answered any more, what waits is cancelled. Raises NotFound, Forbidden for an
    administrator."""
    contacts = await _contacts(connection, who)
    names = {who.id}.union(*map(_names, contacts))
    if any((who.channel, name) in admins for name in names):
        raise Forbidden("an administrator", message_id="error-ban-admin")
    ids = [contact["id"] for contact in contacts]
    await access.grant(connection, ids, "banned")
    stopped = [await cancel_open(connection, each) for each in await access.conversations(connection, ids)]
    running = [turn_id for each in stopped for turn_id in each.running]
    ended = sum(len(each.ended) for each in stopped)
    await audit.write(connection, actor, "ban", str(who), cancelled=len(running) + ended)
    return Banned(who, running, ended)


async def allow(connection: AsyncConnection, *, actor: str, who: Person) -> bool:
    """Lifts a ban and the limit on floods; whether they were banned. Raises NotFound."""
    contacts = await _contacts(connection, who)
    await access.grant(connection, [contact["id"] for contact in contacts], "allowed")
    banned = any(contact["access"] == "banned" for contact in contacts)
    await audit.write(connection, actor, "allow", str(who), banned=banned)
    return banned


async def _contacts(connection: AsyncConnection, who: Person) -> Sequence[Mapping[str, Any]]:
    found = await access.people(connection, who.channel, who.id)
    if not found:
        raise NotFound("nobody of that id has written", message_id="error-person-unknown", person=str(who))
    return found


def _names(contact: Mapping[str, Any]) -> set[str]:
    """Every id of theirs; what they call themselves is none."""
    entries = (item for entry in contact["addresses"] or () for item in entry.items())
    addresses = (value for key, value in entries if key.endswith(access.IDS))
    return {str(name).lstrip("+") for name in (contact["external_id"], *addresses)}
