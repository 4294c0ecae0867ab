"""When a lease that ran out is believed to be a dead one's: its holder has had the time to renew it."""

from __future__ import annotations

import pytest

from worker.steady import Steady

LEASE_S, BEAT_S, PERIOD_S = 2.0, 0.5, 0.5


class Hours:
    """A clock of ours and the database's."""

    def __init__(self) -> None:
        self.ours, self.database = 100.0, 5_000.0

    def pass_(self, seconds: float, step: float = 0.0) -> None:
        self.ours += seconds
        self.database += seconds + step


def begin() -> tuple[Hours, Steady]:
    hours = Hours()
    return hours, Steady(LEASE_S, BEAT_S, PERIOD_S, lambda: hours.ours)


def look(hours: Hours, steady: Steady, count: int) -> None:
    for _ in range(count):
        hours.pass_(PERIOD_S)
        assert steady.heard(hours.database) == 0


def test_whoever_begins_waits_a_lease() -> None:
    hours, steady = begin()
    assert not steady.believes
    look(hours, steady, 4)
    assert not steady.believes
    look(hours, steady, 1)
    assert steady.believes


def test_nobody_is_believed_before_the_database_was_heard() -> None:
    hours, steady = begin()
    hours.pass_(10)
    assert not steady.believes


@pytest.mark.parametrize(
    ("away_s", "step_s", "told", "believes"),
    [
        (0.5, 0.0, 0.0, True),
        (1.9, 0.0, 0.0, True),
        (2.5, 0.0, 0.0, False),
        (60.0, 0.0, 0.0, False),
        (0.5, 0.3, 0.0, True),
        (0.5, 600.0, 600.0, False),
        (0.5, -600.0, -600.0, False),
        (60.0, -600.0, -600.0, False),
    ],
)
def test_a_gap_or_a_clock_that_was_set_gives_everybody_a_whole_lease(
    away_s: float, step_s: float, told: float, believes: bool
) -> None:
    hours, steady = begin()
    look(hours, steady, 6)
    hours.pass_(away_s, step_s)
    assert steady.heard(hours.database) == pytest.approx(told)
    assert steady.believes is believes
    look(hours, steady, 4)
    assert steady.believes
