"""/admin avatar: who answers for everyone or for one, new avatars by a photo, the end of one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from bot.administration import access, avatars, naming
from bot.commands import admin_pending, choices, menus
from bot.commands.admin_status import actor
from bot.commands.base import Call
from core.catalogue import Avatar
from core.errors import Conflict, InputError, NotFound, SmartTalkerError
from core.i18n import t
from core.text import fold
from db import access as people
from db import admin

PHOTO, NAME = "admin-avatar-photo", "admin-avatar-name"
"""What is asked: the photo of a name, or the name of a photo."""
WHOM: Mapping[str, tuple[str, ...]] = {
    "everyone": ("all", "الجميع", "للجميع", "الكل", "للكل"),
    "here": ("هنا", "لي"),
}
YES = ("yes", "نعم", "أجل", "موافق")
_ADD, _REMOVE = ("add", "new", "أضف", "إضافة", "جديدة"), ("remove", "delete", "احذف", "حذف")


async def run(call: Call, argument: str) -> None:
    """`add Name`, `remove layla`, `layla everyone`, `layla here`, `layla telegram:123`, `layla`, or nothing: all."""
    word, _, rest = argument.partition(" ")
    if fold(word) in map(fold, _ADD):
        return await _add(call, rest.strip())
    if fold(word) in map(fold, _REMOVE):
        return await _remove(call, rest.strip())
    page = menus.page_of(argument)
    if page is not None:
        return await _show(call, page)
    avatar, whom = _named(call, argument)
    return await _switch(call, avatar, whom) if whom else await _offer(call, avatar)


def _named(call: Call, argument: str) -> tuple[Avatar, str]:
    """The avatar and what follows its name, which may have blanks. Raises NotFound."""
    try:
        return avatars.find(call.desk.catalogue, argument), ""
    except NotFound:
        head, _, tail = argument.rpartition(" ")
        if not head:
            raise
    return avatars.find(call.desk.catalogue, head), tail


async def _default(call: Call) -> str:
    return await avatars.default(call.connection, call.desk.catalogue, call.desk.settings.default_avatar)


async def _show(call: Call, page: int) -> None:
    everyone = list(enumerate(call.desk.catalogue.avatars(), start=1))
    shown, page, pages = menus.paged(everyone, page, call.limits)
    default = await _default(call)
    rows = [
        menus.choice(call, _line(call, "", avatar), _name(call, avatar), chosen=avatar.id == default)
        for _, avatar in shown
    ]
    call.menu("admin-avatar-menu", [*rows, *menus.turning(call, "admin avatar", page, pages)])


async def _offer(call: Call, avatar: Avatar) -> None:
    """What can be done with one."""
    offered = [("{} everyone", "admin-use-everyone"), ("{} here", "admin-use-here")]
    try:
        await avatars.check_removable(call.connection, call.desk.catalogue, avatar, **_bounds(call))
        offered.append(("remove {}", "admin-title-remove"))
    except SmartTalkerError:
        pass
    rows = [menus.choice(call, _line(call, form, avatar), t(title, call.language)) for form, title in offered]
    call.menu("admin-avatar-offer", rows, name=_name(call, avatar), id=avatar.id)


async def _switch(call: Call, avatar: Avatar, whom: str) -> None:
    known = menus.word(whom, WHOM)
    name = _name(call, avatar)
    if known == "everyone":
        await avatars.for_everyone(call.connection, actor=actor(call), avatar=avatar)
        return call.say("admin-avatar-everyone", name=name)
    targets = [call.conversation_id] if known == "here" else await _conversations(call, whom)
    await avatars.for_some(call.connection, actor=actor(call), avatar=avatar, conversations=targets)
    return call.say("admin-avatar-here" if known == "here" else "admin-avatar-some", name=name, whom=whom)


async def _conversations(call: Call, whom: str) -> list[uuid.UUID]:
    """Those of a person, else the one whose id begins so. Raises NotFound, Conflict for more than one."""
    who = access.person(whom, call.inbound.channel)
    contacts = await people.people(call.connection, who.channel, who.id)
    if contacts:
        return await people.conversations(call.connection, [contact["id"] for contact in contacts])
    found = await admin.conversations_named(call.connection, whom)
    if len(found) > 1:
        raise Conflict("two conversations begin so", message_id="error-target-ambiguous", target=whom[:64])
    if not found:
        raise NotFound("no such conversation", message_id="error-target-unknown", target=whom[:64])
    return found


async def photo(call: Call, remote: Mapping[str, Any]) -> bool:
    """A photo is a new avatar, if it has a name or gets one; a changed caption only answers the question for it."""
    pending = admin_pending.current(call) or {}
    if call.inbound.corrects and pending.get("command") != NAME:
        return True
    said = _caption(remote.get("caption") or "")
    asked = pending.get("name") if pending.get("command") == PHOTO else None
    if said or asked:
        await _begin(call, naming.names_of(said) if said else asked, remote)
    elif not call.inbound.corrects:
        await admin_pending.begin(call, NAME, remote=dict(remote))
        call.say("admin-avatar-ask-name")
    return True


def _caption(text: str) -> str:
    """The name in "Name", "/avatar add Name" or "/admin avatar add Name"; empty for any other command."""
    if not text.lstrip().startswith("/"):
        return text.strip()
    words = text.split()
    verb = next((place for place, word in enumerate(words[1:4], start=1) if fold(word) in map(fold, _ADD)), None)
    return "" if verb is None else " ".join(words[verb + 1 :])


async def named(call: Call, pending: Mapping[str, Any]) -> bool:
    """The name of the photo that came before."""
    if call.inbound.text is None:
        return _again(call, "admin-avatar-ask-name")
    await _begin(call, naming.names_of(call.inbound.text), pending["remote"])
    return True


async def wanted(call: Call, _pending: Mapping[str, Any]) -> bool:
    """Anything but the photo that was asked for."""
    return _again(call, "admin-avatar-ask-photo")


def _again(call: Call, message_id: str) -> bool:
    """What can't be answered at all has a sentence of its own."""
    if call.inbound.unsupported is None:
        call.say(message_id)
    return call.inbound.unsupported is None


async def _begin(call: Call, names: Mapping[str, str] | None, remote: Mapping[str, Any]) -> None:
    """The new avatar knows and sounds like the one that answers here."""
    template = await choices.current_avatar(call)
    if template is None or names is None:
        raise InputError("no avatar to take over from", message_id="avatar-none")
    begun = await avatars.add(
        call.connection,
        call.desk.catalogue,
        actor=actor(call),
        names=names,
        source={"channel": call.inbound.channel, "remote": dict(remote)},
        voice=call.entry.conversation["voice"] or template.voice,
        template=template.id,
        language=call.language,
        key=f"avatar:{call.entry.event}",
        conversation_id=call.conversation_id,
    )
    call.effects.tasks.append(begun.task_id)
    await admin_pending.end(call)
    call.say("admin-avatar-begun", name=names[call.language], id=begun.id, template=_name(call, template))


async def _add(call: Call, said: str) -> None:
    await admin_pending.begin(call, PHOTO, name=naming.names_of(said) if said else None)
    call.say("admin-avatar-ask-photo")


async def _remove(call: Call, argument: str) -> None:
    """Asks first."""
    try:
        avatar, tail = _named(call, argument)
    except NotFound:
        if argument:
            raise
        return await _show(call, 1)
    if fold(tail) not in map(fold, YES):
        await avatars.check_removable(call.connection, call.desk.catalogue, avatar, **_bounds(call))
        sure = menus.choice(call, _line(call, "remove {} yes", avatar), t("admin-title-yes", call.language))
        keep = menus.choice(call, "/admin avatar", t("admin-title-no", call.language))
        return call.menu("admin-avatar-sure", [sure, keep], name=_name(call, avatar), id=avatar.id)
    begun = await avatars.remove(
        call.connection,
        call.desk.catalogue,
        actor=actor(call),
        avatar=avatar,
        language=call.language,
        conversation_id=call.conversation_id,
        **_bounds(call),
    )
    call.effects.tasks.append(begun.task_id)
    return call.say("admin-removing", name=_name(call, avatar))


def _bounds(call: Call) -> dict[str, Any]:
    return {"root": call.desk.settings.data_dir, "otherwise": call.desk.settings.default_avatar}


def _name(call: Call, avatar: Avatar) -> str:
    return menus.named(avatar.name, call.language)


def _line(call: Call, form: str, avatar: Avatar) -> str:
    """`/admin avatar …` with the id in the form's place, or its number where a button can't carry the id."""
    line = f"/admin avatar {(form or '{}').format(avatar.id)}"
    if len(line.encode()) <= call.limits.choice_bytes:
        return line
    number = [each.id for each in call.desk.catalogue.avatars()].index(avatar.id) + 1
    return f"/admin avatar {(form or '{}').format(number)}"
