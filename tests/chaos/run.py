"""One seed from its plan to its verdict."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from starlette.requests import ClientDisconnect

from core.errors import DatabaseUnavailable
from db.sessions import Database
from tests.chaos import record as recording
from tests.chaos.people import People
from tests.chaos.plan import CHATS, Plan, Shape, Trial, drawn, family_of
from tests.chaos.pulse import recoveries
from tests.chaos.record import Record
from tests.chaos.troubles import TROUBLES, Happened
from tests.chaos.verdict import Broken, judge, marked
from tests.chaos.watch import Watch
from tests.chaos.whole import LEASE_S, RECONCILE_S, Whole
from tests.helpers import rows

SETTLE_S = 90.0
"""After the last trouble something must end in every so many seconds: a send that nobody answers is given up after
45 s, and what became of it is waited for 15 s more; a platform that was away is tried again after up to 32 s."""
LONGEST_S = 300.0
QUIET_S = 2.0
"""All must be quiet for so long."""
LOOK_S = 0.25
TRIES, AGAIN_S = 3, 2.0
TOGETHER = ("bot", "courier", "render")
"""`kill_all` kills these at once."""
_OPEN = """
SELECT (SELECT count(*) FROM turns WHERE ended_at IS NULL OR state IN ('received', 'queued', 'running', 'rendered'))
     + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending'))
     + (SELECT count(*) FROM tasks WHERE state IN ('queued', 'running')) AS n
"""


@dataclass
class Outcome:
    """figures: flat, of this seed."""

    plan: Plan
    record: Record
    broken: list[Broken]
    figures: dict[str, float] = field(default_factory=dict)


async def run(seed: int, shape: Shape, folder: Path, only: Collection[str] = ("",)) -> Outcome:
    """only: how the names of troubles begin that may happen."""
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    began = time.monotonic()
    async with Whole(folder, tts="fake-brief") as whole:
        plan = drawn(seed, shape, {name for name in _possible(whole) if name.startswith(tuple(only))})
        record = await _lived(plan, whole, folder)
    record.figures["seconds"] = round(time.monotonic() - began, 1)
    broken = judge(record)
    return Outcome(plan, record, broken, figures(record, broken))


def _is_news(line: logging.LogRecord) -> bool:
    """That a courier was killed in the middle of a request is none to the platform."""
    return not (line.exc_info and isinstance(line.exc_info[1], ClientDisconnect))


def _possible(whole: Whole) -> set[str]:
    """A machine without a compiler has no clock that steps."""
    return {name for name in (*TROUBLES, "kill_all") if whole.clock.works or not name.startswith("clock_")}


async def _lived(plan: Plan, whole: Whole, folder: Path) -> Record:
    record = Record(plan, bound_s=LEASE_S + RECONCILE_S + plan.shape.slack_s)
    people = People(plan, whole.platforms, whole.web, folder)
    database = Database(whole.database_url, size=2)
    try:
        async with Watch(whole) as watch:
            began = time.monotonic()
            record.troubles, _ = await asyncio.gather(_troubled(plan, whole, began), people.live(began))
            record.settled_s = await _settled(people, database)
        record.said, record.chats = people.said, people.chats
        record.figures, record.leaks = dict(watch.figures), watch.leaks()
        record.pages = await people.pages()
        record.tables = await recording.tables(database)
    finally:
        await database.close()
    _collect(record, whole, folder)
    return record


def _collect(record: Record, whole: Whole, folder: Path) -> None:
    """What can be read when the database is no longer asked."""
    record.seen = {channel: list(whole.platforms[channel].book.messages) for channel in CHATS}
    record.prints = recording.prints(whole.settings.media_dir, record.tables["outbox"], whole.platforms)
    record.undecodable = recording.undecodable(folder, whole.platforms)
    record.refused = recording.refused(whole.platforms)
    logged = list(recording.lines(whole.log))
    record.errors = [line for line in logged if line.get("level") in ("error", "critical")]
    record.figures |= recoveries(record, logged, whole.platforms)


async def _troubled(plan: Plan, whole: Whole, began: float) -> list[Happened]:
    """Those of one family wait for one another."""
    locks: dict[str, asyncio.Lock] = {family_of(trial.name): asyncio.Lock() for trial in plan.trials}

    async def happen(trial: Trial) -> Happened:
        await asyncio.sleep(max(0.0, began + trial.at - time.monotonic()))
        async with locks[family_of(trial.name)]:
            return await _happened(trial, whole)

    return sorted(await asyncio.gather(*map(happen, plan.trials)), key=lambda each: each.at)


async def _happened(trial: Trial, whole: Whole) -> Happened:
    """Tried again where there was nobody to meet: a process that is not back yet, a platform that nobody asked."""
    chance = random.Random(trial.seed)
    happened = await _tried(trial, whole, chance)
    for _ in range(TRIES - 1):
        if "missed" not in happened.what:
            break
        await asyncio.sleep(AGAIN_S)
        happened = await _tried(trial, whole, chance)
    return happened


async def _tried(trial: Trial, whole: Whole, chance: random.Random) -> Happened:
    if trial.name != "kill_all":
        return await TROUBLES[trial.name](whole, chance)
    return await _all_killed(whole)


async def _all_killed(whole: Whole) -> Happened:
    began = time.monotonic()
    victims = {name: victim for name in TOGETHER if (victim := whole.process(name)) is not None}
    for victim in victims.values():
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    back = await asyncio.gather(*(whole.another(name, victim.pid) for name, victim in victims.items()))
    return Happened("kill_all", began, time.monotonic(), {"process": ",".join(victims), "back": str(all(back))})


async def _settled(people: People, database: Database) -> float | None:
    """The seconds until nothing was open for QUIET_S; None where that never was, or nothing went on for SETTLE_S."""
    began = changed = time.monotonic()
    left: int | None = None
    while (now := time.monotonic()) < min(changed + SETTLE_S, began + LONGEST_S):
        people.taken()
        found = await _open(database)
        if found is not None:
            found += sum(not said.taken and said.told is None for said in people.said)
        if found != left:
            left, changed = found, now
        if left == 0 and now - changed > QUIET_S:
            return changed - began
        await asyncio.sleep(LOOK_S)
    return None


async def _open(database: Database) -> int | None:
    """How much is half done; None where the database is away."""
    with suppress(DatabaseUnavailable):
        return int((await rows(database, _OPEN))[0]["n"])
    return None


def figures(record: Record, broken: list[Broken]) -> dict[str, float]:
    """What stands in the table: how much happened, and how often each promise was broken."""
    turns = record.tables["turns"]
    counts = Counter(each.promise for each in broken)
    happened = [each for each in record.troubles if "missed" not in each.what]
    kills = Counter(each.name for each in happened)
    waits = sorted(turn["timings_ms"].get("total", 0.0) / 1000 for turn in turns if turn["state"] == "done")
    return {
        "passed": not broken,
        "turns": len(turns),
        "conversations": len(record.tables["conversations"]),
        "messages_sent": sum(len(seen) for seen in record.seen.values()),
        "troubles": len(happened),
        **{f"times_{name}": times for name, times in sorted(kills.items())},
        **{name: counts.get(name, 0) for name in _PROMISED},
        "duplicates_unexplained": counts.get("duplicates", 0),
        "duplicates_marked": marked(record),
        "ended_failed": sum(turn["state"] == "failed" for turn in turns),
        "ended_cancelled": sum(turn["state"] in ("cancelled", "superseded") for turn in turns),
        "steps_down": sum(bool(turn["steps"]) for turn in turns),
        "answered_median_s": round(waits[len(waits) // 2], 2) if waits else 0.0,
        "settled_s": round(record.settled_s, 1) if record.settled_s is not None else -1.0,
        "recovery_bound_s": record.bound_s,
        **{name: round(value, 2) for name, value in record.figures.items()},
    }


_PROMISED = (
    "lost",
    "out_of_order",
    "wrong_conversation",
    "without_end",
    "steps_untold",
    "media",
    "recovery",
    "leaks",
    "manners",
)


def summed(outcomes: Mapping[int, Mapping[str, float]]) -> dict[str, float]:
    """Of several seeds: sums, but the worst of what is a time or a growth, and the mean of medians."""
    found: dict[str, float] = {}
    for name in dict.fromkeys(name for each in outcomes.values() for name in each):
        values = [each[name] for each in outcomes.values() if name in each]
        if name.endswith("_median_s") or name == "seconds":
            found["seconds_a_seed" if name == "seconds" else name] = round(sum(values) / len(values), 2)
        elif name.endswith(("_s", "_mb", "_max", "_growth")):
            found[name] = max(values)
        else:
            found[name] = sum(values)
    return found
