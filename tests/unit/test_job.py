"""What goes over the child's pipe, and back."""

from __future__ import annotations

import io
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from core.errors import LanguageUnsupported, LLMError, NotFound, StorageError
from core.kinds import Layer
from core.settings import Settings
from db.turns import Claimed
from worker.ahead import Ahead
from worker.child import Reporter, failure
from worker.frames import read_frame
from worker.job import Job
from worker.render import make_job

TURN = uuid.uuid4()
CHAT = uuid.uuid4()
ROW: dict[str, Any] = {
    "id": TURN,
    "conversation_id": CHAT,
    "seq": 1,
    "fence": 2,
    "avatar": "layla",
    "modes": ["text", "voice"],
    "input_text": "hi",
    "input_media": None,
    "language": None,
    "voice": "omar",
    "emotion_enabled": False,
    "attempts": 1,
    "steps": [],
    "choice": None,
}


def job(settings: Settings | None = None, channel: str = "web", age_s: float = 0.0, **changes: Any) -> Job:
    history = ({"role": "user", "text": "سؤال", "id": 1},)
    outputs = (
        {"layer": "llm", "part": 0, "data": {"text": "a"}},
        {"layer": "tts", "part": 1, "data": {"path": f"{TURN}/1/tts-001.npz", "text": "a"}},
    )
    claimed = Claimed({**ROW, **changes}, {"channel": channel, "language": "ar"}, history, outputs, age_s, 3)
    return make_job(claimed, settings or set_to())


def set_to(**values: Any) -> Settings:
    return Settings(_env_file=None, data_dir=Path("/"), **values)


def test_a_job_is_the_turn_with_absolute_paths() -> None:
    made = job()
    assert made.folder == f"/media/{TURN}/2"
    assert (made.avatar, made.voice, made.modes, made.text, made.media) == (
        "layla",
        "omar",
        ("text", "voice"),
        "hi",
        None,
    )
    assert (made.language, made.known_language, made.emotion_enabled) == (None, "ar", False)
    assert made.history == ({"role": "user", "text": "سؤال"},)
    assert made.saved("tts", 1) == {"path": f"/media/{TURN}/1/tts-001.npz", "text": "a"}
    assert made.saved("llm") == {"text": "a"}
    assert made.saved("tts") is made.saved("asr") is None
    assert (made.width, made.height, made.fps) == (512, 512, 25)
    assert job(input_media="in/a.wav").media == "/media/in/a.wav"


DIED = {"layer": "video", "engine": "echomimic", "code": "worker_died"}


@pytest.mark.parametrize(
    ("row", "avoid"),
    [
        ({}, ()),
        ({"attempts": 2, "choice": {"video": "echomimic"}}, ()),
        ({"attempts": 2, "steps": [DIED]}, ("echomimic",)),
        ({"attempts": 2, "steps": [{**DIED, "code": "video_failed"}]}, ()),
        ({"attempts": 3, "choice": {"video": "echomimic"}}, ("echomimic",)),
        ({"attempts": 3, "choice": {"video": None}}, ()),
        ({"attempts": 3, "choice": {"video": "musetalk"}, "steps": [DIED]}, ("echomimic", "musetalk")),
        ({"attempts": 3, "choice": {"video": "echomimic"}, "steps": [DIED]}, ("echomimic",)),
    ],
    ids=["first", "second", "died", "failed", "the last", "nothing drew", "two died", "one, and then another end"],
)
def test_what_an_attempt_died_in_is_not_used_again(row: dict[str, Any], avoid: tuple[str, ...]) -> None:
    made = job(**row)
    assert made.avoid == avoid
    assert Job.unpacked(json.loads(json.dumps(made.packed()))) == made


@pytest.mark.parametrize(
    ("channel", "values", "side"),
    [
        ("web", {}, 512),
        ("web", {"profile": "gpu"}, 1080),
        ("whatsapp", {"profile": "gpu"}, 1080),
        ("telegram", {"profile": "gpu"}, 640),
        ("telegram", {}, 512),
        ("web", {"video_size": 2160}, 1080),
        ("web", {"profile": "gpu", "video_size": 256}, 256),
    ],
    ids=str,
)
def test_a_video_is_as_large_as_the_settings_say_and_the_channel_takes(
    channel: str, values: dict[str, Any], side: int
) -> None:
    made = job(set_to(**values), channel)
    assert (made.width, made.height) == (side, side)


@pytest.mark.parametrize(
    ("deadline_s", "age_s", "left_s"), [(180.0, 0.0, 180.0), (180.0, 200.0, -20.0), (0.0, 200.0, None)]
)
def test_what_is_left_until_the_deadline(deadline_s: float, age_s: float, left_s: float | None) -> None:
    made = job(set_to(deadline_s=deadline_s), age_s=age_s)
    assert (made.deadline_s, made.waiting) == (left_s, 3)


def test_a_job_survives_the_pipe() -> None:
    made = job()
    assert Job.unpacked(json.loads(json.dumps(made.packed()))) == made


@pytest.mark.parametrize(("modes", "speaks"), [(("text",), False), (("voice",), True), (("text", "video"), True)])
def test_whether_it_speaks(modes: tuple[str, ...], speaks: bool) -> None:
    assert job(modes=list(modes)).speaks == speaks


@pytest.mark.parametrize(
    ("error", "code", "permanent", "layer"),
    [
        (LLMError("x"), "llm_failed", False, Layer.LLM),
        (LanguageUnsupported(), "language_unsupported", True, Layer.ASR),
        (StorageError("full"), "storage", False, None),
        (NotFound("no avatar"), "not_found", True, None),
        (ValueError("a secret"), "internal_error", False, None),
    ],
    ids=repr,
)
def test_what_is_told_of_an_error(error: Exception, code: str, permanent: bool, layer: Layer | None) -> None:
    told = failure(error)
    assert (told["code"], told["permanent"], told["layer"]) == (code, permanent, layer)
    assert "secret" not in json.dumps(told)


def told(file: io.BytesIO) -> list[dict[str, Any]]:
    file.seek(0)
    return [frame[0] for frame in iter(lambda: read_frame(file), None)]


def test_live_reports_are_thinned_out_and_the_others_are_not() -> None:
    file = io.BytesIO()
    report = Reporter(file)
    for number in range(50):
        report("partial", text=str(number))
        report("output", layer="tts", part=number)
        report("layer", layer="video", progress=number / 50)
    report("layer", layer="upscale", progress=0.0)
    kinds = [(each["kind"], each.get("layer")) for each in told(file)]
    assert kinds.count(("output", "tts")) == 50
    assert kinds.count(("partial", None)) == 1
    assert kinds.count(("layer", "video")) == 1
    assert kinds[-1] == ("layer", "upscale")


def test_reading_ahead_keeps_order_and_errors() -> None:
    def source() -> Any:
        yield from range(3)
        raise LLMError("the end")

    ahead = Ahead(source(), "test")
    assert [next(ahead) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LLMError, match="the end"):
        next(ahead)
    assert list(ahead) == []
    ahead.close()


def test_reading_ahead_stops_when_nobody_wants_more() -> None:
    closed = []

    def source() -> Any:
        try:
            number = 0
            while True:
                yield (number := number + 1)
        finally:
            closed.append(True)

    ahead = Ahead(source(), "test")
    assert next(ahead) == 1
    ahead.close()
    assert closed == [True]
