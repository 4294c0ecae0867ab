"""/admin turn <id>: what became of a turn, a dead letter above all, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.administration import queue as service
from bot.commands import admin_words, menus
from bot.commands.base import Call, Choice
from core.i18n import t
from core.kinds import Layer
from core.states import ENDS, TurnEvent, TurnState, sources
from db import admin
from db.letters import Letter


async def show(call: Call, argument: str) -> None:
    """argument: the beginning of its id. Raises NotFound, Conflict."""
    letter = await service.look(call.connection, turn=argument)
    admin_words.lines_of(call, "admin-turn", _lines(letter, call.language), _choices(call, letter.row))


def _lines(letter: Letter, language: str) -> list[str]:
    row = letter.row

    def said(message_id: str, **args: Any) -> str:
        return t(message_id, language, **args)

    about = [said(f"admin-state-{row['state']}"), admin_words.age(row["age_s"], language)]
    told = " · ".join([*about, f"{row['channel']}:{row['chat']}"])
    return [
        said("admin-turn-title", turn=_short(row["id"]), told=told),
        said("admin-turn-attempts", n=row["attempts"]),
        *_ends(row, language),
        *_work(row, language),
        _sent(letter, language),
    ]


def _ends(row: Mapping[str, Any], language: str) -> list[str]:
    """Why it ended, what helps, and which turn took its place."""
    lines = []
    if row["cancel_requested"] and row["state"] not in ENDS:
        lines.append(t("admin-turn-stopping", language))
    if row["error"] is not None:
        code, layer = row["error"]["code"], row["error"].get("layer") or "none"
        lines.append(t("admin-turn-error", language, code=code, layer=layer))
        lines.append(t("admin-turn-remedy", language, code=code))
    for column in ("superseded_by", "merged_into"):
        if row[column] is not None:
            name = "merged" if column == "merged_into" else "replaced"
            lines.append(t(f"admin-turn-{name}", language, turn=_short(row[column])))
    return lines


def _work(row: Mapping[str, Any], language: str) -> list[str]:
    steps = [f"{step['layer']} {step['engine']} ({step['code']})" for step in row["steps"]]
    engines = [
        t("admin-turn-engine", language, layer=layer, engine=row["engines"][layer], seconds=_seconds(row, layer))
        for layer in Layer
        if layer in row["engines"]
    ]
    named = (("admin-turn-steps", "steps", steps), ("admin-turn-engines", "engines", engines))
    return [t(message_id, language, **{name: values}) for message_id, name, values in named if values]


def _seconds(row: Mapping[str, Any], layer: str) -> str:
    ms = row["timings_ms"].get(layer)
    return admin_words.figure(None if ms is None else ms / 1000)


def _sent(letter: Letter, language: str) -> str:
    if not letter.parts:
        return t("admin-turn-unsent", language)
    parts = [
        t("admin-turn-part", language, kind=t(f"admin-part-{kind}", language), state=t(f"admin-sent-{state}", language))
        for kind, state in letter.parts
    ]
    return t("admin-turn-sent", language, parts=parts)


def _choices(call: Call, row: Mapping[str, Any]) -> list[Choice]:
    what = None
    if row["state"] == TurnState.FAILED and row["superseded_by"] is None:
        what = "retry"
    elif row["state"] in sources(TurnEvent.CANCEL) and not row["cancel_requested"]:
        what = "cancel"
    short = _short(row["id"])
    rows = [menus.choice(call, "/admin queue", t("admin-title-queue", call.language))]
    if what is not None:
        title = t(f"admin-title-{what}", call.language, turn=short)
        rows.insert(0, menus.choice(call, f"/admin {what} {short}", title))
    return rows


def _short(turn_id: object) -> str:
    return str(turn_id)[: admin.SHORT]
