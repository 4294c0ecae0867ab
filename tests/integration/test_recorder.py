"""What the child's reports become in the tables: notices, and what a turn took over its attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID

import pytest

from core.i18n import t
from core.kinds import Layer
from core.queue import Queue
from db import turns
from db.intake import accept
from db.limits import STEP, Caps
from tests.helpers import CountingDatabase, inbound, outbox_of, post, rows, turn_row
from worker.recorder import GATHER_S, Recorder

CHANNELS = ("web", "telegram", "whatsapp")
Report = Mapping[str, Any]
ENGLISH, ARABIC = "The clinic opens at nine.", "تفتح العيادة في التاسعة."


class Turn:
    """One turn, attempt by attempt."""

    def __init__(self, database: CountingDatabase, queue: Queue, media: Path, turn_id: UUID) -> None:
        self._database, self._queue, self._media = database, queue, media
        self.id = turn_id

    async def attempt(self, *reports: Report) -> Recorder:
        """Claims the turn and takes the reports."""
        claimed = await turns.claim(self._database, "test", 30)
        assert claimed is not None
        assert claimed.id == self.id
        self.claimed = claimed
        recorder = Recorder(self._database, self._queue, claimed, self._media, 5.0)
        for report in reports:
            await recorder.take(report)
        return recorder

    async def again(self, *reports: Report) -> None:
        """An attempt whose child dies after the reports."""
        recorder = await self.attempt(*reports)
        await recorder.flush()
        await turns.requeue(self._database, self.claimed)

    async def whole(self, *reports: Report) -> None:
        """The last attempt."""
        await (await self.attempt(*reports)).rendered()

    async def sent(self) -> list[str]:
        return [row["payload"].get("id") or row["kind"] for row in await outbox_of(self._database, self.id)]

    async def notices(self) -> list[tuple[str, str]]:
        """Their texts and languages."""
        found = await outbox_of(self._database, self.id)
        return [(row["payload"]["text"], row["payload"]["language"]) for row in found if row["kind"] == "notice"]

    async def row(self) -> dict[str, Any]:
        return await turn_row(self._database, self.id)

    def file(self, kind: str, name: str) -> Report:
        path = self._media / str(self.id) / name
        return {"kind": kind, "path": str(path), "seconds": 1.0, "bytes": 9}


def spent(layer: str, engine: str, ms: float = 100.0, gpu: int = 0, ram: int = 200) -> dict[str, Any]:
    return {"layer": layer, "engine": engine, "ms": ms, "gpu_mb": gpu, "ram_mb": ram}


def output(layer: str, engine: str, part: int = 0, data: Mapping[str, Any] | None = None, **cost: Any) -> Report:
    return {"kind": "output", "part": part, "data": dict(data or {}), **spent(layer, engine, **cost)}


def answered(text: str = ENGLISH, language: str = "en", engine: str = "ollama", **cost: Any) -> Report:
    return output("llm", engine, data={"text": text, "language": language}, **cost)


def took(layer: str, engine: str, **cost: Any) -> Report:
    return {"kind": "time", **spent(layer, engine, **cost)}


def step(layer: Layer, engine: str, then: str | None, code: str = "x_failed") -> Report:
    return {"kind": "step", "layer": layer, "engine": engine, "code": code, "then": then, "detail": ""}


AWAY, CUT = step(Layer.LLM, "ollama", "answers"), step(Layer.LLM, "ollama", "cut", "llm_cut")
SIMPLER, NO_VIDEO = step(Layer.VIDEO, "echomimic", "puppet"), step(Layer.VIDEO, "puppet", "voice")
OTHER_VOICE, NO_VOICE = step(Layer.TTS, "voxcpm", "espeak", "tts_faulty"), step(Layer.TTS, "espeak", "text")


@pytest.fixture
async def turn(database: CountingDatabase, queue: Queue, tmp_path: Path, request: pytest.FixtureRequest) -> Turn:
    """Of a message on the channel that the test is for."""
    where = getattr(request, "param", "web")
    account = {} if where == "web" else {"channel": where, "account": "1"}
    return Turn(database, queue, tmp_path, await post(database, "When do you open?", **account))


# ---- notices


@pytest.mark.parametrize("turn", CHANNELS, indirect=True)
@pytest.mark.parametrize(
    ("steps", "made", "sent"),
    [
        ([], ["voice", "video"], ["text", "voice", "video"]),
        ([AWAY], ["voice", "video"], ["notice-step-answers", "text", "voice", "video"]),
        ([CUT], ["voice", "video"], ["text", "notice-step-cut", "voice", "video"]),
        ([SIMPLER], ["voice", "video"], ["text", "voice", "notice-step-simpler", "video"]),
        ([SIMPLER, NO_VIDEO], ["voice"], ["text", "voice", "notice-step-voice"]),
        ([NO_VOICE], [], ["text", "notice-step-text"]),
        ([OTHER_VOICE], ["voice", "video"], ["text", "notice-step-other-voice", "voice", "video"]),
        ([OTHER_VOICE, NO_VOICE], [], ["text", "notice-step-text"]),
        ([OTHER_VOICE, NO_VIDEO], ["voice"], ["text", "notice-step-other-voice", "voice", "notice-step-voice"]),
        (
            [AWAY, SIMPLER],
            ["voice", "video"],
            ["notice-step-answers", "text", "voice", "notice-step-simpler", "video"],
        ),
        ([AWAY, NO_VOICE], [], ["notice-step-answers", "text", "notice-step-text"]),
        ([CUT, NO_VIDEO], ["voice"], ["text", "notice-step-cut", "voice", "notice-step-voice"]),
    ],
    ids=lambda value: "+".join(each["then"] for each in value) if value and isinstance(value[0], Mapping) else None,
)
async def test_each_step_down_is_told_once_and_in_its_place(
    turn: Turn, steps: list[Report], made: list[str], sent: list[str]
) -> None:
    before = [each for each in steps if each["then"] == "answers"]
    after = [each for each in steps if each not in before]
    files = [turn.file(kind, f"{kind}.bin") for kind in made]
    await turn.whole(*before, answered(), *after, *files)
    assert await turn.sent() == sent
    assert (await turn.row())["steps"] == [{name: each[name] for name in ("layer", "engine", "code")} for each in steps]


@pytest.mark.parametrize("turn", CHANNELS, indirect=True)
async def test_attempts_repeat_no_notice(turn: Turn) -> None:
    made = (turn.file("voice", "voice.ogg"), SIMPLER)
    await turn.again(AWAY, answered(engine="answers"), *made)
    await turn.again(*made)
    await turn.whole(*made, turn.file("video", "video.mp4"))
    assert await turn.sent() == ["notice-step-answers", "text", "voice", "notice-step-simpler", "video"]
    assert [each["layer"] for each in (await turn.row())["steps"]] == ["llm", "video"]


CHOICE = {
    "video": "musetalk",
    "upscale": None,
    "why": "faster",
    "budget_s": 60.0,
    "estimate_s": 12.5,
    "left_out": [{"engine": "echomimic", "why": "too slow: 150 s in 60 s"}],
}


async def test_what_draws_is_kept_as_soon_as_it_is_known_and_the_last_word_stands(turn: Turn) -> None:
    recorder = await turn.attempt({"kind": "choice", **CHOICE, "video": "echomimic", "why": "in_time"})
    await asyncio.sleep(GATHER_S + 0.5)
    assert (await turn.row())["choice"]["video"] == "echomimic"
    await recorder.take({"kind": "choice", **CHOICE})
    for report in (answered(), turn.file("voice", "voice.ogg"), turn.file("video", "video.mp4")):
        await recorder.take(report)
    await recorder.rendered()
    assert (await turn.row())["choice"] == recorder.choice == CHOICE
    assert await turn.sent() == ["text", "voice", "video"], "a choice is no step down"


@pytest.mark.parametrize(
    ("drew", "steps"),
    [
        ([], []),
        ([{"kind": "choice", **CHOICE}], ["musetalk"]),
        ([{"kind": "choice", **CHOICE, "video": None}], []),
        ([{"kind": "choice", **CHOICE, "video": "echomimic"}, {"kind": "choice", **CHOICE}], ["musetalk"]),
        ([{"kind": "choice", **CHOICE}, "video"], []),
    ],
    ids=["before a choice", "while it drew", "nothing drew", "while the second drew", "after the video"],
)
async def test_what_drew_when_the_process_died_is_remembered_and_told_of(
    turn: Turn, drew: list[Any], steps: list[str]
) -> None:
    made = [turn.file("voice", "voice.ogg"), turn.file("video", "video.mp4")]
    recorder = await turn.attempt(answered(), *(made[1] if each == "video" else each for each in drew))
    assert recorder.died() == (steps[0] if steps else None)
    await recorder.flush()
    await turns.requeue(turn._database, recorder._claimed)
    kept = [{"layer": "video", "engine": engine, "code": "worker_died"} for engine in steps]
    assert (await turn.row())["steps"] == kept
    await turn.whole(*made)
    assert (await turn.row())["steps"] == kept
    assert ("notice-step-simpler" in await turn.sent()) == bool(steps)


async def test_a_video_is_no_simpler_where_the_engine_that_a_process_died_in_drew_it_after_all(turn: Turn) -> None:
    made = [turn.file("voice", "voice.ogg"), turn.file("video", "video.mp4")]
    recorder = await turn.attempt(answered(), {"kind": "choice", **CHOICE})
    assert recorder.died() == "musetalk"
    await recorder.flush()
    await turns.requeue(turn._database, recorder._claimed)
    await turn.whole(made[0], took("video", "musetalk"), made[1])
    assert [step["engine"] for step in (await turn.row())["steps"]] == ["musetalk"]
    assert await turn.sent() == ["text", "voice", "video"]


async def test_a_day_whose_videos_are_used_up_stays_told_however_often_it_is_tried(
    database: CountingDatabase, queue: Queue, tmp_path: Path
) -> None:
    await post(database, "hello")
    film = "UPDATE turns SET state = 'done', rendered_at = now(), video = '{\"seconds\"\\:9}' RETURNING conversation_id"
    message = inbound("hello", conversation_id=str((await rows(database, film))[0]["conversation_id"]))
    await accept(database, message, avatar="layla", caps=Caps(video_s=9))
    turn = Turn(database, queue, tmp_path, (await rows(database, "SELECT id FROM turns WHERE seq = 2"))[0]["id"])
    recorder = await turn.attempt(answered())
    await recorder.flush()
    await turns.requeue(database, recorder._claimed)
    await turn.whole(turn.file("voice", "voice.ogg"))
    assert (await turn.row())["steps"] == [STEP]
    assert await turn.sent() == ["text", "voice"]


async def test_a_stand_in_is_told_of_in_the_answers_language(turn: Turn) -> None:
    await turn.whole(AWAY, answered(ARABIC, "ar", "answers"), NO_VOICE)
    expected = [(t(name, "ar"), "ar") for name in ("notice-step-answers", "notice-step-text")]
    assert await turn.notices() == expected


@pytest.mark.parametrize(
    ("said", "language"), [("When do you open?", "en"), ("متى تفتحون؟", "ar"), ("12:30", "ar"), ("🙂", "ar")]
)
async def test_nothing_is_promised_that_does_not_come(
    database: CountingDatabase, queue: Queue, tmp_path: Path, said: str, language: str
) -> None:
    """The stand-in failed too: the person is told why, in the language of the question."""
    first = Turn(database, queue, tmp_path, await post(database, "مرحبا"))
    await first.whole(answered(ARABIC, "ar"))
    turn = Turn(database, queue, tmp_path, await post(database, said, after=first.id))
    recorder = await turn.attempt(AWAY)
    await recorder.failed({"code": "llm_failed", "layer": "llm", "message_id": "error-llm", "args": {}})
    assert await turn.notices() == [(t("error-llm", language), language)]
    assert (await turn.row())["state"] == "failed"


async def test_a_model_that_is_back_at_the_next_attempt_was_never_away(turn: Turn) -> None:
    await turn.again(AWAY)
    await turn.whole(answered())
    assert "notice-step-answers" not in await turn.sent()
    assert (await turn.row())["steps"] == []


def spoke(engine: str | None, part: int) -> Report:
    """A sentence; an earlier version did not write who spoke it."""
    data = {"text": "…", "seconds": 1.0} | ({} if engine is None else {"engine": engine})
    return output("tts", engine or "espeak", part, data)


# ---- what a turn took


async def test_memory_is_the_most_and_time_the_sum_of_parts_and_attempts(turn: Turn) -> None:
    await turn.again(
        output("emotion", "keywords", data={"emotion": "joy", "intensity": 1.0}, ms=5, ram=150),
        answered(ms=1000, gpu=9000, ram=300),
        output("tts", "espeak", 0, ms=50, gpu=0, ram=700),
        took("video", "puppet", ms=10, gpu=800, ram=100),
    )
    await turn.whole(
        output("tts", "espeak", 1, ms=70, gpu=20, ram=500),
        took("video", "puppet", ms=200, gpu=700, ram=900),
        turn.file("voice", "voice.ogg"),
        turn.file("video", "video.mp4"),
    )
    row = await turn.row()
    assert row["memory_mb"] == {
        "emotion": {"gpu": 0, "ram": 150},
        "llm": {"gpu": 9000, "ram": 300},
        "tts": {"gpu": 20, "ram": 700},
        "video": {"gpu": 800, "ram": 900},
    }
    assert row["timings_ms"] == {"emotion": 5.0, "llm": 1000.0, "tts": 120.0, "video": 210.0}
    assert row["engines"] == {"emotion": "keywords", "llm": "ollama", "tts": "espeak", "video": "puppet"}


async def test_a_process_that_is_killed_takes_nothing_along_that_was_written(turn: Turn) -> None:
    recorder = await turn.attempt(AWAY, answered(engine="answers", ms=30, ram=111))
    await asyncio.sleep(0.3)
    await recorder.abandon()
    await turns.take_back(turn._database, "test")
    await turn.whole(turn.file("voice", "voice.ogg"), turn.file("video", "video.mp4"))
    row = await turn.row()
    assert (row["engines"]["llm"], row["timings_ms"]["llm"]) == ("answers", 30.0)
    assert row["memory_mb"]["llm"]["ram"] == 111
    assert [each["layer"] for each in row["steps"]] == ["llm"]


async def test_what_is_made_anew_forgets_how_it_failed_before(turn: Turn) -> None:
    await turn.again(answered(), step(Layer.EMOTION, "transformers", "neutral"), NO_VOICE)
    await turn.whole(turn.file("voice", "voice.ogg"), turn.file("video", "video.mp4"))
    assert (await turn.row())["steps"] == []


@pytest.mark.parametrize(
    ("second", "told"), [("espeak", True), ("voxcpm", False), (None, False)], ids=["stood in", "spoke", "unnamed"]
)
async def test_a_voice_that_stood_in_for_what_was_kept_is_told_of(turn: Turn, second: str | None, told: bool) -> None:
    """The next attempt keeps the sentences, and so the stand-in where one spoke the last of them."""
    spoken = [spoke("voxcpm", 0), spoke(second, 1)]
    await turn.again(answered(ARABIC, "ar"), spoken[0], OTHER_VOICE, spoken[1])
    await turn.whole(turn.file("voice", "voice.ogg"), turn.file("video", "video.mp4"))
    notices = [(t("notice-step-other-voice", "ar"), "ar")] if told else []
    assert await turn.notices() == notices
    assert [each["engine"] for each in (await turn.row())["steps"]] == ["voxcpm"] * told


@pytest.mark.parametrize("pause_s", [0.0, 1.3])
async def test_what_somebody_said_is_remembered_however_long_the_answer_takes(
    database: CountingDatabase, queue: Queue, tmp_path: Path, pause_s: float
) -> None:
    """The transcript is written a second after it is known, the answer when it is there."""
    turn = Turn(database, queue, tmp_path, await post(database, None, media=f"{token_hex(4)}.ogg"))
    recorder = await turn.attempt(
        output("asr", "funasr", data={"text": "متى تفتحون؟", "language": "ar", "reply": None})
    )
    await asyncio.sleep(pause_s)
    await recorder.take(answered(ARABIC, "ar"))
    await recorder.rendered()
    said = await rows(database, "SELECT role, text FROM messages WHERE turn_id = :id ORDER BY id", id=turn.id)
    assert [(line["role"], line["text"]) for line in said] == [("user", "متى تفتحون؟"), ("assistant", ARABIC)]
