"""An answer, token by token, with what a bad day makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from simulators.ollama import tokens
from simulators.ollama.exchange import Call
from simulators.ollama.faults import MIDWAY
from simulators.ollama.oddities import prompt_tokens
from simulators.ollama.refusals import STOPPED
from simulators.ollama.replies import THOUGHT, long_answer
from simulators.ollama.wire import JSON_TYPE, Over, dumped, stamp

NS: Final = 1_000_000_000
MOST_CONTEXTS: Final = 10
"""An answer without num_predict ends after so many times the context."""


class Shape(Protocol):
    """How an answer's words stand in its lines."""

    def words(self, text: str, thinking: str = "") -> dict[str, Any]: ...
    def last(self, tokens: int) -> dict[str, Any]:
        """What the last line has beside the durations."""
        ...


@dataclass
class Times:
    """Seconds, for the last line."""

    load_s: float = 0.0
    began: float = field(default_factory=time.monotonic)
    first: float = 0.0

    def told(self, prompt: int, said: int) -> dict[str, int]:
        """Nanoseconds and counts; the real one leaves out what is 0."""
        now = time.monotonic()
        first = self.first or now
        figures = {
            "total_duration": (now - self.began) * NS,
            "load_duration": self.load_s * NS,
            "prompt_eval_count": prompt,
            "prompt_eval_duration": max(0.0, first - self.began - self.load_s) * NS,
            "eval_count": said,
            "eval_duration": (now - first) * NS,
        }
        return {name: int(value) for name, value in figures.items() if int(value)}


@dataclass
class Said:
    """What a model says: its tokens, and why it ends."""

    thoughts: list[str]
    words: list[str]
    reason: str


async def answer(call: Call, shape: Shape, num_ctx: int, *, thinks: bool, streams: bool, times: Times) -> None:
    """Sends it whole or in a stream. Raises Refused for a fault that is an error."""
    call.request.seen = fitting(call.request.messages, num_ctx)
    said = _said(call, thinks, num_ctx)
    prompt = min(prompt_tokens(call.request.seen), num_ctx)
    whole = ["", ""]
    async for text, thought in _spoken(call, said, times):
        whole[0], whole[1] = whole[0] + text, whole[1] + thought
        call.request.answer, call.request.tokens = whole[0], call.request.tokens + 1
        if streams:
            await call.wire.line(_line(call, shape.words(text, thought), done=False))
    last = _line(call, shape.words("" if streams else whole[0], "" if streams else whole[1]), done=True)
    count = call.request.tokens
    last |= {"done_reason": said.reason, **shape.last(prompt + count), **times.told(prompt, count)}
    await _finish(call, last, streams)


async def _finish(call: Call, last: dict[str, Any], streams: bool) -> None:
    if call.under("unfinished"):
        last = {name: value for name, value in last.items() if name != "done_reason"} | {"done": False}
    if not streams:
        await call.wire.json(200, last)
        return
    if not call.under("unfinished"):
        await call.wire.line(last)
    await call.wire.end()


def _line(call: Call, words: dict[str, Any], *, done: bool) -> dict[str, Any]:
    return {"model": call.request.model, "created_at": stamp(), **words, "done": done}


def fitting(messages: list[dict[str, Any]], num_ctx: int) -> list[dict[str, Any]]:
    """The system messages and as many of the latest others as the context holds; always the last."""
    for start in range(len(messages)):
        kept = [each for each in messages[:start] if each["role"] == "system"] + messages[start:]
        if prompt_tokens(kept) <= num_ctx or start == len(messages) - 1:
            return kept
    return messages


def _said(call: Call, thinks: bool, num_ctx: int) -> Said:
    """Of the script or the fault, as far as num_predict and stop let it."""
    options = call.request.options
    thoughts = tokens.split(THOUGHT) if thinks else []
    words, reason = _stopped(_words(call), options.get("stop") or []), "stop"
    limit, most = int(options.get("num_predict") or -1), MOST_CONTEXTS * num_ctx
    limit = most if limit <= 0 else min(limit, most)
    if len(thoughts) + len(words) > limit:
        thoughts, words, reason = thoughts[:limit], words[: max(0, limit - len(thoughts))], "length"
    return Said(thoughts, words, reason)


def _words(call: Call) -> list[str]:
    if call.under("empty"):
        return []
    if call.under("blank"):
        return [" ", "\n", "\n ", "\t"]
    if call.under("long"):
        return tokens.split(long_answer(call.request))
    return call.simulator.script.take(call.request)


def _stopped(words: list[str], stops: list[str]) -> list[str]:
    """Up to the first of the stops, which is not said itself."""
    text = "".join(words)
    ends = [text.find(each) for each in stops if each and each in text]
    return tokens.split(text[: min(ends)]) if ends else words


async def _spoken(call: Call, said: Said, times: Times) -> AsyncIterator[tuple[str, str]]:
    """(text, thought) of each token, at its pace, until a fault."""
    every = [("", each) for each in said.thoughts] + [(each, "") for each in said.words]
    fault = call.under(*MIDWAY)
    breaks_at = min(fault.after, len(every)) if fault else -1
    for number, token in enumerate(every):
        await _pause(call, number)
        times.first = times.first or time.monotonic()
        if number == breaks_at:
            break
        yield token
    if fault is not None:
        await _break(call)


async def _pause(call: Call, number: int) -> None:
    slow = call.under("slow")
    first = call.under("slow_start") if number == 0 else None
    await asyncio.sleep((slow.seconds if slow else call.simulator.config.token_s) + (first.seconds if first else 0))


async def _break(call: Call) -> None:
    await call.break_off(STOPPED)
    if call.under("bad_line"):
        await _send_nonsense(call)


async def _send_nonsense(call: Call) -> None:
    """Half an object: in the place of a line, or of the whole answer."""
    half = dumped({"model": call.request.model, "created_at": stamp()})[:-9]
    if call.request.json.get("stream") is False:
        await call.wire.whole(200, JSON_TYPE, half)
    else:
        await call.wire.raw(half + b"\n")
        await call.wire.end()
    raise Over
