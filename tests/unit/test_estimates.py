"""The seconds that a turn's page is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.api.views import _eta
from bot.services import Services
from core.states import TurnState


@pytest.mark.parametrize(
    ("row", "pace", "told"),
    [
        ({"state": TurnState.QUEUED, "queue_position": 1}, 8.0, 8.0),
        ({"state": TurnState.QUEUED, "queue_position": 4}, 8.0, 32.0),
        ({"state": TurnState.QUEUED, "queue_position": 4}, None, None),
        ({"state": TurnState.QUEUED, "queue_position": 4, "paused": True}, 8.0, None),
        ({"state": TurnState.RUNNING, "queue_position": 0, "ran_s": 3}, 8.0, 5.0),
        ({"state": TurnState.RUNNING, "queue_position": 0, "ran_s": 3, "paused": True}, 8.0, 5.0),
        ({"state": TurnState.RUNNING, "queue_position": 0, "ran_s": 30}, 8.0, 0.0),
        ({"state": TurnState.DONE, "queue_position": None}, 8.0, None),
    ],
)
async def test_what_is_told(row: dict[str, Any], pace: float | None, told: float | None) -> None:
    async def seconds_a_turn() -> float | None:
        return pace

    started = datetime.now(UTC) - timedelta(seconds=row.get("ran_s", 0))
    services = cast(Services, SimpleNamespace(seconds_a_turn=seconds_a_turn))
    assert await _eta(services, {"paused": False, "started_at": started, **row}) == pytest.approx(told, abs=0.2)
