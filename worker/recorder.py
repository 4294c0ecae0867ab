"""Turns the child's reports into what Postgres keeps, in as few transactions as can be.

What somebody waits for (the text, the voice note, the end) is written at once; everything else waits a moment for
company. While one transaction is under way the next one gathers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.channels.registry import limits_of
from core.errors import ChildDied, DatabaseUnavailable, QueueUnavailable
from core.i18n import t
from core.kinds import Layer, Mode
from core.logging import get_logger
from core.queue import Queue
from core.states import TurnEvent, TurnState
from core.text import detect_language
from core.text.parts import shorten, split_text
from db import turns
from db.limits import VIDEO_DAY
from db.sessions import Database
from worker.live import Live

log = get_logger(__name__)

GATHER_S = 1.0
"""What a crash may cost; a sentence a transaction would be over the eight commits that a turn may take."""
COMPANY_S = 0.01
"""Nobody sees that the text comes so much later; a short answer's voice note then goes with it."""
RETRY_S = 0.5


_CUT = "cut"
"""What an answer goes on with that broke off: its beginning."""
_THOUGHT = (Layer.ASR, Layer.EMOTION, Layer.LLM)
"""Layers whose saved output is not made again by the next attempt."""
_PLACES = {"notice-step-answers": 3, "notice-step-cut": 4, "notice-step-simpler": 5, "notice-step-other-voice": 6}
"""The part of a notice that may stand beside another; 1 and 2 are the courier's."""
_PATHS = ("path", "thumbnail")
"""What names a file in a finished file's description."""


class Recorder:
    """The record of one claimed turn. `take` each report, then `end` or `abandon`."""

    def __init__(
        self, database: Database, queue: Queue, claimed: turns.Claimed, media: Path, patience_s: float
    ) -> None:
        """media: the folder that stored paths are relative to. patience_s: how long to wait for an absent database."""
        self._database = database
        self._queue = queue
        self._claimed = claimed
        self._media = media
        self._limits = limits_of(claimed.conversation["channel"])
        self._patience_s = patience_s
        self._next = turns.Save()
        self._urgent = asyncio.Event()
        self._filled = asyncio.Event()
        self._lock = asyncio.Lock()
        turn = claimed.turn
        self.engines: dict[str, str] = dict(turn["engines"])
        self.timings: dict[str, float] = dict(turn["timings_ms"])
        self.memory: dict[str, dict[str, int]] = dict(turn["memory_mb"])
        self.steps: list[dict[str, Any]] = [step for step in turn["steps"] if _still_so(step, claimed.outputs)]
        self.choice: dict[str, Any] | None = turn["choice"]
        self._drawing: str | None = None
        self._stands_in = False
        self._transcript: str | None = turn["transcript"]
        self.state = TurnState(turn["state"])
        """The turn's, when it was last written."""
        self.answer: str | None = turn["answer"]
        self.language: str | None = turn["answer_language"]
        self._modes = set(turn["modes"])
        self._voice: dict[str, Any] | None = None
        self._video: dict[str, Any] | None = None
        self._live = Live(queue, turn["conversation_id"], claimed.id)
        self._task = asyncio.create_task(self._write())

    async def take(self, report: Mapping[str, Any]) -> None:
        """Raises LeaseLost (from a write that failed meanwhile) and DatabaseUnavailable."""
        if self._task.done():
            await self._task
        kind = report["kind"]
        if kind in ("layer", "partial"):
            self._tell(report)
        elif taken := self._handlers().get(kind):
            taken(report)
            self._filled.set()

    def _handlers(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        return {
            "output": self._output,
            "time": self._time,
            "choice": self._chosen,
            "step": self._step,
            "voice": self._voiced,
            "video": self._filmed,
        }

    def _tell(self, report: Mapping[str, Any]) -> None:
        if report["kind"] == "layer":
            self._live.tell({"layer": report["layer"], "progress": report["progress"]})
        else:
            self._live.tell({"layer": Layer.LLM, "progress": 0.0, "text": report["text"]})

    def _output(self, report: Mapping[str, Any]) -> None:
        layer, data = report["layer"], dict(report["data"])
        self._time(report)
        if "path" in data:
            data["path"] = self._relative(data["path"])
        row = {"layer": layer, "part": report["part"], "data": data, "ms": report["ms"]}
        self._next.outputs.append(row)
        if layer == Layer.ASR:
            self._transcript = data["text"]
            self._next.columns["transcript"] = self._transcript
        elif layer == Layer.EMOTION:
            self._next.columns |= {"emotion": data["emotion"], "intensity": data["intensity"]}
        elif layer == Layer.LLM:
            self._answered(data)

    def _answered(self, data: Mapping[str, Any]) -> None:
        self.answer, self.language = data["text"], data["language"]
        self._next.columns |= {"answer": self.answer, "answer_language": self.language}
        self._next.language = self.language
        self._next.messages = [
            {"role": role, "text": text, "language": self.language}
            for role, text in (("user", self._asked()), ("assistant", self.answer))
            if text
        ]
        if self._stands_in:
            self._notice("notice-step-answers")
        if Mode.TEXT in self._modes:
            self._send_text()

    def _send_text(self) -> None:
        """The answer in as many messages as the channel needs."""
        for number, part in enumerate(split_text(self.answer or "", self._limits.text_length)):
            self._send("text", {"text": part, "language": self.language}, number)

    def _send(self, kind: str, payload: Mapping[str, Any], part: int = 0) -> None:
        self._next.outbox.append({"kind": kind, "payload": dict(payload), "part": part})
        self._urgent.set()

    def _time(self, report: Mapping[str, Any]) -> None:
        layer = str(report["layer"])
        self.engines[layer] = report["engine"]
        self.timings[layer] = round(self.timings.get(layer, 0.0) + report["ms"], 1)
        before = self.memory.get(layer, {})
        self.memory[layer] = {kind: max(before.get(kind, 0), report.get(f"{kind}_mb", 0)) for kind in ("gpu", "ram")}

    def _chosen(self, report: Mapping[str, Any]) -> None:
        self.choice = {name: value for name, value in report.items() if name != "kind"}
        self._drawing = report["video"]
        self._next.columns["choice"] = self.choice
        log.info("video_chosen", **self.choice)

    def _step(self, report: Mapping[str, Any]) -> None:
        self.steps.append({name: report[name] for name in ("layer", "engine", "code")})
        known = {name: report.get(name) for name in ("layer", "engine", "code", "then")}
        log.warning("step_down", **known, why=report.get("detail"))
        if report["layer"] == Layer.LLM and report["then"] == _CUT:
            self._notice("notice-step-cut")
        elif report["layer"] == Layer.LLM:
            self._stands_in = True  # told with the answer, in its language

    def _voiced(self, report: Mapping[str, Any]) -> None:
        self._voice = self._file(report)
        if any(step["layer"] == Layer.TTS for step in self.steps):
            self._notice("notice-step-other-voice")
        if Mode.VOICE in self._modes:
            self._next.columns["audio"] = self._voice
            self._send("voice", self._voice)

    def _filmed(self, report: Mapping[str, Any]) -> None:
        self._video = self._file(report)
        self._drawing = None

    def died(self) -> str | None:
        """The child died, or hung: what was drawing then has likely to do with it, and is left out of the next
        attempt. Its name."""
        if self._drawing is not None:
            step = {"layer": Layer.VIDEO.value, "engine": self._drawing, "code": ChildDied.code}
            self.steps.append(step)
            log.warning("step_down", **step, then=None, why="the process died while it drew")
        return self._drawing

    def _file(self, report: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in report.items() if name != "kind"}
        return kept | {name: self._relative(kept[name]) for name in _PATHS if name in kept}

    def _relative(self, path: str) -> str:
        return str(Path(path).relative_to(self._media))

    @property
    def files(self) -> list[Path]:
        """What the answer needs for good."""
        kept = [file for file in (self._voice, self._video) if file is not None]
        return [self._media / file[name] for file in kept for name in _PATHS if name in file]

    async def rendered(self) -> None:
        """Everything is there: the last rows and the state in one transaction."""
        if Mode.VIDEO in self._modes and self._video is not None:
            self._next.columns["video"] = self._video
            if self._is_simpler():
                self._notice("notice-step-simpler")
            self._send("video", self._video | self._caption())
        elif Mode.VIDEO in self._modes or (Mode.VOICE in self._modes and self._voice is None):
            self._step_down()
        await self._close(TurnEvent.RENDER)

    def _is_simpler(self) -> bool:
        """An engine failed before. One that a process died in, and that drew it in the end, takes nothing from it."""
        drew = {"engine": self.engines.get(Layer.VIDEO), "code": ChildDied.code}
        return any(step["layer"] == Layer.VIDEO and not drew.items() <= step.items() for step in self.steps)

    def _caption(self) -> dict[str, str]:
        """Whoever wants no text of its own reads it under the video, where the channel has a place for it."""
        if Mode.TEXT in self._modes or not self._limits.caption_length or not self.answer:
            return {}
        return {"caption": shorten(self.answer, self._limits.caption_length)}

    def _step_down(self) -> None:
        """The person is told, and gets the best that is there."""
        if self._voice is None:
            self._notice("notice-step-text")
        else:
            self._notice("notice-step-voice")
        if self._voice is not None and Mode.VOICE not in self._modes:
            self._next.columns["audio"] = self._voice
            self._send("voice", self._voice)
        elif self._voice is None and Mode.TEXT not in self._modes:
            self._send_text()

    def _notice(self, message_id: str, **args: Any) -> None:
        language = self.language or self._asked_in()
        notice = {"text": t(message_id, language, **args), "language": language, "id": message_id}
        self._send("notice", notice, _PLACES.get(message_id, 0))

    def _asked_in(self) -> str | None:
        """The language that the answer would have had."""
        turn, conversation = self._claimed.turn, self._claimed.conversation
        found = detect_language(self._asked() or "")
        return turn["language"] or found or conversation["language"] or conversation["hint"]

    def _asked(self) -> str | None:
        """What the person wrote or said."""
        return self._claimed.turn["input_text"] or self._transcript

    async def failed(self, report: Mapping[str, Any]) -> None:
        """No answer could be made: the turn ends, and the person is told why. A text that was made goes out."""
        if self.answer is not None:
            return await self.rendered()
        self._notice(report["message_id"], **report.get("args", {}))
        self._next.columns["error"] = {name: report.get(name) for name in ("code", "layer", "message_id", "args")}
        return await self._close(TurnEvent.FAIL)

    async def cancelled(self) -> None:
        await self._close(TurnEvent.CANCEL)

    async def _close(self, event: TurnEvent) -> None:
        await self._last_words()
        self._next.columns["layer"] = None
        self._next.event = event
        await self._flush()

    async def abandon(self) -> None:
        """Stops the writer behind the scenes; a transaction under way is finished first."""
        async with self._lock:
            self._task.cancel()
        await asyncio.gather(self._task, self._live.end(), return_exceptions=True)

    async def _last_words(self) -> None:
        """abandon, and raises what a write behind the scenes failed with: what it held is in no table."""
        await self.abandon()
        if not self._task.cancelled() and (error := self._task.exception()) is not None:
            raise error

    async def flush(self) -> None:
        """Writes what has gathered: before a turn goes back to the queue. Raises LeaseLost."""
        await self._last_words()
        if self._next or self.timings or self.steps:
            self._next.columns |= self._spent()
            await self._flush()

    def _spent(self) -> dict[str, Any]:
        """What the attempts took until now: kept with every write, so that a killed process takes none of it along."""
        return {
            "engines": self.engines.copy(),
            "timings_ms": self.timings.copy(),
            "memory_mb": self.memory.copy(),
            "steps": self.steps.copy(),
        }

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            try:
                async with asyncio.timeout(GATHER_S):
                    await self._urgent.wait()
            except TimeoutError:
                pass
            await asyncio.sleep(COMPANY_S)
            async with self._lock:
                await self._flush()

    async def _flush(self) -> None:
        what, self._next = self._next, turns.Save()
        self._filled.clear()
        self._urgent.clear()
        if not what:
            return
        what.columns |= self._spent()
        self.state = await self._patiently(what)
        if what.outbox or what.event is TurnEvent.RENDER:
            await self._ring()

    async def _patiently(self, what: turns.Save) -> TurnState:
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience_s
        while True:
            try:
                return await turns.save(self._database, self._claimed, what)
            except DatabaseUnavailable:
                if loop.time() > give_up:
                    raise
                await asyncio.sleep(RETRY_S)

    async def _ring(self) -> None:
        try:
            await self._queue.ring_courier(self._claimed.turn["conversation_id"])
        except QueueUnavailable:
            log.warning("courier_not_rung")


def _still_so(step: Mapping[str, Any], outputs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a step down of before holds for this attempt too: what came of it is not made again, nor is an engine
    used again that the process died in, and nobody gets more videos today than there are for one."""
    if step["code"] in (ChildDied.code, VIDEO_DAY):
        return True
    of_layer = [row for row in outputs if row["layer"] == step["layer"]]
    if step["layer"] == Layer.TTS:
        return bool(of_layer) and of_layer[-1]["data"].get("engine", step["engine"]) != step["engine"]
    return step["layer"] in _THOUGHT and bool(of_layer)
