"""/avatar: who answers."""

from __future__ import annotations

import asyncio

from bot.commands import choices, menus, pictures
from bot.commands.base import Call, Choice
from core.catalogue import Avatar
from core.errors import NotFound


async def run(call: Call) -> None:
    """`/avatar` shows all, with their pictures; `/avatar layla`, `/avatar ليلى`, `/avatar ٢` choose one."""
    page = menus.page_of(call.argument)
    if page is not None:
        return await _show(call, "avatar-menu", page)
    try:
        avatar = call.desk.catalogue.find_avatar(call.argument)
    except NotFound:
        return await _show(call, "avatar-unknown", 1)
    await choices.choose(call, avatar=avatar.id)
    call.say(
        "avatar-chosen",
        name=menus.named(avatar.name, call.language),
        business=menus.named(avatar.persona.business, call.language),
    )
    return None


async def _show(call: Call, message_id: str, page: int) -> None:
    everyone = list(enumerate(call.desk.catalogue.avatars(), start=1))
    if not everyone:
        return call.say("avatar-none")
    shown, page, pages = menus.paged(everyone, page, call.limits)
    current = await choices.current_avatar(call)
    await asyncio.to_thread(lambda: [avatar.persona for _, avatar in shown])  # a file of 80 kB each, once
    rows = [_choice(call, number, avatar, current) for number, avatar in shown]
    picture = await pictures.of_avatars(call.desk.storage, shown, call.language)
    return call.menu(message_id, [*rows, *menus.turning(call, "avatar", page, pages)], picture=picture)


def _choice(call: Call, number: int, avatar: Avatar, current: Avatar | None) -> Choice:
    return menus.choice(
        call,
        menus.line_for(call, "avatar", avatar.id, number),
        f"{number}. {menus.named(avatar.name, call.language)}",
        chosen=current is not None and avatar.id == current.id,
        description=menus.named(avatar.persona.business, call.language),
    )
