"""How long messages are kept, in words."""

from __future__ import annotations

import math

from bot.commands.base import Call
from core.i18n import t


def kept_for(call: Call) -> str:
    """A part of a sentence, in the conversation's language: "for 90 days at most, …". Less than a day is one."""
    return t("kept-for", call.language, days=math.ceil(call.desk.settings.retention_days))
