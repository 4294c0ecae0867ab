"""Turns a second of engines that cost nothing: one at a time, and with one, two and four render processes on one Redis
and PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import psutil

from bench import filling, turns
from bench.figures import Figures
from bench.stack import FAKES, Stack, own_folder, running
from core.errors import SurroundingsError

RENDERS = (1, 2, 4, 4, 2, 1)
"""Each number twice, up and down, so that what a machine does meanwhile falls on all alike."""
ONE_BY_ONE, PAUSE_S = 50, 0.1
CONVERSATIONS, EACH = 40, 4
WAIT_S, WAITED_CONVERSATIONS, WAITED_EACH = 0.25, 12, 2
"""An engine that takes so long and no processor time, as on a card or another machine; turns of such engines."""
WITHIN_S = 120.0

_TURNED_ROUND = """
SELECT count(*) FROM (
    SELECT turn_seq, lag(turn_seq) OVER (PARTITION BY conversation_id ORDER BY settled_at, id) AS before FROM outbox
) AS settled WHERE before > turn_seq
"""
_AMISS = """
SELECT count(*) FROM turns
WHERE (SELECT count(*) FROM outbox WHERE turn_id = turns.id AND state = 'delivered') <> cardinality(modes)
"""


def measure() -> Figures:
    """one_by_one: a turn is posted when the one before it is done. growth_<n>: so many turns wait in CONVERSATIONS
    conversations; from the moment at which render is let go to the last turn's end. growth_waits_<n>: the same with an
    engine that waits. `times`: against one process in the same run. cores_busy: the share of all cores that worked
    meanwhile, this machine's other work included.

    Raises SurroundingsError where a turn failed, or where not everything was sent once and in the order of a
    conversation's turns.
    """
    with own_folder() as folder, running(FAKES, folder) as stack:
        return asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> Figures:
    plain: dict[int, list[float]] = {}
    waits: dict[int, list[float]] = {}
    busy: dict[int, list[float]] = {}
    async with turns.opened(stack) as client:
        figures = {"turns_one_by_one_per_s": await _one_by_one(client)}
        for count in RENDERS:
            with stack.others("render", count - 1):
                await turns.all_at_work(stack, client, count)
                before = psutil.cpu_times()
                plain.setdefault(count, []).append(await _drained(stack, client, CONVERSATIONS, EACH, "hello"))
                busy.setdefault(count, []).append(_share_busy(before, psutil.cpu_times()))
                slow = f"hello #sleep {WAIT_S} llm"
                waits.setdefault(count, []).append(
                    await _drained(stack, client, WAITED_CONVERSATIONS, WAITED_EACH, slow)
                )
        await _in_order(client)
    figures |= table("growth", plain, CONVERSATIONS * EACH)
    figures |= {f"growth_{count}_cores_busy": sum(shares) / len(shares) for count, shares in busy.items()}
    return figures | table("growth_waits", waits, WAITED_CONVERSATIONS * WAITED_EACH)


def table(name: str, seconds: dict[int, list[float]], turns_each: int) -> Figures:
    """seconds: of each run, by the number of processes."""
    rates = {count: turns_each * len(spent) / sum(spent) for count, spent in seconds.items()}
    figures = {f"{name}_{count}_turns_per_s": rate for count, rate in rates.items()}
    return figures | {f"{name}_{count}_times": rate / rates[1] for count, rate in rates.items() if count > 1}


def _share_busy(before: Any, after: Any) -> float:
    spent = [later - earlier for earlier, later in zip(before, after, strict=True)]
    idle = (after.idle - before.idle) + (after.iowait - before.iowait)
    return float(1 - idle / sum(spent))


async def _one_by_one(client: turns.Turns) -> float:
    """Turns a second."""
    conversation: dict[str, Any] = {}
    spent = 0.0
    for _ in range(ONE_BY_ONE):
        began = time.time()
        posted = await client.post("hello", language="en", **conversation)
        spent += await client.delivered(posted["turn_id"]) - began
        await asyncio.sleep(PAUSE_S)
        conversation = {"conversation_id": posted["conversation_id"]}
    return ONE_BY_ONE / spent


async def _drained(stack: Stack, client: turns.Turns, conversations: int, each: int, words: str) -> float:
    """Seconds until all that waits is done. Each turn has rung, as intake rings for each."""
    chosen = await filling.conversations(client.database, conversations)
    await filling.queue(client.database, chosen, each, words)
    began = time.time()
    await turns.ring(stack, conversations * each)
    return await client.all_done(WITHIN_S) - began


async def _in_order(client: turns.Turns) -> None:
    """By the time at which each row was settled."""
    if turned := await client.number(_TURNED_ROUND):
        raise SurroundingsError(f"{turned:.0f} rows were sent before one of an earlier turn of their conversation")
    if amiss := await client.number(_AMISS):
        raise SurroundingsError(f"{amiss:.0f} turns are done and not each of their modes was sent once")
