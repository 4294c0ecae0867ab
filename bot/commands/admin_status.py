"""/admin stats, queue, log, retry, cancel, pause, resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.administration import queue as service
from bot.administration import stats as figures
from bot.administration.stats import Stats
from bot.commands import admin_pending, admin_words, menus
from bot.commands.base import Call, Choice
from core.i18n import t
from core.states import TurnState
from db import admin, audit

TURNS = 8
"""Of one page: with the ways back and forth as many as a list on WhatsApp has rows."""
ENTRIES = 10
RINGS = 16
"""Render workers that are woken at most when the queue goes on."""


def actor(call: Call) -> str:
    """Who acts, as the audit table names them."""
    return f"{call.inbound.channel}:{call.inbound.sender_id}"


async def stats(call: Call, _argument: str) -> None:
    read = await figures.read(call.connection)
    lines = [t("admin-stats-title", call.language), _going(call, read), *_turns(call, read), *_people(call, read)]
    admin_words.lines_of(call, "admin-stats", lines, _further(call))


def _going(call: Call, read: Stats) -> str:
    return t("admin-stats-paused" if read.paused else "admin-stats-running", call.language)


def _turns(call: Call, read: Stats) -> list[str]:
    def said(message_id: str, **args: Any) -> str:
        return t(message_id, call.language, **args)

    today = {name: admin_words.figure(value) for name, value in read.today.items()}
    states = [said("admin-stats-count", what=said(f"admin-state-{state}"), n=n) for state, n in read.states.items()]
    failures = [said("admin-stats-count", what=code, n=n) for code, n in read.failures.items()]
    return [
        said("admin-stats-queue", n=read.depth),
        *([said("admin-stats-states", states=states)] if states else []),
        said("admin-stats-today", turns=today["turns"], seconds=today["video_s"]),
        said("admin-stats-waits", median=today["median_s"], worst=today["worst_s"]),
        *([said("admin-stats-failures", failures=failures)] if failures else []),
    ]


def _people(call: Call, read: Stats) -> list[str]:
    """Channels that are switched on are named even where nobody has written yet."""
    nobody = {"known": 0, "today": 0, "banned": 0}
    channels = dict.fromkeys(("web", *call.desk.settings.channels), nobody) | dict(read.people)
    return [
        t("admin-stats-people", call.language, channel=name, **{key: str(n) for key, n in counted.items()})
        for name, counted in channels.items()
    ]


def _further(call: Call) -> list[Choice]:
    words = (("admin queue", "admin-title-queue"), ("admin log", "admin-title-log"), ("admin", "admin-title-menu"))
    return [menus.choice(call, f"/{line}", t(title, call.language)) for line, title in words]


async def queue(call: Call, argument: str) -> None:
    """Open and failed turns, a page at a time; why one has failed is told of it alone."""
    length = await admin.queue_length(call.connection)
    if not length:
        return call.say("admin-queue-empty")
    size = min(TURNS, call.limits.menu_choices - 2)
    pages = -(-length // size)
    page = min(menus.page_of(argument) or 1, pages)
    rows = await admin.queue(call.connection, size, (max(page, 1) - 1) * size)
    lines = [t("admin-queue-title", call.language, n=length), *(_line(row, call.language) for row in rows)]
    shown = [*(_act(call, row) for row in rows), *menus.turning(call, "admin queue", max(page, 1), pages)]
    admin_words.lines_of(call, "admin-queue", lines, shown)
    return None


def _line(row: Mapping[str, Any], language: str) -> str:
    state = t(f"admin-state-{row['state']}", language)
    why = row["code"] if row["state"] == TurnState.FAILED else row["layer"]
    parts = [state, *([why] if why else []), admin_words.age(row["age_s"], language), f"{row['channel']}:{row['chat']}"]
    return t("admin-queue-line", language, turn=_short(row), told=" · ".join(parts))


def _act(call: Call, row: Mapping[str, Any]) -> Choice:
    what = "turn" if row["state"] == TurnState.FAILED else "cancel"
    title = t(f"admin-title-{what}", call.language, turn=_short(row))
    return menus.choice(call, f"/admin {what} {_short(row)}", title)


def _short(row: Mapping[str, Any]) -> str:
    return str(row["id"])[: admin.SHORT]


async def retry(call: Call, argument: str) -> None:
    again = await service.retry(call.connection, call.desk.storage, actor=actor(call), turn=argument)
    (call.effects.fetches if again.fetch else call.effects.renders).append(again.id)
    call.say("admin-retried", turn=str(again.id)[: admin.SHORT])


async def cancel(call: Call, argument: str) -> None:
    """Without an id it leaves what was begun."""
    if not argument:
        left = admin_pending.current(call) is not None
        await admin_pending.end(call)
        return call.say("admin-left" if left else "admin-nothing-to-leave")
    cancelled = await service.cancel(call.connection, actor=actor(call), turn=argument)
    if cancelled.running:
        call.effects.cancels.append(cancelled.id)
    else:
        # A later turn of the conversation may be claimable now.
        call.effects.renders.append(cancelled.id)
    return call.say("admin-cancelled", turn=str(cancelled.id)[: admin.SHORT])


async def pause(call: Call, _argument: str) -> None:
    new = await service.pause(call.connection, actor=actor(call))
    resumed = menus.choice(call, "/admin resume", t("admin-title-resume", call.language))
    call.menu("admin-paused" if new else "admin-paused-already", [resumed])


async def resume(call: Call, _argument: str) -> None:
    if not await service.resume(call.connection, actor=actor(call)):
        return call.say("admin-not-paused")
    call.effects.renders += await admin.waiting(call.connection, RINGS)
    return call.say("admin-resumed", n=await admin.queue_length(call.connection))


async def log(call: Call, _argument: str) -> None:
    rows = await audit.newest(call.connection, ENTRIES)
    if not rows:
        return call.say("admin-log-empty")
    lines = [t("admin-log-title", call.language), *(admin_words.act(row, call.language) for row in rows)]
    return admin_words.lines_of(call, "admin-log", lines)
