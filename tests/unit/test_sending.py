"""What each error of a send means for its row."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.base import Limits
from core.errors import (
    ConfigurationError,
    NotFound,
    OutcomeUnknown,
    PlatformAway,
    QueueUnavailable,
    RateLimited,
    Refused,
    SmartTalkerError,
    StorageError,
    Unreachable,
    WindowClosed,
)
from core.logging import where
from core.settings import HOME
from core.states import OutboxState as S
from db.outbox import Verdict
from db.overlooked import STATUS_S
from worker.sending import ATTEMPTS, BUG_ATTEMPTS, CLOSED_S, Bug, back_off_s, judge

PLAIN, TRACKS = Limits(), Limits(tracks=True)
AGAIN: dict[str, Any] = {"repeated": True}


@pytest.mark.parametrize(
    ("error", "attempts", "payload", "limits", "verdict"),
    [
        (RateLimited(7.5), 1, {}, PLAIN, Verdict(S.PENDING, "rate_limited", 7.5, refund=True)),
        (RateLimited(0), ATTEMPTS, {}, PLAIN, Verdict(S.PENDING, "rate_limited", 0.1, refund=True)),
        (PlatformAway(), 1, {}, PLAIN, Verdict(S.PENDING, "platform_away", 2.0)),
        (PlatformAway(), 5, AGAIN, TRACKS, Verdict(S.PENDING, "platform_away", 32.0)),
        (PlatformAway(), ATTEMPTS - 1, {}, PLAIN, Verdict(S.PENDING, "platform_away", 60.0)),
        (PlatformAway(), ATTEMPTS, {}, PLAIN, Verdict(S.FAILED, "platform_away")),
        (QueueUnavailable(), 2, {}, PLAIN, Verdict(S.PENDING, "queue_unavailable", 4.0)),
        (StorageError(), 3, {}, PLAIN, Verdict(S.PENDING, "storage", 8.0)),
        (Bug(), BUG_ATTEMPTS - 1, {}, PLAIN, Verdict(S.PENDING, "channel_bug", 8.0)),
        (Bug(), BUG_ATTEMPTS, {}, PLAIN, Verdict(S.FAILED, "channel_bug")),
        (OutcomeUnknown(), 1, {}, PLAIN, Verdict(S.PENDING, "outcome_unknown", 2.0, repeat=True)),
        (OutcomeUnknown(), 1, {}, TRACKS, Verdict(S.PENDING, "outcome_unknown", STATUS_S, repeat=True)),
        (OutcomeUnknown(), 2, AGAIN, TRACKS, Verdict(S.UNKNOWN, "outcome_unknown")),
        (OutcomeUnknown(), 2, AGAIN, PLAIN, Verdict(S.UNKNOWN, "outcome_unknown")),
        (WindowClosed(), 1, {}, TRACKS, Verdict(S.HELD, "window_closed")),
        (Unreachable(), 1, {}, PLAIN, Verdict(S.FAILED, "unreachable")),
        (Refused(), 1, {}, PLAIN, Verdict(S.FAILED, "refused")),
        (NotFound(), 1, {}, PLAIN, Verdict(S.FAILED, "not_found")),
        (ConfigurationError(), 99, {}, PLAIN, Verdict(S.PENDING, "configuration", CLOSED_S, refund=True)),
    ],
)
def test_verdicts(
    error: SmartTalkerError, attempts: int, payload: dict[str, Any], limits: Limits, verdict: Verdict
) -> None:
    assert judge(error, {"attempts": attempts, "payload": payload}, limits) == verdict


def test_an_absent_platform_is_waited_for_ten_minutes() -> None:
    waits = [back_off_s(attempt) for attempt in range(1, ATTEMPTS)]
    assert waits[:6] == [2, 4, 8, 16, 32, 60]
    assert 540 <= sum(waits) <= 660


def test_where_an_error_came_from_is_told_without_its_words() -> None:
    def fails() -> None:
        raise ValueError("https://api.example/bot123:SECRET/sendMessage")

    try:
        fails()
    except ValueError as error:
        frames = where(error)
    assert frames[-1].startswith("tests/unit/test_sending.py:")
    assert frames[-1].endswith(" fails")
    assert "SECRET" not in str(frames)
    assert str(HOME) not in str(frames)
