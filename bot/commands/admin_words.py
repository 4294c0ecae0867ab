"""How administrators are told of things: lines, ages, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.commands.base import Call, Choice
from core.i18n import message_ids, t

MENU_TEXT = 1000
"""Characters above a menu: an interactive message's body on WhatsApp has 1,024 (its list of limits), marks of direction
among them."""


def lines_of(call: Call, message_id: str, lines: Sequence[str], choices: Sequence[Choice] = ()) -> None:
    """A notice, or a menu where there are choices, of lines that are localised already; what is too long to stand above
    a menu goes ahead of it."""
    text = "\n".join(lines)
    if not choices or len(text) > MENU_TEXT:
        call.send("notice", text=text, id=message_id)
        text = lines[0]
    if not choices:
        return None
    rows = [{"id": each.id, "title": each.title, "description": each.description} for each in choices]
    shown = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return call.send("menu", text=text, id=message_id, button=t("menu-button", call.language), choices=shown)


def age(seconds: float, language: str) -> str:
    """ "5 minutes", in the largest unit that it fills."""
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= length:
            return t(f"admin-age-{unit}", language, n=int(seconds // length))
    return t("admin-age-seconds", language, n=int(max(seconds, 0)))


def figure(value: float | None) -> str:
    """At most one decimal place; a dash for what is not known."""
    return "–" if value is None else f"{value:.1f}".removesuffix(".0")


def act(row: Mapping[str, Any], language: str) -> str:
    """A line of the log."""
    known = f"admin-act-{row['act']}"
    told = t(known, language) if known in message_ids(language) else row["act"]
    shown = [f"{row['at']:%Y-%m-%d %H:%M}", t("admin-log-line", language, actor=row["actor"], act=told)]
    return " · ".join([*shown, *([t("admin-log-target", language, target=row["target"])] if row["target"] else [])])
