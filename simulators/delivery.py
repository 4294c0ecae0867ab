"""Webhooks out: events are posted to the bot, again while it does not answer 2xx, with the platform's bad habits.

An event of one `lane` (Telegram: a chat) waits until the one before it in its lane was taken, unless shuffled;
events without a lane go side by side.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from simulators.posting import Poster

LINGER_S: Final = 0.1
"""How long events are gathered where they are to be batched or shuffled."""
KEPT_ATTEMPTS: Final = 50_000


class Habits(BaseModel):
    """How the platform delivers. `duplicate_share`: this share of deliveries is made twice. `shuffle`: out of order.
    `batch`: up to so many events in one webhook (where the platform batches). `delay_s`: each is so late. `pause`:
    nothing is delivered until it is false again."""

    model_config = ConfigDict(extra="forbid")

    duplicate_share: float = Field(default=0.0, ge=0, le=1)
    shuffle: bool = False
    batch: int = Field(default=1, ge=1)
    delay_s: float = Field(default=0.0, ge=0)
    pause: bool = False


@dataclass(frozen=True)
class Event:
    """One thing to tell. `id`: the platform's id of it. `batch`: events with the same word go in one webhook.
    `duplicates`: how often it is delivered beyond once."""

    id: str
    payload: Any
    lane: str | None = None
    batch: str | None = None
    duplicates: int = 0


@dataclass(frozen=True)
class Post:
    """One webhook, ready to go."""

    url: str
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Attempt:
    """One try: `status` is None where no answer came."""

    ids: tuple[str, ...]
    status: int | None
    error: str | None
    seconds: float
    at: float


@dataclass(frozen=True)
class Pace:
    """`backoff_s` doubles from its first to its second number; `answer_within_s`: then the try has failed."""

    connections: int = 40
    backoff_s: tuple[float, float] = (0.2, 5.0)
    answer_within_s: float = 10.0


@dataclass
class Delivery:
    """write: makes the webhook of events that go together; None where there is no address any more (the events are
    dropped). taken: told once for each delivery that the bot took. max_batch: 1 where the platform never batches."""

    write: Callable[[Sequence[Event]], Post | None]
    taken: Callable[[Sequence[Event]], None] = lambda events: None
    max_batch: int = 1
    pace: Pace = field(default_factory=Pace)
    habits: Habits = field(default_factory=Habits)
    attempts: deque[Attempt] = field(default_factory=lambda: deque(maxlen=KEPT_ATTEMPTS))

    def __post_init__(self) -> None:
        self._waiting: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, asyncio.Lock] = {}
        self._gate = asyncio.Event()
        self._gate.set()
        self._random = random.Random(7)  # noqa: S311 (which event is delivered twice is no secret)
        self._poster = Poster()
        self._free = asyncio.Semaphore(self.pace.connections)

    async def start(self) -> None:
        self._free = asyncio.Semaphore(self.pace.connections)
        self._spawn(self._dispatch())

    async def stop(self) -> None:
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._poster.close()

    def forget(self) -> None:
        """Nothing that waits or is being repeated goes out any more. Needs `start` to go on."""
        for task in self._tasks:
            task.cancel()
        self._waiting = asyncio.Queue()
        self._lanes.clear()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def put(self, event: Event) -> None:
        self._waiting.put_nowait(event)

    def behave(self, habits: Habits) -> None:
        self.habits = habits
        (self._gate.clear if habits.pause else self._gate.set)()

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dispatch(self) -> None:
        while True:
            events = [await self._waiting.get()]
            await self._gate.wait()
            if self.habits.shuffle or self.habits.batch > 1 or events[0].batch:
                await asyncio.sleep(LINGER_S)
            while not self._waiting.empty():
                events.append(self._waiting.get_nowait())
            for group in self._grouped(events):
                self._spawn(self._deliver(group))

    def _grouped(self, events: list[Event]) -> list[list[Event]]:
        """What goes out together; duplicates go as deliveries of their own."""
        if self.habits.shuffle:
            self._random.shuffle(events)
        groups: list[list[Event]] = []
        open_groups: dict[str | None, list[Event]] = {}
        for event in events:
            size = self.max_batch if event.batch else min(self.habits.batch, self.max_batch)
            group = open_groups.get(event.batch)
            if group is None or len(group) >= size:
                group = open_groups[event.batch] = []
                groups.append(group)
            group.append(event)
        return groups + [[event] for event in events for _ in range(self._again(event))]

    def _again(self, event: Event) -> int:
        return event.duplicates + (self._random.random() < self.habits.duplicate_share)

    async def _deliver(self, events: list[Event]) -> None:
        lane = None if self.habits.shuffle else events[0].lane
        if lane is None:
            await self._insist(events)
            return
        async with self._lanes.setdefault(lane, asyncio.Lock()):
            await self._insist(events)

    async def _insist(self, events: list[Event]) -> None:
        if self.habits.delay_s:
            await asyncio.sleep(self.habits.delay_s)
        pause, longest = self.pace.backoff_s
        while (post := self.write(events)) is not None:
            await self._gate.wait()
            async with self._free:
                taken = await self._try(post, events)
            if taken:
                self.taken(events)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    async def _try(self, post: Post, events: list[Event]) -> bool:
        start, status, error = time.monotonic(), None, None
        try:
            status = await self._poster.post(post.url, post.body, post.headers, self.pace.answer_within_s)
        except OSError as problem:
            error = type(problem).__name__
        ids = tuple(event.id for event in events)
        self.attempts.append(Attempt(ids, status, error, time.monotonic() - start, time.time()))
        return status is not None and 200 <= status < 300
