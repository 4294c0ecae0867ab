"""The life of a turn: which event takes it from which state to which. `docs/architecture.md` shows the same table."""

from __future__ import annotations

from enum import StrEnum


class TurnState(StrEnum):
    """received → queued → running → rendered → done, or one of four other ends."""

    RECEIVED = "received"
    QUEUED = "queued"
    RUNNING = "running"
    RENDERED = "rendered"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    MERGED = "merged"


class TurnEvent(StrEnum):
    """What can happen to a turn."""

    MEDIA_READY = "media_ready"
    CLAIM = "claim"
    REQUEUE = "requeue"
    RENDER = "render"
    DELIVER = "deliver"
    FAIL = "fail"
    CANCEL = "cancel"
    SUPERSEDE = "supersede"
    MERGE = "merge"


_S, _E = TurnState, TurnEvent

TRANSITIONS: dict[tuple[TurnState, TurnEvent], TurnState] = {
    (_S.RECEIVED, _E.MEDIA_READY): _S.QUEUED,
    (_S.RECEIVED, _E.FAIL): _S.FAILED,
    (_S.RECEIVED, _E.CANCEL): _S.CANCELLED,
    (_S.RECEIVED, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.QUEUED, _E.CLAIM): _S.RUNNING,
    (_S.QUEUED, _E.FAIL): _S.FAILED,
    (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
    (_S.QUEUED, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.QUEUED, _E.MERGE): _S.MERGED,
    (_S.RUNNING, _E.REQUEUE): _S.QUEUED,
    (_S.RUNNING, _E.RENDER): _S.RENDERED,
    (_S.RUNNING, _E.FAIL): _S.FAILED,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.SUPERSEDE): _S.SUPERSEDED,
    (_S.RENDERED, _E.DELIVER): _S.DONE,
    (_S.RENDERED, _E.FAIL): _S.FAILED,
    (_S.RENDERED, _E.CANCEL): _S.CANCELLED,
}
"""Any pair that is not here leaves the turn as it is."""

BEFORE_RENDERED = (TurnState.RECEIVED, TurnState.QUEUED, TurnState.RUNNING)
"""While an earlier turn of the conversation is in one of these, a later one waits."""

ENDS = (TurnState.DONE, TurnState.FAILED, TurnState.CANCELLED, TurnState.SUPERSEDED, TurnState.MERGED)


def sources(event: TurnEvent) -> tuple[TurnState, ...]:
    """The states in which the event changes something: the WHERE of every UPDATE that carries it out."""
    return tuple(state for (state, happens) in TRANSITIONS if happens is event)


class OutboxState(StrEnum):
    """A row of the outbox. `unknown`: a crash or time-out inside the send call hid the outcome."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"
    UNKNOWN = "unknown"


OPEN = (OutboxState.PENDING, OutboxState.SENDING)
"""Rows that still hold back those of later turns."""


class TaskState(StrEnum):
    """Work that is not a turn: a rig, a voice check, an idle loop, an export."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
