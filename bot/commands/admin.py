"""/admin: how the service is doing, and everything that administrators can do from the chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.administration import stats as figures
from bot.commands import admin_avatars, admin_people, admin_status, admin_turn, admin_voices, menus
from bot.commands.base import Call, Handler
from core.i18n import t
from core.text import fold

Act = Callable[[Call, str], Awaitable[None]]

ACTS: Mapping[str, Act] = {
    "stats": admin_status.stats,
    "queue": admin_status.queue,
    "turn": admin_turn.show,
    "retry": admin_status.retry,
    "cancel": admin_status.cancel,
    "pause": admin_status.pause,
    "resume": admin_status.resume,
    "avatar": admin_avatars.run,
    "voice": admin_voices.run,
    "ban": admin_people.ban,
    "allow": admin_people.allow,
    "log": admin_status.log,
}
ALIASES: Mapping[str, tuple[str, ...]] = {
    "stats": ("الإحصاءات", "إحصاءات", "الحالة"),
    "queue": ("الطابور", "الانتظار", "قائمة الانتظار"),
    "turn": ("letter", "الرسالة", "رسالة"),
    "retry": ("أعد", "إعادة"),
    "cancel": ("ألغ", "إلغاء"),
    "pause": ("أوقف", "إيقاف", "توقف"),
    "resume": ("استأنف", "استئناف", "تابع"),
    "avatar": ("avatars", "الشخصية", "شخصية", "الشخصيات"),
    "voice": ("voices", "الصوت", "صوت", "الأصوات"),
    "ban": ("احظر", "حظر"),
    "allow": ("unban", "اسمح", "سماح"),
    "log": ("السجل", "سجل"),
}
_NAMES = {fold(alias): name for name in ACTS for alias in (name, *ALIASES[name])}


async def admin(call: Call) -> None:
    """`/admin act …`; alone, an overview."""
    word, _, rest = call.argument.partition(" ")
    name = _NAMES.get(fold(word))
    if name is not None:
        return await ACTS[name](call, rest.strip())
    if word:
        call.say("admin-unknown-act", act=menus.cut(word, 40))
    return await _overview(call)


async def _overview(call: Call) -> None:
    read = await figures.read(call.connection)
    shown = ("stats", "queue", "resume" if read.paused else "pause", "avatar", "voice", "log")
    rows = [menus.choice(call, f"/admin {name}", t(f"admin-title-{name}", call.language)) for name in shown]
    message_id = "admin-overview-paused" if read.paused else "admin-overview"
    call.menu(message_id, rows, waiting=read.depth, failed=sum(read.failures.values()))


ADMIN: Mapping[str, Handler] = {"admin": admin, "إدارة": admin, "الإدارة": admin}
"""Commands for administrators alone; for everyone else they do not exist."""
