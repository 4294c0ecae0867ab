"""A spoken answer at 512x512 with the real engines of the CPU: when text, sound and video arrive, and what it holds."""

from __future__ import annotations

import asyncio
import json
import time
from statistics import median

from websockets.asyncio.client import connect

from bench import speakers, turns
from bench.figures import Figures
from bench.memory import Watch
from bench.stack import REAL, Stack, own_folder, running
from core.errors import SurroundingsError

REPEATS = 5
WAIT_S = 120.0


def measure() -> Figures:
    """Times are medians. Memory: the most that render, its child and the child's helpers held after a first answer,
    less what they held idle before it."""
    with own_folder() as folder:
        spoken = speakers.make(folder / "data")
        with running(REAL, folder) as stack:
            figures = asyncio.run(_measure(stack))
    return {
        "answer_10s_spoken_s": spoken[speakers.SHORT],
        "answer_60s_spoken_s": spoken[speakers.LONG],
        **figures,
    }


async def _measure(stack: Stack) -> Figures:
    watch = Watch(stack.processes()["render"])
    async with turns.opened(stack) as client:
        await asyncio.sleep(3.0)
        idle = watch.now_mib()
        first = await _asked(stack, client, speakers.SHORT)
        with watch:
            await _asked(stack, client, speakers.SHORT)
        short = watch.peak_mib - idle
        with watch:
            long = await _asked(stack, client, speakers.LONG)
        long_mib = watch.peak_mib - idle
        times = [await _asked(stack, client, speakers.SHORT) for _ in range(REPEATS)]
    figures = {f"answer_10s_{name}": median(each[name] for each in times) for name in times[0]}
    figures |= {"answer_10s_first_delivered_s": first["delivered_s"], "answer_60s_delivered_s": long["delivered_s"]}
    return figures | {
        "memory_idle_mib": idle,
        "memory_10s_mib": short,
        "memory_60s_mib": long_mib,
        "memory_ratio_60s_to_10s": long_mib / short,
    }


async def _asked(stack: Stack, client: turns.Turns, question: str) -> dict[str, float]:
    """Seconds from before the POST until the page is told of the text, the sound and the end.

    A conversation begins with a text alone, so that the page's socket is open before the question is asked.
    """
    begun = await client.post("hello", language="en", avatar=speakers.AVATAR, modes=["text"])
    await client.delivered(begun["turn_id"])
    url = f"{stack.address.replace('http', 'ws', 1)}/api/v1/ws/{begun['conversation_id']}"
    async with connect(url, proxy=None) as socket, asyncio.timeout(WAIT_S):
        await socket.recv()
        began = time.perf_counter()
        posted = await client.post(
            question, language="en", conversation_id=begun["conversation_id"], modes=["text", "voice", "video"]
        )
        seen: dict[str, float] = {}
        async for message in socket:
            turn = json.loads(message)
            if turn["turn_id"] == posted["turn_id"]:
                _note(seen, turn, time.perf_counter() - began)
                if "delivered_s" in seen:
                    return seen
    raise SurroundingsError("the socket was closed before the answer came")


def _note(seen: dict[str, float], turn: dict[str, object], at: float) -> None:
    if turn["state"] in ("failed", "cancelled"):
        raise SurroundingsError(f"the turn ended as {turn['state']}")
    if turn["text"]:
        seen.setdefault("text_s", at)
    if turn["audio_url"]:
        seen.setdefault("sound_s", at)
    if turn["state"] == "done":
        if not turn["video_url"]:
            raise SurroundingsError(f"an answer without a video: {turn['steps']}")
        seen.setdefault("delivered_s", at)
