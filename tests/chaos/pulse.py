"""How long a kill of a process or a server keeps people waiting: until the work that it did is done again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.chaos.plan import CHATS
from tests.chaos.record import Record
from tests.chaos.troubles import Happened

TAKEN, SENT, MADE = "taken", "sent", "made"
AFTER: Mapping[str, tuple[str, ...]] = {
    "kill_bot": (TAKEN,),
    "kill_courier": (SENT,),
    "kill_render": (MADE,),
    "kill_child": (MADE,),
    "kill_all": (TAKEN, SENT, MADE),
    "redis_kill": (TAKEN, SENT, MADE),
    "postgres_kill": (TAKEN, SENT, MADE),
}
"""What is to be done again: a message taken, an answer sent, an answer made."""
BEHIND_S = 0.3
"""What is done so soon after a kill was done before it: an answer in a socket, a line on its way to the log."""

STEPS_S = 10.0
"""A step of the clock so soon after a kill makes the log's times worthless for it."""


def recoveries(record: Record, logged: Sequence[Mapping[str, Any]], platforms: Mapping[str, Any]) -> dict[str, float]:
    """`back_after_<trouble>_s`: the longest, from the kill on. Kills while the clock stood wrong are left out, since
    the log's times are of that clock."""
    moments = {TAKEN: sorted(_taken(platforms)), SENT: sorted(_sent(record)), MADE: sorted(_made(logged))}
    found: dict[str, float] = {}
    for trouble in record.troubles:
        if trouble.name in AFTER and "missed" not in trouble.what and not _false_clock(record, trouble):
            killed = float(trouble.what.get("killed", trouble.at)) + record.wall
            back = [_first_after(moments[what], killed + BEHIND_S) for what in AFTER[trouble.name]]
            took = [each - killed for each in back if each is not None]
            name = f"back_after_{trouble.name}_s"
            if took:
                found[name] = max(found.get(name, 0.0), *took)
    return found


def _first_after(moments: Sequence[float], at: float) -> float | None:
    place = bisect_right(moments, at)
    return moments[place] if place < len(moments) else None


def _taken(platforms: Mapping[str, Any]) -> Iterator[float]:
    for platform in platforms.values():
        for attempt in platform.delivery.attempts:
            if attempt.status is not None and 200 <= attempt.status < 300:
                yield attempt.at


def _sent(record: Record) -> Iterator[float]:
    for channel in CHATS:
        yield from (message.at for message in record.seen[channel])


def _made(logged: Sequence[Mapping[str, Any]]) -> Iterator[float]:
    for line in logged:
        if line.get("event") == "turn_ends" and line.get("state") == "rendered":
            yield datetime.fromisoformat(line["timestamp"]).timestamp()


def _false_clock(record: Record, trouble: Happened) -> bool:
    clocks = [each for each in record.troubles if each.name.startswith("clock_")]
    return any(each.at - STEPS_S <= trouble.until and trouble.at <= each.until for each in clocks)
