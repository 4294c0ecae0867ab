"""Telegram's rates, without waiting: the buckets' clock is turned back."""

from __future__ import annotations

import math

import pytest

from simulators.telegram.config import Rates
from simulators.telegram.limits import Bucket, Limiter
from simulators.telegram.refusals import Refused


def taken(limiter: Limiter, chat: int) -> int:
    """How many messages go before the first refusal."""
    for number in range(1000):
        try:
            limiter.send(chat)
        except Refused:
            return number
    return 1000


def test_a_bucket_fills_with_time() -> None:
    bucket = Bucket(2.0, 0.5, at=100.0)
    bucket.level = 0.0
    assert bucket.wait(1, 100.0) == 2.0
    assert bucket.wait(1, 101.0) == 1.0
    assert bucket.wait(1, 102.0) == 0.0
    assert bucket.wait(1, 500.0) == 0.0
    assert bucket.level == 2.0


@pytest.mark.parametrize(
    ("rates", "chat", "messages"),
    [
        (Rates(), 1, 5),
        (Rates(chat_burst=50), 1, 30),
        (Rates(chat_per_s=math.inf), -1, 20),
        (Rates(math.inf, math.inf, group_per_min=math.inf), -1, 1000),
    ],
)
def test_bursts_end(rates: Rates, chat: int, messages: int) -> None:
    assert taken(Limiter(rates), chat) == messages


def test_a_refusal_takes_nothing_and_names_whole_seconds() -> None:
    limiter = Limiter(Rates(chat_burst=1))
    limiter.send(1)
    for _ in range(3):
        with pytest.raises(Refused) as refusal:
            limiter.send(1)
        assert refusal.value.parameters == {"retry_after": 1}
        assert not refusal.value.invalid
    limiter.send(2)
