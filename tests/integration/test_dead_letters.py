"""Turns that kill whoever takes them: they end, the person is told, others are answered, an administrator reads why and
tries again."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ChildDied
from core.queue import Queue
from db import turns
from db.sessions import Database
from tests.helpers import outbox_of, post, rows, turn_row
from tests.integration.test_render_dying import Mortal, made
from tests.talking import Talk
from worker import render
from worker.render import ATTEMPTS

ADMINS = "telegram:1"


def chief(database: Database, queue: Queue, folder: Path, hint: str = "en") -> Talk:
    return Talk(database, queue, folder, person="1", hint=hint, admins=ADMINS)


def choices(row: dict[str, Any]) -> list[str]:
    return [choice["id"] for choice in row["payload"].get("choices", ())]


async def test_one_that_kills_the_render_process_itself_is_counted(
    database: Database, queue: Queue, tmp_path: Path
) -> None:
    """Nobody is left to count it but the claim."""
    poison = await post(database, "poison")
    behind = await post(database, "and me?", after=poison)
    other = await post(database, "and I?")
    for attempt in range(1, ATTEMPTS + 1):
        claimed = await turns.claim(database, "r", 30)
        assert claimed is not None
        assert (claimed.id, claimed.turn["attempts"]) == (poison, attempt)
        assert await turns.take_back(database, "r") == 1
    child = Mortal()
    renderer = made(database, queue, tmp_path, child)
    await renderer.look({}, "")
    row = await turn_row(database, poison)
    assert (row["state"], row["error"]["code"]) == ("failed", "worker_died")
    assert [each["payload"]["id"] for each in await outbox_of(database, poison)] == ["error-layer"]
    for turn_id in (behind, other):
        assert (await turn_row(database, turn_id))["state"] == "rendered"
    assert len(child.avoided) == 2, "the dead letter was not opened once more"


class Poisoned(Mortal):
    """Dies of a word, before it has made anything."""

    async def run(self, name: str, order: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        if "poison" in order["job"]["text"]:
            raise ChildDied
        async for report in super().run(name, order):
            yield report


async def test_a_dead_letter_is_read_and_tried_again(
    database: Database, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "BACK_OFF_S", (0.0, 0.0))
    admin, guest = chief(database, queue, tmp_path), Talk(database, queue, tmp_path, hint="en", admins=ADMINS)
    renderer = made(database, queue, tmp_path, Poisoned())
    await guest.say("a secret poison")
    await guest.say("and me?")
    for _ in range(ATTEMPTS):
        await renderer.look({}, "")
    lost, behind = await guest.turns()
    assert (lost["state"], lost["attempts"], behind["state"]) == ("failed", ATTEMPTS, "rendered")
    assert [row["payload"]["id"] for row in await outbox_of(database, lost["id"])] == ["error-layer"]
    short = str(lost["id"])[:8]
    (queued,) = await admin.say("/admin queue")
    assert f"/admin turn {short}" in choices(queued)
    (letter,) = await admin.press(f"/admin turn {short}")
    text = letter["payload"]["text"]
    for told in (short, "failed", "Attempts: \u20683\u2069", "worker_died", "What helps", "notice"):
        assert told in text
    assert "secret" not in text
    assert choices(letter) == [f"/admin retry {short}", "/admin queue"]
    await rows(database, "UPDATE turns SET input_text = 'mended' WHERE id = :id RETURNING id", id=lost["id"])
    (again,) = await admin.press(f"/admin retry {short}")
    assert again["payload"]["id"] == "admin-retried"
    await renderer.look({}, "")
    new = (await guest.turns())[-1]
    assert (new["state"], new["input_text"], new["answer"]) == ("rendered", "mended", "At nine.")
    (letter,) = await admin.say(f"/admin turn {short}")
    assert str(new["id"])[:8] in letter["payload"]["text"]
    assert choices(letter) == ["/admin queue"]


@pytest.mark.parametrize("hint", ["ar", "en"])
@pytest.mark.parametrize(
    ("columns", "offered", "told"),
    [
        ({"state": "queued"}, "cancel", []),
        ({"state": "running", "cancel_requested": True}, None, []),
        ({"state": "failed", "error": '{"code": "something_new", "layer": null}'}, "retry", ["something_new"]),
        (
            {
                "state": "done",
                "steps": '[{"layer": "tts", "engine": "voxcpm", "code": "tts_failed"}]',
                "engines": '{"tts": "espeak", "llm": "ollama"}',
                "timings_ms": '{"tts": 1234.5}',
            },
            None,
            ["tts voxcpm (tts_failed)", "espeak", "1.2", "ollama", "–"],
        ),
        ({"state": "merged", "merged_into": "0b8ce2a6-0000-4000-8000-000000000000"}, None, ["0b8ce2a6"]),
    ],
    ids=["queued", "stopping", "failed", "done", "merged"],
)
async def test_any_turn_can_be_looked_at(
    database: Database,
    queue: Queue,
    tmp_path: Path,
    hint: str,
    columns: dict[str, Any],
    offered: str | None,
    told: list[str],
) -> None:
    turn_id = await post(database, "a secret")
    written = ", ".join(f"{name} = :{name}" for name in columns)
    await rows(database, f"UPDATE turns SET {written} WHERE id = :id RETURNING id", id=turn_id, **columns)
    short = str(turn_id)[:8]
    (letter,) = await chief(database, queue, tmp_path, hint).say(f"/admin turn {short}")
    acts = [f"/admin {offered} {short}"] if offered else []
    assert choices(letter) == [*acts, "/admin queue"]
    for each in told:
        assert each in letter["payload"]["text"].replace("\u2068", "").replace("\u2069", "")
    assert "secret" not in letter["payload"]["text"]


async def test_to_everybody_else_a_turn_tells_nothing(database: Database, queue: Queue, tmp_path: Path) -> None:
    turn_id = await post(database, "a secret")
    guest = Talk(database, queue, tmp_path, hint="en", admins=ADMINS)
    (told,) = await guest.ids(f"/admin turn {turn_id}")
    assert told.startswith("unknown-command")
