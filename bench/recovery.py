"""Seconds until work goes on after `kill -9` of a process, and what a restart of all of them costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench import filling, turns
from bench.figures import Figures, percentile
from bench.stack import FAKES, Stack, end, own_folder, running
from core.errors import SurroundingsError

TIMES = 5
SLEEP_S = 0.5
HELD = f"hello #sleep {SLEEP_S} llm"
"""A turn in hand when its holder is killed; whoever takes it up again waits as long once more."""
INTO_S = 0.2
"""So long after the claim comes the kill."""
QUICK = {"SMARTTALKER_LEASE_S": "2", "SMARTTALKER_HEARTBEAT_S": "0.5", "SMARTTALKER_RECONCILE_S": "0.5"}
WITHIN_S = 120.0

_CLAIMED_AGAIN = "SELECT count(*) FROM turns WHERE id = $1::uuid AND attempts > 1"
_ANSWERED = "SELECT count(*) FROM turns WHERE id = $1::uuid AND state = 'done'"
_SENT = "SELECT count(*) FROM outbox WHERE turn_id = $1::uuid AND state = 'delivered'"
_RUNNING = "SELECT count(*) FROM turns WHERE id = $1::uuid AND state = 'running'"
_HELD = "SELECT id, lease_owner FROM turns WHERE state = 'running'"

Seconds = dict[str, list[float]]


@dataclass(frozen=True)
class Gone:
    """settings: none for the defaults. hold_s: what each turn takes, less than the lease, after which a silent engine
    is killed. spread_s: the kills are spread over so long, a beat of the reconciler."""

    name: str
    settings: Mapping[str, str]
    hold_s: float
    spread_s: float


GONE = (Gone("30s", {}, 25.0, 15.0), Gone("2s", QUICK, 1.6, 0.5))


def measure() -> Figures:
    """Each TIMES over; the median, and `worst`. Engines cost nothing; PostgreSQL and Redis stay up.

    The supervisor starts what was killed anew, 0.2 s later. A process that comes back has the name of the dead one, and
    with it takes back at once what that held, so no lease is waited for (production's defaults are in force):

    - recovery_bot: until a POST is taken; recovery_bot_ready: until /readyz says 200.
    - recovery_courier: until an answer is delivered whose question was posted at the kill.
    - recovery_child, recovery_render: killed with a turn in hand, INTO_S after its claim; `claimed` until the turn is
      claimed again (after a child's death a turn is left alone for a second), `answered` until its answer is delivered,
      in which SLEEP_S of an engine's work is done again.

    recovery_gone_<lease>: a render process that never comes back (its machine is gone), killed with a turn in hand;
    until another process has claimed that turn: at most the lease and one beat of the reconciler.

    restart: of everything, the supervisor too, with nothing in hand. `stop`: from SIGTERM until all have ended;
    `ready`: from the start until /readyz says 200; `answered`: from the start until the first question has its answer.
    """
    figures: Figures = {}
    with own_folder() as folder:
        figures |= table(asyncio.run(_restarted(folder)))
    for gone in GONE:
        with own_folder() as folder:
            figures |= table({f"recovery_gone_{gone.name}": asyncio.run(_gone(folder, gone))})
    return figures


def table(seconds: Seconds) -> Figures:
    """The median and the worst of each."""
    figures: Figures = {}
    for name, spent in seconds.items():
        figures |= {f"{name}_s": percentile(spent, 0.5), f"{name}_worst_s": max(spent)}
    return figures


async def _restarted(folder: Path) -> Seconds:
    """The supervisor waits longer before each start of a process that did not live for 30 s, so none is killed twice
    under the same one."""
    found: Seconds = {}
    with running(FAKES, folder) as stack:
        for _ in range(TIMES):
            async with turns.opened(stack) as client:
                for kill in (_kill_bot, _kill_courier, _kill_child, _kill_render):
                    _add(found, await kill(stack, client))
                    await _settled(stack, client)
            _add(found, {"restart_stop": await asyncio.to_thread(_timed_stop, stack)})
            stack, spent = await _started_again(stack)
            _add(found, spent)
    return found


def _add(found: Seconds, spent: Mapping[str, float]) -> None:
    for name, seconds in spent.items():
        found.setdefault(name, []).append(seconds)


async def _kill_bot(stack: Stack, client: turns.Turns) -> dict[str, float]:
    stack.processes()["bot"].kill()
    began = time.monotonic()
    ready, taken = await asyncio.gather(
        _until(lambda: _answers(stack, "GET", "/readyz", 200)),
        _until(lambda: _answers(stack, "POST", "/api/v1/messages", 202, json={"text": "hello"})),
    )
    return {"recovery_bot_ready": ready - began, "recovery_bot": taken - began}


async def _kill_courier(stack: Stack, client: turns.Turns) -> dict[str, float]:
    stack.processes()["courier"].kill()
    began = time.monotonic()
    turn = (await client.post("hello", language="en"))["turn_id"]
    return {"recovery_courier": await _seen(client, _SENT, turn) - began}


async def _kill_child(stack: Stack, client: turns.Turns) -> dict[str, float]:
    return await _with_a_turn_in_hand("child", client, lambda: stack.processes()["render"].children()[0])


async def _kill_render(stack: Stack, client: turns.Turns) -> dict[str, float]:
    return await _with_a_turn_in_hand("render", client, lambda: stack.processes()["render"])


async def _with_a_turn_in_hand(name: str, client: turns.Turns, find: Callable[[], psutil.Process]) -> dict[str, float]:
    turn = (await client.post(HELD, language="en"))["turn_id"]
    await _seen(client, _RUNNING, turn)
    await asyncio.sleep(INTO_S)
    find().kill()
    began = time.monotonic()
    claimed = await _seen(client, _CLAIMED_AGAIN, turn)
    answered = await _seen(client, _ANSWERED, turn)
    return {f"recovery_{name}_claimed": claimed - began, f"recovery_{name}_answered": answered - began}


async def _settled(stack: Stack, client: turns.Turns) -> None:
    """All three run, and nothing is left to do."""

    async def complete() -> bool:
        return len(stack.processes()) == 3 and not await client.number(turns.OPEN)

    await _until(complete)


def _timed_stop(stack: Stack) -> float:
    began = time.monotonic()
    stack.stage.stop()
    return time.monotonic() - began


async def _started_again(stack: Stack) -> tuple[Stack, dict[str, float]]:
    """The stack at its new address."""
    began = time.monotonic()
    stack.stage.start()
    stack = replace(stack, address=await asyncio.to_thread(stack.stage.address))
    ready = time.monotonic()
    async with turns.opened(stack) as client:
        turn = (await client.post("hello", language="en"))["turn_id"]
        answered = await _seen(client, _ANSWERED, turn)
    return stack, {"restart_ready": ready - began, "restart_answered": answered - began}


async def _gone(folder: Path, gone: Gone) -> list[float]:
    """TIMES processes, each with a turn in hand, are killed one after the other; another looks on."""
    with running({**FAKES, **gone.settings}, folder, ("bot", "courier")) as stack:
        async with turns.opened(stack) as client:
            with stack.others("render", TIMES + 1) as processes:
                await turns.all_at_work(stack, client, TIMES + 1)
                heir, *victims = processes
                heir.suspend()  # until each of the others has one
                chosen = await filling.conversations(client.database, TIMES)
                await filling.queue(client.database, chosen, 1, f"hello #sleep {gone.hold_s} llm")
                await turns.ring(stack, TIMES)
                await _until(lambda: _all_hold(client))
                heir.resume()
                return await _inherited(client, victims, gone.spread_s)


async def _all_hold(client: turns.Turns) -> bool:
    return len(await client.database.fetch(_HELD)) == TIMES


async def _inherited(client: turns.Turns, victims: list[psutil.Popen], spread_s: float) -> list[float]:
    held = {row["lease_owner"].rpartition(":")[2]: str(row["id"]) for row in await client.database.fetch(_HELD)}
    # Whoever has them next is done with them at once, and free for the others.
    await client.database.execute("UPDATE turns SET input_text = 'hello'")

    async def inherited(victim: psutil.Popen, after_s: float) -> float:
        await asyncio.sleep(after_s)
        turn = held[_slot(victim)]
        end(victim)
        began = time.monotonic()
        return await _seen(client, _CLAIMED_AGAIN, turn) - began

    waits = [inherited(victim, number * spread_s / TIMES) for number, victim in enumerate(victims)]
    return list(await asyncio.gather(*waits))


def _slot(process: psutil.Popen) -> str:
    """The last part of a worker's name, from the lock file that it holds open (worker/identity.py)."""
    names = [Path(file.path).stem for file in process.open_files() if file.path.endswith(".lock")]
    return next(name for name in names if name.startswith("render-"))


async def _answers(stack: Stack, method: str, path: str, status: int, **more: Any) -> bool:
    """On a connection of its own: an old one broke with the process."""
    try:
        async with httpx.AsyncClient(base_url=stack.address, timeout=5, trust_env=False) as http:
            return (await http.request(method, path, **more)).status_code == status
    except httpx.TransportError:
        return False


async def _seen(client: turns.Turns, question: str, turn: str) -> float:
    async def there() -> bool:
        return bool(await client.number(question, turn))

    return await _until(there)


async def _until(done: Callable[[], Awaitable[bool]]) -> float:
    """The moment at which it was seen. Raises SurroundingsError."""
    deadline = time.monotonic() + WITHIN_S
    while not await done():
        if time.monotonic() > deadline:
            raise SurroundingsError(f"work did not go on within {WITHIN_S:.0f} s")
        await asyncio.sleep(turns.POLL_S)
    return time.monotonic()
