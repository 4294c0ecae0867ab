"""/emotion: whether the bot reads emotion from words."""

from __future__ import annotations

from bot.commands import choices, menus
from bot.commands.base import Call
from core.i18n import t

SWITCH = {
    "on": ("yes", "true", "1", "تشغيل", "شغل", "نعم", "مفعل", "تفعيل"),
    "off": ("no", "false", "0", "stop", "إيقاف", "أوقف", "وقف", "لا", "تعطيل", "إلغاء"),
}


async def run(call: Call) -> None:
    """`/emotion` says what it does and asks; `on` and `off` switch it."""
    asked = menus.word(call.argument, SWITCH)
    if asked is not None:
        await choices.choose(call, emotion_enabled=asked == "on")
        return call.say(f"emotion-{asked}")
    now = "on" if call.entry.conversation["emotion_enabled"] else "off"
    rows = [
        menus.choice(call, f"/emotion {each}", t(f"switch-{each}", call.language), chosen=each == now)
        for each in ("on", "off")
    ]
    return call.menu("emotion-unknown" if call.argument else "emotion-menu", rows)
