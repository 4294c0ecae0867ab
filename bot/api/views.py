"""Turns and conversations as the outside sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.services import Services
from core.i18n import t
from core.kinds import Layer
from core.states import ENDS, TurnState
from core.storage import expiry, sign

TIMINGS = (*(layer.value for layer in Layer), "total")
LIVE_S = 0.3
"""How long Redis may take to tell what is live."""

Row = Mapping[str, Any]


async def turn_object(services: Services, row: Row) -> dict[str, Any]:
    """The object of REST and WebSocket alike."""
    live = await _live(services, row)
    return {
        "turn_id": str(row["id"]),
        "conversation_id": str(row["conversation_id"]),
        "seq": row["seq"],
        "state": row["state"],
        "merged_into": str(row["merged_into"]) if row["merged_into"] is not None else None,
        "layer": live.get("layer") or row["layer"],
        "progress": _progress(row, live),
        "queue_position": row["queue_position"],
        "eta_s": await _eta(services, row),
        "input": "text" if row["input_text"] is not None else "voice",
        "transcript": row["input_text"] if row["input_text"] is not None else row["transcript"],
        "language": row["answer_language"] or row["language"],
        "emotion": row["emotion"],
        "avatar": row["avatar"],
        "text": row["answer"] if row["answer"] is not None else live.get("text"),
        "audio_url": _url(services, row, "audio"),
        "video_url": _url(services, row, "video"),
        "media_removed": row["media_removed_at"] is not None and (row["audio"] or row["video"]) is not None,
        "engines": row["engines"],
        "timings_ms": {name: row["timings_ms"].get(name) for name in TIMINGS},
        "memory_mb": row["memory_mb"],
        "steps": row["steps"],
        "choice": row["choice"],
        "error": _error(row),
        "created_at": row["created_at"].isoformat(),
    }


async def turn_objects(services: Services, rows: list[Row]) -> list[dict[str, Any]]:
    return [await turn_object(services, row) for row in rows]


def conversation_object(row: Row, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """A conversation's choices (None: the default) and its newest turns, oldest first."""
    return {
        "conversation_id": str(row["id"]),
        "avatar": row["avatar"],
        "voice": row["voice"],
        "language": row["language"],
        "modes": row["modes"],
        "emotion_enabled": row["emotion_enabled"],
        "created_at": row["created_at"].isoformat(),
        "turns": turns,
    }


async def _live(services: Services, row: Row) -> dict[str, Any]:
    """What no table holds, while the turn runs; empty where Redis is away or slow."""
    if row["state"] != TurnState.RUNNING:
        return {}
    try:
        async with asyncio.timeout(LIVE_S):
            return await services.queue.live(row["id"])
    except TimeoutError:
        return {}


def _progress(row: Row, live: Mapping[str, Any]) -> float | None:
    """0 … 1 of the layer at work; 1 when the answer is there, None for one that ended without."""
    if row["state"] in (TurnState.RENDERED, TurnState.DONE):
        return 1.0
    if row["state"] in ENDS:
        return None
    return float(live.get("progress") or 0.0)


async def _eta(services: Services, row: Row) -> float | None:
    """Seconds until the answer is there, by the mean time of the newest turns; None where nothing tells, as of what
    waits while rendering is paused."""
    if row["queue_position"] is None or (row["paused"] and row["state"] == TurnState.QUEUED):
        return None
    pace = await services.seconds_a_turn()
    if pace is None:
        return None
    if row["state"] == TurnState.RUNNING and row["started_at"] is not None:
        elapsed: float = (datetime.now(UTC) - row["started_at"]).total_seconds()
        return round(max(0.0, pace - elapsed), 1)
    return round(pace * max(1, int(row["queue_position"])), 1)


def _url(services: Services, row: Row, kind: str) -> str | None:
    if row[kind] is None or row["media_removed_at"] is not None:
        return None
    name = row[kind]["path"]
    base = services.settings.public_url.rstrip("/")
    return f"{base}/api/v1/media/{name}?{sign(name, services.media_key, expiry())}"


def _error(row: Row) -> dict[str, Any] | None:
    """The stored error with its sentence in the answer's language."""
    error = row["error"]
    if error is None:
        return None
    language = row["answer_language"] or row["language"]
    message = error.get("message") or t(error.get("message_id", "error-layer"), language, **(error.get("args") or {}))
    return {"code": error["code"], "layer": error.get("layer"), "message": message}
