"""How long a kill kept people waiting, from a log and from what reached them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from simulators.book import SentMessage
from tests.chaos.plan import SHORT, Plan
from tests.chaos.pulse import recoveries
from tests.chaos.record import Record
from tests.chaos.troubles import Happened

WALL = 1_000_000.0
KILLED = 50.0


def recovered(
    trouble: Happened, *others: Happened, made: tuple[float, ...] = (), sent: tuple[float, ...] = ()
) -> object:
    record = Record(Plan(0, SHORT, (), (), (), ()), wall=WALL, troubles=[trouble, *others])
    record.seen["telegram"] = [SentMessage(id="1", chat="1", kind="text", at=WALL + at) for at in sent]
    stamps = (datetime.fromtimestamp(WALL + at, UTC).isoformat() for at in made)
    lines = [{"event": "turn_ends", "state": "rendered", "timestamp": stamp} for stamp in stamps]
    return recoveries(record, lines, {}).get(f"back_after_{trouble.name}_s")


@pytest.mark.parametrize(
    ("name", "made", "sent", "seconds"),
    [
        ("kill_render", (49.0, 50.1, 53.5, 54.0), (50.5,), 3.5),  # 50.1: made before it died
        ("kill_courier", (50.5,), (49.9, 52.0), 2.0),
        ("kill_bot", (51.0,), (51.0,), None),  # nothing was taken any more
        ("redis_kill", (51.0,), (55.0,), 5.0),  # all of it works again when the last of it does
    ],
)
def test_it_counts_until_the_same_work_is_done_again(
    name: str, made: tuple[float, ...], sent: tuple[float, ...], seconds: float | None
) -> None:
    killed = {"killed": f"{KILLED}"} if name.startswith("kill") else {}
    trouble = Happened(name, KILLED if not killed else KILLED - 2, KILLED + 1, killed)
    assert recovered(trouble, made=made, sent=sent) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "trouble",
    [Happened("kill_render", KILLED, KILLED, {"missed": "gone"}), Happened("term_render", KILLED, KILLED)],
)
def test_what_met_nobody_or_killed_nobody_has_no_figure(trouble: Happened) -> None:
    assert recovered(trouble, made=(60.0,)) is None


def test_a_kill_before_a_step_of_the_clock_has_no_figure() -> None:
    trouble = Happened("kill_render", KILLED, KILLED + 1, {"killed": f"{KILLED}"})
    assert recovered(trouble, Happened("clock_back", 55.0, 58.0), made=(60.0,)) is None
    assert recovered(trouble, Happened("clock_back", 70.0, 73.0), made=(60.0,)) == pytest.approx(10.0)
