"""Each trouble bites, and heals: what it did is seen from outside, and afterwards a turn is answered again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulators.control import PersonIn, Say
from tests.chaos.clock import Clock
from tests.chaos.troubles import TROUBLES, Happened
from tests.chaos.whole import Whole

BETWEEN_S = 1.5
ANSWERED_S = 40.0
TRIES = 4

long = pytest.mark.skipif("CHAOS_TROUBLES" not in os.environ, reason="takes minutes: set CHAOS_TROUBLES=1")


@pytest.mark.parametrize("ahead_s", [0.0, 3600.25, -86_400.5])
def test_a_preloaded_clock_moves_the_time_of_day_alone(tmp_path: Path, ahead_s: float) -> None:
    clock = Clock(tmp_path)
    if not clock.works:
        pytest.skip("no compiler")
    clock.set(ahead_s)
    told = "import time; print(time.time(), time.time_ns(), time.monotonic(), flush=True)"
    before = time.time(), time.monotonic()
    out = subprocess.run(
        [sys.executable, "-S", "-c", told], env=dict(clock.environment), capture_output=True, check=True
    )
    wall, nanoseconds, monotonic = map(float, out.stdout.split())
    assert 0 <= wall - before[0] - ahead_s < 5
    assert 0 <= nanoseconds / 1e9 - before[0] - ahead_s < 5
    assert 0 <= monotonic - before[1] < 5


class Talk:
    """People who go on talking on every channel while something happens."""

    def __init__(self, whole: Whole) -> None:
        self.whole = whole
        self.chats: dict[str, str] = {}
        self.count = 0

    async def begin(self) -> None:
        for channel, platform in self.whole.platforms.items():
            given = {"phone": "15551230001"} if channel == "whatsapp" else {}
            self.chats[channel] = (await platform.add_person(PersonIn(name="Salma", language="en", **given))).chat

    async def go_on(self) -> None:
        while True:
            self.count += 1
            for channel, platform in self.whole.platforms.items():
                said = f"number {self.count} #sleep 0.1 llm #sleep 0.1 tts"
                await platform.say(Say(chat=self.chats[channel], text=said))
                await asyncio.sleep(BETWEEN_S)

    async def answered(self) -> None:
        """One more message on the web is answered."""
        deadline = time.monotonic() + ANSWERED_S
        turn_id = ""
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError, KeyError):
                if not turn_id:
                    answer = await self.whole.web.post("/api/v1/messages", json={"text": f"and {self.count}?"})
                    turn_id = answer.json()["turn_id"]
                elif (await self.whole.web.get(f"/api/v1/turns/{turn_id}")).json()["state"] == "done":
                    return
            await asyncio.sleep(0.1)
        raise AssertionError(f"turn {turn_id or 'not taken'} is not done after {ANSWERED_S} s")


@pytest.fixture(scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Whole]:
    async with Whole(tmp_path_factory.mktemp("whole")) as whole:
        yield whole


@pytest.fixture(scope="module")
async def talk(whole: Whole) -> AsyncIterator[Talk]:
    talk = Talk(whole)
    await talk.begin()
    going_on = asyncio.create_task(talk.go_on())
    yield talk
    going_on.cancel()


def lines(whole: Whole, start: int) -> list[dict[str, Any]]:
    found = []
    for line in whole.log.read_bytes()[start:].decode(errors="replace").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


Evidence = Callable[[Happened, list[dict[str, Any]]], bool]


def logged(*events: str) -> Evidence:
    """Any of the events is in the log."""
    return lambda happened, said: any(line.get("event") in events for line in said)


def failed(*codes: str) -> Evidence:
    """A turn or a send failed with one of the codes."""
    return lambda happened, said: any(line.get("code") in codes for line in said)


def told(key: str, value: str) -> Evidence:
    return lambda happened, said: happened.what.get(key) == value


def took_s(least_s: float) -> Evidence:
    return lambda happened, said: happened.until - happened.at > least_s


def stepped(happened: Happened, said: list[dict[str, Any]]) -> bool:
    """Postgres' clock was set, and so was that of the courier, which says so in a line of the time that it then was."""
    steps = [line["seconds"] for line in said if line.get("event") == "clock_was_set"]
    times = [
        datetime.fromisoformat(line["timestamp"]).timestamp() - time.time() for line in said if "timestamp" in line
    ]
    wanted = float(happened.what["step"])
    seen = max(times) > wanted - 60 if wanted > 0 else min(times) < wanted
    return seen and any(abs(step - wanted) < 1 for step in steps)


ENDED = logged("process ended")
RESTARTED = logged("server did not answer; it does again")
UNSENT = failed("rate_limited", "platform_away", "outcome_unknown")
EVIDENCE: dict[str, Evidence] = {
    **{f"{how}_{name}": ENDED for how in ("kill", "term") for name in ("bot", "courier", "render")},
    "kill_child": told("back", "True"),
    "kill_courier_sending": ENDED,
    **dict.fromkeys(("redis_stop", "redis_kill", "postgres_kill", "postgres_restart"), RESTARTED),
    "redis_flush": lambda happened, said: int(happened.what["keys"]) > 0,
    "redis_slow": took_s(1.9),
    "postgres_stop": took_s(0.9),
    "postgres_cut": lambda happened, said: int(happened.what["connections"]) > 3,
    "disk_full": failed("storage"),
    "clock_back": stepped,
    "clock_ahead": stepped,
    "platform_429": failed("rate_limited"),
    "platform_5xx": UNSENT,
    "platform_timeout_after": lambda happened, said: int(happened.what["requests"]) > 0,
    "platform_reset_after": UNSENT,
    "platform_away": UNSENT,
    "child_hang": logged("child_silent"),
    "child_oom": logged("step_down", "child_died", "turn_failed"),
    "child_crash": told("back", "True"),
}


def test_each_trouble_has_its_evidence() -> None:
    assert set(EVIDENCE) == set(TROUBLES)


@long
@pytest.mark.parametrize("name", list(TROUBLES))
async def test_a_trouble_bites_and_heals(whole: Whole, talk: Talk, name: str) -> None:
    """One that met nobody is tried again: nobody need have spoken just then."""
    for attempt in range(TRIES):
        start = whole.log.stat().st_size
        happened = await TROUBLES[name](whole, random.Random(f"{name} {attempt}"))
        began = time.monotonic()
        await talk.answered()
        said = lines(whole, start)
        took = f"{happened.until - happened.at:.1f} s, answered {time.monotonic() - began:.1f} s after it"
        print(happened.what, took, {line["event"] for line in said if line.get("level") in ("warning", "error")})
        if "missed" not in happened.what and EVIDENCE[name](happened, said):
            return
    raise AssertionError(f"{name}: nothing is seen of it")
