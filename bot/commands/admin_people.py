"""/admin ban and allow."""

from __future__ import annotations

from bot.administration import access
from bot.commands.admin_status import actor
from bot.commands.base import Call


async def ban(call: Call, argument: str) -> None:
    who = access.person(argument, call.inbound.channel)
    banned = await access.ban(call.connection, actor=actor(call), who=who, admins=call.desk.settings.admin_ids)
    call.effects.cancels += banned.running
    call.say("admin-banned", person=str(who))


async def allow(call: Call, argument: str) -> None:
    who = access.person(argument, call.inbound.channel)
    lifted = await access.allow(call.connection, actor=actor(call), who=who)
    call.say("admin-unbanned" if lifted else "admin-allowed", person=str(who))
