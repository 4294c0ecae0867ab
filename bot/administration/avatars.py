"""Avatars: for everyone, for one conversation, new ones, and the end of one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.administration import naming
from core.catalogue import Avatar, Catalogue, Localised
from core.errors import Conflict, Forbidden, NotFound
from db import audit, choices, switches, tasks

KIND = "avatar"
"""The task that builds or removes one."""


@dataclass(frozen=True)
class Begun:
    """What is being added or removed, and the task that does it, to be rung for."""

    id: str
    task_id: int


def find(catalogue: Catalogue, wanted: str) -> Avatar:
    """By id, name or number. Raises NotFound."""
    try:
        return catalogue.find_avatar(wanted)
    except NotFound:
        raise NotFound("no avatar of that name", message_id="error-avatar-unknown", avatar=wanted[:60]) from None


async def default(connection: AsyncConnection, catalogue: Catalogue, otherwise: str) -> str:
    """Who answers where none is chosen. otherwise: the setting."""
    switched = await switches.get(connection, switches.DEFAULT_AVATAR)
    known = {avatar.id for avatar in catalogue.avatars()}
    return switched if switched in known else otherwise


async def for_everyone(connection: AsyncConnection, *, actor: str, avatar: Avatar) -> int:
    """Who answers everywhere from now on, whatever was chosen; how many conversations had chosen."""
    await switches.turn_on(connection, switches.DEFAULT_AVATAR, avatar.id)
    cleared = await choices.clear_avatars(connection)
    await audit.write(connection, actor, "avatar-everyone", avatar.id, conversations=cleared)
    return cleared


async def for_some(
    connection: AsyncConnection, *, actor: str, avatar: Avatar, conversations: Sequence[uuid.UUID]
) -> int:
    """How many conversations it is now the choice of. Raises NotFound where there are none."""
    chosen = await choices.choose_avatar(connection, conversations, avatar.id)
    if not chosen:
        raise NotFound("no such conversation", message_id="error-target-unknown")
    await audit.write(connection, actor, "avatar-one", avatar.id, conversations=[str(each) for each in conversations])
    return chosen


async def add(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    actor: str,
    names: Localised,
    source: Mapping[str, Any],
    voice: str,
    template: str,
    language: str,
    key: str,
    conversation_id: uuid.UUID | None = None,
) -> Begun:
    """A task that makes an avatar of a photo.

    names: as naming.named returns them. source: {"channel", "remote"} or {"file": a name in the storage}. voice: the
    avatar's own. template: whose persona it takes over. key: of the event, unique. conversation_id: whom to tell, and
    where the preview goes. Raises NotFound for a voice or a template that is not there, Conflict where the key was
    used.
    """
    catalogue.voice(voice)
    catalogue.avatar(template)
    new = await naming.new(connection, catalogue, KIND, names)
    payload = {"act": "add", "id": new, "name": dict(names), "voice": voice, "template": template}
    asked = {"source": dict(source), "actor": actor, "language": language}
    task_id = await tasks.add(connection, KIND, payload | asked, key=key, conversation_id=conversation_id)
    if task_id is None:
        raise Conflict
    await audit.write(connection, actor, "avatar-add", new, name=dict(names), voice=voice)
    return Begun(new, task_id)


async def check_removable(
    connection: AsyncConnection, catalogue: Catalogue, avatar: Avatar, *, root: Path, otherwise: str
) -> None:
    """Raises Forbidden for a shipped one, Conflict for the default one. root: DATA_DIR."""
    if not avatar.folder.is_relative_to(root):
        raise Forbidden(
            f"the avatar {avatar.id} is shipped with SmartTalker and stays", message_id="error-avatar-shipped"
        )
    if avatar.id in (await default(connection, catalogue, otherwise), otherwise):
        raise Conflict(
            f"{avatar.id} is the default avatar: make another one that first", message_id="error-avatar-default"
        )


async def remove(
    connection: AsyncConnection,
    catalogue: Catalogue,
    *,
    actor: str,
    avatar: Avatar,
    root: Path,
    otherwise: str,
    language: str,
    conversation_id: uuid.UUID | None = None,
) -> Begun:
    """A task that removes it; who had chosen it falls back to the default at once. Raises as check_removable."""
    await check_removable(connection, catalogue, avatar, root=root, otherwise=otherwise)
    instead = await default(connection, catalogue, otherwise)
    fallen = await choices.forget_avatar(connection, avatar.id, instead)
    payload = {"act": "remove", "id": avatar.id, "instead": instead, "actor": actor, "language": language}
    # A second one finds nothing left to do.
    key = f"{KIND}:remove:{uuid.uuid4()}"
    task_id = await tasks.add(connection, KIND, payload, key=key, conversation_id=conversation_id)
    assert task_id is not None
    await audit.write(connection, actor, "avatar-remove", avatar.id, conversations=fallen)
    return Begun(avatar.id, task_id)
