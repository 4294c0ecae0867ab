"""How fast we send, over all processes: token buckets (GCRA, the generic cell rate algorithm) in Redis.

A bucket is one number: the theoretical arrival time of the next message if all came at the rate. Every reservation
moves it on by an interval; who comes while it is ahead of the clock by more than the burst must wait for the
difference. So those who wait stand in a line, each with a time of its own, and nobody who comes later overtakes them.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.channels.base import Chat, Rates
from core.logging import get_logger

log = get_logger(__name__)

ANSWER_S: Final = 2.0
"""A Redis that is slower than this is as good as away."""
TICKET_S: Final = 60.0
"""So long after its time a place in the line is kept."""
LONGEST_S: Final = 24 * 3600.0
SLEW_S: Final = 1.0
"""A clock that was set back by less makes nobody wait longer than that."""

_PREFIX: Final = "smarttalker:pace"
_RESERVE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local seen = tonumber(redis.call('GET', KEYS[6]) or '0')
if seen > now + tonumber(ARGV[6]) then
  for _, key in ipairs(redis.call('KEYS', ARGV[7])) do redis.call('DEL', key) end
end
redis.call('SET', KEYS[6], string.format('%.0f', now))
local quiet = math.max(redis.call('PTTL', KEYS[2]), redis.call('PTTL', KEYS[3]))
if quiet > 0 then return quiet * 1000 end

local stage, due = 0, 0
local ticket = redis.call('GET', KEYS[1])
if ticket then
  stage, due = string.match(ticket, '(%d):(%d+)')
  stage, due = tonumber(stage), tonumber(due)
end
if due > now then return due - now end

local function take(bucket, interval, burst)
  if interval == 0 then return 0 end
  local arrival = math.max(tonumber(redis.call('GET', bucket) or '0'), now)
  local after = arrival + interval
  redis.call('SET', bucket, string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
  return math.max(arrival - interval * (burst - 1) - now, 0)
end

for next = stage + 1, 2 do
  local wait = take(KEYS[3 + next], tonumber(ARGV[2 * next - 1]), tonumber(ARGV[2 * next]))
  if wait > 0 then
    redis.call('SET', KEYS[1], string.format('%d:%.0f', next, now + wait), 'PX', math.ceil(wait / 1000) + ARGV[5])
    return wait
  end
end
if ticket then redis.call('DEL', KEYS[1]) end
return 0
"""
"""Microseconds to wait. Where the clock was set back since somebody asked, every place lies as far ahead: nobody stands
in any line then, and nobody is asked to be quiet. First the chat's bucket, then, when the chat's turn has come, the
account's; the ticket says which of them is behind it and until when."""
_QUIET: Final = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end
"""


class Pace:
    """Shared by every process that has the same Redis. A Redis that is away holds nothing back."""

    def __init__(self, redis: Redis) -> None:
        self._reserve: Any = redis.register_script(_RESERVE)
        self._quiet: Any = redis.register_script(_QUIET)
        self._away = False

    async def reserve(self, channel: str, chat: Chat, row: int, rates: Rates) -> float:
        """Seconds until the row may be sent to the chat; 0: now, and it counts as sent. Ask again after the wait: the
        row's place in the line is kept meanwhile."""
        account = f"{_PREFIX}:{channel}:{chat.account}"
        keys = [f"{account}:row:{row}", f"{account}:quiet", f"{account}:quiet:{chat.id}", f"{account}:chat:{chat.id}"]
        rate = rates.group_per_s if chat.group and rates.group_per_s else rates.chat_per_s
        numbers = [_interval(rate), rates.chat_burst, _interval(rates.account_per_s), 1]
        more = [round(TICKET_S * 1000), round(SLEW_S * 1e6), f"{_PREFIX}:*"]
        keys += [f"{account}:all", f"{_PREFIX}:clock"]
        return float(await self._ask(self._reserve, keys, [*numbers, *more]) or 0) / 1e6

    async def quiet(self, channel: str, chat: Chat, seconds: float, *, whole: bool) -> None:
        """Nothing is sent to the chat (whole: by the account) for so long; a longer silence stays as it is."""
        key = f"{_PREFIX}:{channel}:{chat.account}:quiet" + ("" if whole else f":{chat.id}")
        await self._ask(self._quiet, [key], [math.ceil(min(max(seconds, 0.001), LONGEST_S) * 1000)])

    async def _ask(self, script: Any, keys: list[str], values: list[Any]) -> Any:
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await script(keys=keys, args=values)
            self._away = False
        except (RedisError, OSError, TimeoutError):
            if not self._away:
                log.warning("pace_unknown", remedy="Redis is away: messages go out as fast as they come")
            self._away = True
            return None
        return answer


def _interval(per_s: float | None) -> int:
    """Microseconds between two messages; 0: none."""
    return 0 if per_s is None else round(1e6 / per_s)
