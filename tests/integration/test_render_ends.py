"""The render worker's ends: drained, killed, or with turns that no child survives."""

from __future__ import annotations

import asyncio
import signal
import time

from core.embedded.process import alive, wait_until
from tests.helpers import outbox_of, turn_row
from tests.stack import Stack


async def test_a_killed_worker_takes_back_its_turn_at_once(stack: Stack) -> None:
    stack.start("courier", "render", lease_s=300)
    turn_id = await stack.ask("#sleep 2 tts")
    await stack.saved(turn_id, "llm")
    child = stack.child()
    stack.signal("render", signal.SIGKILL)
    await stack.ended("render", 5)
    assert child is not None
    assert wait_until(lambda: not alive(child.pid), 2)
    began = time.monotonic()
    stack.start("render", lease_s=300)
    row = await stack.end_of(turn_id)
    assert time.monotonic() - began < 15
    await stack.answered_once(turn_id)
    assert (row["attempts"], row["fence"]) == (2, 2)


async def test_sigterm_finishes_the_turn_in_hand_and_takes_no_other(stack: Stack) -> None:
    stack.start("courier", "render")
    first = await stack.ask("#sleep 1.5 tts")
    second = await stack.ask("another")
    await stack.saved(first, "llm")
    stack.signal("render", signal.SIGTERM)
    assert await stack.ended("render", 15) == 0
    await stack.end_of(first)
    await stack.answered_once(first)
    assert (await turn_row(stack.database, second))["state"] == "queued"
    stack.signal("courier", signal.SIGTERM)
    assert await stack.ended("courier", 15) == 0


async def test_a_second_sigterm_gives_the_turn_back(stack: Stack) -> None:
    stack.start("render")
    turn_id = await stack.ask("#hang tts")
    await stack.saved(turn_id, "llm")
    stack.signal("render", signal.SIGTERM)
    await asyncio.sleep(0.5)
    stack.signal("render", signal.SIGTERM)
    assert await stack.ended("render", 5) == 0
    row = await turn_row(stack.database, turn_id)
    assert (row["state"], row["attempts"], row["lease_owner"], row["answer"]) == (
        "queued",
        0,
        None,
        "You asked: #hang tts.",
    )


async def test_a_file_that_waits_to_be_sent_outlives_the_attempt_that_made_it(stack: Stack) -> None:
    """The child dies after the voice note was given to the courier, and before the video was."""
    stack.start("render")
    turn_id = await stack.ask("#sleep 1 video")
    deadline = time.monotonic() + 20
    while "voice" not in [row["kind"] for row in await outbox_of(stack.database, turn_id)]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    child = stack.child()
    assert child is not None
    child.kill()
    await stack.until(turn_id, "rendered")
    waiting = [row["payload"]["path"] for row in await outbox_of(stack.database, turn_id) if row["kind"] != "text"]
    assert {name.split("/")[1] for name in waiting} == {"1", "2"}, "of both attempts"
    assert all((stack.folder / "media" / name).exists() for name in waiting)


async def test_turns_that_kill_or_hang_the_child_every_time_end_after_three_attempts(stack: Stack) -> None:
    stack.start("courier", "render")
    poison = await stack.ask("#crash llm")
    hangs = await stack.ask("#hang tts")
    behind = await stack.ask("and me?", after=poison)
    row = await stack.end_of(poison, within_s=60)
    assert (row["state"], row["attempts"], row["error"]["code"]) == ("failed", 3, "worker_died")
    await stack.end_of(behind, within_s=20)
    await stack.answered_once(behind)
    row = await stack.end_of(hangs, within_s=60)
    assert (row["state"], row["attempts"]) == ("done", 3)
    sent = {id: [(row["kind"], row["state"]) for row in await outbox_of(stack.database, id)] for id in (poison, hangs)}
    assert sent == {
        poison: [("notice", "delivered")],
        hangs: [("text", "delivered"), ("notice", "delivered")],
    }


async def test_an_engine_that_is_not_there_is_refused_at_the_start(stack: Stack) -> None:
    stack.start("render", tts="nonsense")
    assert await stack.ended("render", 20) == 1
    assert "SMARTTALKER_TTS=nonsense" in stack.log("render").splitlines()[-1]


async def test_a_heartbeat_beside_a_turns_end_leaves_the_child_alive(stack: Stack) -> None:
    """The lease ends with the turn, while the heart still beats."""
    stack.start("courier", "render", lease_s=20, heartbeat_s=0.002)
    await stack.end_of(await stack.ask("the first", modes=("text",)))
    child = stack.child()
    for number in range(15):
        await stack.end_of(await stack.ask(f"question {number}", modes=("text",)))
        assert stack.child() == child
    assert "child_killed" not in stack.log("render")
