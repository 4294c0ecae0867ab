"""A child that dies while an engine draws: what the render process makes of it for the next attempt and other turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from core.errors import ChildDied
from core.queue import Queue
from core.settings import Settings
from db.sessions import Database
from tests.helpers import outbox_of, post, shared_metrics, turn_row
from worker import render
from worker.render import ATTEMPTS, Renderer


class Mortal:
    """Chooses the best engine that it may, and dies where that is one of the deadly."""

    alive, works, silent_s = True, False, 0.0

    def __init__(self, *deadly: str) -> None:
        self._deadly = deadly
        self.avoided: list[tuple[str, ...]] = []

    async def run(self, name: str, order: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        job = order["job"]
        self.avoided.append(tuple(job["avoid"]))
        engine = next(each for each in ("echomimic", "musetalk", "puppet") if each not in job["avoid"])
        cost = {"ms": 1.0, "engine": "fake", "gpu_mb": 0, "ram_mb": 0}
        if "llm" not in job["outputs"]:
            answer = {"text": "At nine.", "language": "en", "tone": "neutral"}
            yield {"kind": "output", "layer": "llm", "part": 0, "data": answer, **cost}
        shared = {"upscale": None, "why": "in_time", "budget_s": 9.0, "estimate_s": 1.0, "left_out": []}
        yield {"kind": "choice", "video": engine, **shared}
        if engine in self._deadly:
            raise ChildDied
        for kind in ("voice", "video"):
            path = Path(job["folder"]) / kind
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
            yield {"kind": kind, "path": str(path), "seconds": 1.0, "bytes": 1}
        yield {"kind": "done", "result": {}, "worn": False}

    async def kill(self) -> None: ...


async def answer(database: Database, renderer: Renderer, **message: Any) -> dict[str, Any]:
    """The row of a new turn that has ended."""
    turn_id = await post(database, "When do you open?", **message)
    for _ in range(ATTEMPTS):
        await renderer.look({}, "")
        await asyncio.gather(*renderer._later)
    return await turn_row(database, turn_id)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "BACK_OFF_S", (0.0, 0.0))


def made(database: Database, queue: Queue, folder: Path, child: Mortal) -> Renderer:
    renderer = Renderer(Settings(_env_file=None, data_dir=folder), database, queue, shared_metrics(), "r")
    known: Any = child
    renderer._child = known
    return renderer


@pytest.mark.parametrize(
    ("deadly", "avoided", "state", "notice"),
    [
        ([], [()], "rendered", None),
        (["echomimic"], [(), ("echomimic",)], "rendered", "notice-step-simpler"),
        (
            ["echomimic", "musetalk"],
            [(), ("echomimic",), ("echomimic", "musetalk")],
            "rendered",
            "notice-step-simpler",
        ),
    ],
    ids=["none", "the first", "the first two"],
)
async def test_an_attempt_does_not_die_twice_in_one_engine(
    database: Database,
    queue: Queue,
    tmp_path: Path,
    deadly: list[str],
    avoided: list[tuple[str, ...]],
    state: str,
    notice: str | None,
) -> None:
    child = Mortal(*deadly)
    row = await answer(database, made(database, queue, tmp_path, child))
    assert (row["state"], row["attempts"], child.avoided) == (state, len(avoided), avoided)
    assert [step["engine"] for step in row["steps"]] == deadly
    sent = await outbox_of(database, row["id"])
    assert [each["payload"]["id"] for each in sent if each["kind"] == "notice"] == [notice] * (notice is not None)
    assert "video" in [each["kind"] for each in sent]


async def test_other_turns_leave_it_alone_for_a_while(
    database: Database, queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Mortal("echomimic")
    renderer = made(database, queue, tmp_path, child)
    for _ in range(2):
        await answer(database, renderer)
    assert child.avoided == [(), ("echomimic",), ("echomimic",)]
    monkeypatch.setattr(render, "REST_S", 0.0)
    await answer(database, renderer)
    assert child.avoided[3:] == [(), ("echomimic",)], "it is tried again"
