"""The render worker: claims turns, has its child make the answers, writes them to the outbox; tasks that need engines
come after the turns. One process a GPU."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any

from arq.worker import func

from bot.channels.registry import limits_of
from core.errors import (
    ChildDied,
    ConfigurationError,
    DatabaseUnavailable,
    LeaseLost,
    QueueUnavailable,
    StorageError,
)
from core.kinds import LANGUAGES
from core.logging import get_logger, log_context
from core.metrics import Metrics
from core.queue import CANCELS, RENDER, Queue
from core.settings import Settings
from core.states import ENDS, TurnState
from db import outbox, turns
from db.sessions import Database
from worker.child_process import Child, Report
from worker.engine_tasks import EngineTasks
from worker.gpu import EngineSet
from worker.identity import Identity
from worker.job import Job
from worker.leftovers import sweep
from worker.loop import arq_worker, finish, start, until_stopped
from worker.place import place_of
from worker.recorder import Recorder
from worker.resting import REST_S

log = get_logger(__name__)

LOOK_S = 60.0
"""One look claims turns and tasks for this long, then rings again, so that arq sees jobs end."""
ATTEMPTS = 3
"""After so many the turn ends with what is there: a dead letter."""
BACK_OFF_S = (1.0, 5.0)
AWAY_S = 1.0
"""Between two looks while the database is away."""
ASKED = 100
"""Turns that were asked to stop of late are known."""
LONGEST_S = 86_400.0
"""A look ends with the turn or task in hand, however long that takes: each has limits of its own."""
DRAIN_S = 25.0
"""A turn that is not done by then goes back to the queue."""


class Renderer:
    """Holds lease, database and child; one turn or task at a time, and turns first."""

    def __init__(self, settings: Settings, database: Database, queue: Queue, metrics: Metrics, owner: str) -> None:
        self._settings = settings
        self._database = database
        self._queue = queue
        self._metrics = metrics
        self._owner = owner
        self._child = Child(environment(settings))
        self._tasks = EngineTasks(settings, database, queue, metrics, self._child, owner)
        self._running: turns.Claimed | None = None
        self._busy = asyncio.Lock()
        self._dropped = False
        self._asked: deque[str] = deque(maxlen=ASKED)
        self._died: dict[str, float] = {}
        self._later: set[asyncio.Task[None]] = set()
        self.draining = False
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        """Takes back what a dead process of this name held, and starts the child."""
        log.info("render_starts", owner=self._owner, taken_back=await self._take_back())
        await self._child.start()

    async def _take_back(self) -> int:
        return await turns.take_back(self._database, self._owner) + await self._tasks.take_back()

    def drain(self) -> None:
        """Takes nothing more; what nobody waits for goes back to the queue."""
        self.draining = True
        self._tasks.draining = True

    async def close(self) -> None:
        await self._child.end()

    async def look(self, _ctx: dict[Any, Any], _turn_id: str) -> None:
        """Claims until nothing is claimable."""
        async with self._busy:
            until = time.monotonic() + LOOK_S
            while not self.draining:
                if time.monotonic() > until:
                    return await self._queue.ring_render("more")
                if not await self._take_one():
                    return None

    async def _take_one(self) -> bool:
        """False where nothing is claimable. An absent database is waited for; what was in hand then is taken back."""
        try:
            if self._dropped:
                await self._take_back()
                self._dropped = False
            await self._restart()
            return await self._take_turn() or await self._tasks.take_one()
        except DatabaseUnavailable:
            log.warning("database_away")
            self._dropped = True
            await asyncio.sleep(AWAY_S)
            return True

    async def _take_turn(self) -> bool:
        claimed = await turns.claim(self._database, self._owner, self._settings.lease_s)
        if claimed is not None:
            await self._hold(claimed)
        return claimed is not None

    async def listen(self) -> None:
        """Passes the user's word to cancel on, as soon as it is said."""
        while True:
            with suppress(QueueUnavailable):
                async with aclosing(self._queue.listen(CANCELS)) as cancels:
                    async for turn_id in cancels:
                        self._asked.append(turn_id)
                        if self._running is not None and str(self._running.id) == turn_id:
                            await self._child.stop(turn_id)
            await asyncio.sleep(1.0)

    async def _hold(self, claimed: turns.Claimed) -> None:
        ids = {"turn_id": str(claimed.id), "conversation_id": str(claimed.turn["conversation_id"])}
        with log_context(**ids):
            self._running = claimed
            if str(claimed.id) in self._asked:
                await self._child.stop(str(claimed.id))  # asked between the claim and here
            beat = asyncio.create_task(self._beat(claimed))
            try:
                await self._run(claimed)
            except LeaseLost:
                log.warning("lease_lost")
                await self._child.kill()
            except BaseException:
                # What the child still does belongs to nobody: it must not answer the next turn's job.
                await self._child.kill()
                raise
            finally:
                self._running = None
                beat.cancel()
                await asyncio.gather(beat, return_exceptions=True)

    async def _beat(self, claimed: turns.Claimed) -> None:
        """Renews the lease while the child reports progress; a silent child is killed, and the turn with it. Once the
        job has ended the child is left alone: what ends the turn then ends the lease too."""
        while True:
            await asyncio.sleep(self._settings.heartbeat_s)
            if self._child.works and self._child.silent_s > self._settings.lease_s:
                log.error("child_silent")
                await self._child.kill()
                return
            try:
                asked = await turns.renew(self._database, claimed.id, claimed.fence, self._settings.lease_s)
            except LeaseLost:
                if self._child.works:
                    await self._child.kill()
                return
            except DatabaseUnavailable:
                continue
            if asked:
                await self._child.stop(str(claimed.id))

    async def _run(self, claimed: turns.Claimed) -> None:
        began = time.monotonic()
        recorder = Recorder(self._database, self._queue, claimed, self._settings.media_dir, self._settings.lease_s)
        try:
            state = await self._answer(claimed, recorder)
        except asyncio.CancelledError:
            await self._child.kill()
            with suppress(LeaseLost, DatabaseUnavailable):
                await recorder.flush()
                await turns.requeue(self._database, claimed, refund=True)
            raise
        finally:
            await recorder.abandon()
        if state != "requeued":
            await self._sweep(claimed, recorder)
        self._count(recorder, state)
        log.info("turn_ends", state=state, seconds=round(time.monotonic() - began, 3))
        await self._tell(claimed)

    async def _sweep(self, claimed: turns.Claimed, recorder: Recorder) -> None:
        """What an earlier attempt gave to the courier may still be on its way: it stays, and so does everything while
        that can't be asked."""
        media, given = self._settings.media_dir, frozenset[str]()
        if claimed.fence > 1:
            try:
                given = await outbox.files(self._database, claimed.id)
            except DatabaseUnavailable:
                return
        sweep(media / str(claimed.id), [*recorder.files, *(media / name for name in given)])

    async def _answer(self, claimed: turns.Claimed, recorder: Recorder) -> str:
        """The turn's state after this attempt."""
        if claimed.turn["cancel_requested"]:
            await recorder.cancelled()
            return recorder.state
        if claimed.turn["attempts"] > ATTEMPTS:
            return await self._give_up(recorder, {"code": ChildDied.code, "message_id": ChildDied.message_id})
        try:
            end = await self._reports(claimed, recorder)
        except (ChildDied, StorageError) as error:
            log.warning("child_died", code=error.code, attempt=claimed.turn["attempts"])
            self._metrics.child_restart()
            end = {"kind": "failed", "code": error.code, "permanent": False, "message_id": error.message_id}
        return await self._end(claimed, recorder, end)

    async def _reports(self, claimed: turns.Claimed, recorder: Recorder) -> Report:
        job = make_job(claimed, self._settings, self._resting())
        end: Report = {}
        async with aclosing(self._child.run(job.turn_id, {"do": "run", "job": job.packed()})) as reports:
            async for report in reports:
                if report["kind"] == "exhausted":
                    self._metrics.out_of_memory(report["layer"], report["engine"])
                await recorder.take(report)
                end = report
        return end

    def _resting(self) -> tuple[str, ...]:
        """Engines of the picture that a child died in a moment ago: the next one knows nothing of it."""
        return tuple(name for name, at in self._died.items() if time.monotonic() - at < REST_S)

    async def _restart(self) -> None:
        """A child that died and won't start again ends this process; the supervisor backs off and starts both anew."""
        if self._child.alive or self.draining:
            return
        try:
            await self._child.start()
        except (ConfigurationError, ChildDied) as error:
            if not self.broken.done():
                self.broken.set_exception(error)
            raise

    async def _end(self, claimed: turns.Claimed, recorder: Recorder, end: Report) -> str:
        if end["kind"] == "done":
            await recorder.rendered()
            return recorder.state
        if end["kind"] == "cancelled" or await self._cancel_asked(claimed):
            await recorder.cancelled()
            return recorder.state
        if end["code"] == ChildDied.code and (engine := recorder.died()):
            self._died[engine] = time.monotonic()
        log.warning("turn_failed", code=end["code"], layer=end.get("layer"), detail=end.get("detail"))
        attempts = int(claimed.turn["attempts"])
        if end["permanent"] or attempts >= ATTEMPTS:
            return await self._give_up(recorder, end)
        await recorder.flush()
        state = await turns.requeue(self._database, claimed, delay_s=BACK_OFF_S[attempts - 1])
        if state is not TurnState.QUEUED:
            return state
        self._ring_later(BACK_OFF_S[attempts - 1])
        return "requeued"

    async def _give_up(self, recorder: Recorder, end: Report) -> str:
        await recorder.failed(end)
        return recorder.state

    async def _cancel_asked(self, claimed: turns.Claimed) -> bool:
        """A child that was killed because it did not stop in time leaves no word of its own."""
        return await turns.renew(self._database, claimed.id, claimed.fence, self._settings.lease_s)

    def _ring_later(self, delay_s: float) -> None:
        async def ring() -> None:
            await asyncio.sleep(delay_s)
            with suppress(QueueUnavailable):
                await self._queue.ring_render("again")

        task = asyncio.create_task(ring())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _tell(self, claimed: turns.Claimed) -> None:
        with suppress(QueueUnavailable):
            await self._queue.tell(claimed.turn["conversation_id"], claimed.id, {"layer": None, "progress": 1.0})

    def _count(self, recorder: Recorder, state: str) -> None:
        """What all attempts took, when the last one has ended."""
        if state == "requeued":
            return
        for layer, ms in recorder.timings.items():
            self._metrics.layer(layer, recorder.engines.get(layer, ""), ms / 1000)
        for layer, memory in recorder.memory.items():
            for kind, mb in memory.items():
                self._metrics.memory(layer, recorder.engines.get(layer, ""), kind, mb)
        for step in recorder.steps:
            self._metrics.step(step["layer"])
        if recorder.choice is not None:
            self._metrics.choice(recorder.choice["video"] or "none", recorder.choice["why"])
        if state in ENDS:
            self._metrics.turn(state)


def make_job(claimed: turns.Claimed, settings: Settings, resting: Sequence[str] = ()) -> Job:
    """The turn as the pipeline wants it; paths become absolute. A video is as large as the settings say, and no larger
    than the channel takes. resting: engines of the picture that other turns had better not use."""
    turn, conversation, media = claimed.turn, claimed.conversation, settings.media_dir
    limits = limits_of(conversation["channel"])
    outputs: dict[str, dict[str, Any]] = {}
    for row in claimed.outputs:
        data = dict(row["data"])
        if "path" in data:
            data["path"] = str(media / data["path"])
        outputs.setdefault(row["layer"], {})[str(row["part"])] = data
    return Job(
        turn_id=str(claimed.id),
        folder=str(media / str(claimed.id) / str(claimed.fence)),
        avatar=turn["avatar"],
        modes=tuple(turn["modes"]),
        text=turn["input_text"],
        media=str(media / turn["input_media"]) if turn["input_media"] else None,
        language=turn["language"],
        known_language=conversation["language"] or conversation["hint"],
        voice=turn["voice"],
        emotion_enabled=turn["emotion_enabled"],
        history=tuple({"role": line["role"], "text": line["text"]} for line in claimed.history),
        outputs=outputs,
        width=min(limits.video_width, settings.canvas_size),
        height=min(limits.video_height, settings.canvas_size),
        fps=limits.fps,
        max_video_bytes=limits.max_video_bytes,
        thumbnail=limits.thumbnails,
        deadline_s=settings.deadline_s - claimed.age_s if settings.deadline_s else None,
        waiting=claimed.waiting,
        avoid=tuple(dict.fromkeys((*avoided(turn), *resting))),
    )


def avoided(turn: Mapping[str, Any]) -> tuple[str, ...]:
    """Engines of the picture that the child died in; in the last attempt also what was chosen in the one before: where
    this process died too, nobody could tell."""
    died = [step["engine"] for step in turn["steps"] if step["code"] == ChildDied.code]
    chosen = (turn["choice"] or {}).get("video")
    if turn["attempts"] >= ATTEMPTS and chosen is not None:
        died.append(chosen)
    return tuple(died)


def environment(settings: Settings) -> dict[str, str]:
    """What the child must know that this process may have from elsewhere than the environment."""
    named = {"PROFILE": settings.profile, "DATA_DIR": str(settings.data_dir), "LOG_LEVEL": settings.log_level}
    return {f"SMARTTALKER_{name}": value for name, value in named.items()}


async def serve(settings: Settings) -> None:
    identity = Identity(settings.data_dir, "render")
    EngineSet(settings.engine, place_of(settings)).check(LANGUAGES)
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, size=8)
        stack.push_async_callback(database.close)
        queue = await Queue.open(settings.redis_url)
        stack.push_async_callback(queue.close)
        renderer = Renderer(settings, database, queue, Metrics(settings.data_dir / "metrics"), identity.name)
        stack.push_async_callback(renderer.close)
        await renderer.start()
        look: Callable[..., Any] = renderer.look
        worker = arq_worker(queue, RENDER, [func(look, name="look", timeout=LONGEST_S)], max_jobs=1)
        ears = asyncio.create_task(renderer.listen())
        first = asyncio.create_task(renderer.look({}, "start"))
        works = await until_stopped(worker, renderer.broken)
        renderer.drain()
        await finish(works, [first, *worker.job_tasks.values()], DRAIN_S)
        ears.cancel()
        await asyncio.gather(ears, return_exceptions=True)
        if renderer.broken.done():
            await renderer.broken
        log.info("render_ends")


def main(settings: Settings) -> None:
    """Runs the render worker; settings have both URLs. Raises SmartTalkerError where it can't start or go on."""
    start(serve(settings))
