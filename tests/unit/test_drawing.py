"""The picture's side of a turn: engines of every rate, size and speed, and what enlarges their frames."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from core.catalogue import Avatar, Catalogue
from core.errors import Cancelled, UpscaleError, VideoError
from core.kinds import Layer
from core.settings import HOME
from worker.deciding import budget, guard
from worker.deciding.speeds import FILE, Speeds
from worker.engines.base import Needs, Place
from worker.engines.registry import make
from worker.engines.tts.base import Speech
from worker.engines.upscale.fake import Fake as FakeUpscale
from worker.engines.video.base import Canvas, Frame
from worker.engines.video.fake import Fake as FakeVideo
from worker.gpu import EngineSet
from worker.job import Job
from worker.lending import Lender
from worker.pipeline import SmartTalkerPipeline
from worker.scaling import Enlarging, Timed

LONG = "One sentence. Another one. And a third one."


class Engine(FakeVideo):
    """Works so long before its first frame, and for each frame. side: of its frames; 0: the canvas's."""

    def __init__(
        self,
        *,
        side: int = 0,
        rate: int = 25,
        calls: int = 0,
        call_s: float = 0.0,
        frame_s: float = 0.0,
        pace_s: float = 0.0,
        refuses: str | None = None,
        **needs: Any,
    ) -> None:
        self.needs = Needs(pace_s=pace_s, **needs)  # type: ignore[misc]
        self._side, self._rate = side, rate
        self._calls, self._call_s, self._frame_s, self._refuses = calls, call_s, frame_s, refuses
        self.watch: Callable[[float], None] = self.unwatched
        self.begun = self.drawn = 0
        self.told: list[float] = []

    def unwatched(self, share: float) -> None:
        self.told.append(share)

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return (self._side, self._side) if self._side else (canvas.width, canvas.height)

    def rate(self, canvas: Canvas) -> int:
        return self._rate

    def refuses(self, avatar: Avatar) -> str | None:
        return self._refuses

    def frames(self, speech: Iterable[Speech], *, canvas: Canvas, **kwargs: Any) -> Iterator[Frame]:
        self.begun += 1
        if self._calls:
            speech = self._sampled(list(speech))
        width, height = self.size(canvas)
        for frame in super().frames(speech, canvas=Canvas(width, height, self._rate), **kwargs):
            time.sleep(self._frame_s)
            self.drawn += 1
            yield frame

    def _sampled(self, speech: list[Speech]) -> list[Speech]:
        for call in range(self._calls + 1):
            time.sleep(self._call_s if call else 0.0)
            self.watch(0.9 * call / self._calls)
        return speech


class Upscaler(FakeUpscale):
    """Takes so long for a frame, and fails at one of them; takes several at once."""

    def __init__(self, name: str, *, frame_s: float = 0.0, fails_at: int = -1, at_once: int = 1) -> None:
        self.name = name  # type: ignore[misc]
        self._frame_s, self._fails_at, self._at_once = frame_s, fails_at, at_once
        self.done = 0

    def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
        waiting = iter(frames)
        while held := list(itertools.islice(waiting, self._at_once)):
            for frame in held:
                if self.done == self._fails_at:
                    raise UpscaleError("as agreed")
                time.sleep(self._frame_s)
                self.done += 1
                yield self._resize(frame, width, height)


class Cast(EngineSet):
    """Engines of the test for the picture, the first of each layer chosen; fakes for the other layers."""

    def __init__(self, video: Mapping[str, Any], upscale: Mapping[str, Any] | None = None, **place: Any) -> None:
        self._given = {Layer.VIDEO: video, Layer.UPSCALE: upscale or {}}
        super().__init__(lambda layer, language: "fake", Place(**place), make=self._made)

    def name(self, layer: Layer, language: str | None = None) -> str:
        return self.names(layer)[0]

    def names(self, layer: Layer, language: str | None = None) -> tuple[str, ...]:
        return tuple(self._given.get(layer, ())) or ("fake",)

    def _made(self, layer: Layer, name: str, place: Place) -> Any:
        given = self._given.get(layer, {}).get(name)
        return make(layer, name, place) if given is None else given


class Reports:
    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, kind: str, **data: Any) -> None:
        self.all.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.all if name == kind]

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        return [(data["layer"], data["engine"], data["then"]) for data in self.of("step")]

    @property
    def choices(self) -> list[tuple[str | None, str | None, str]]:
        return [(data["video"], data["upscale"], data["why"]) for data in self.of("choice")]

    @property
    def progress(self) -> list[float]:
        return [data["progress"] for data in self.of("layer") if data["layer"] == "video"]

    @property
    def video(self) -> dict[str, Any]:
        return self.of("video")[0]

    @property
    def drew(self) -> str:
        return next(data["engine"] for data in self.of("time") if data["layer"] == "video")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job("t", str(tmp_path / "1"), "layla", ("video",), text="One sentence.", width=64, height=64)


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines are judged after a moment."""
    monkeypatch.setattr(guard, "SEEN_S", 0.1)
    monkeypatch.setattr(guard, "ENLARGED_S", 0.1)


def run(job: Job, cast: Cast | SmartTalkerPipeline, stop: threading.Event | None = None) -> Reports:
    reports = Reports()
    pipeline = cast if isinstance(cast, SmartTalkerPipeline) else SmartTalkerPipeline(cast, Catalogue(HOME))
    pipeline.run(job, reports, stop or threading.Event())
    return reports


def rate_of(path: str) -> float:
    with av.open(path) as container:
        rate = container.streams.video[0].average_rate
        assert rate is not None
        return float(rate)


# ---- rates and sizes


@pytest.mark.parametrize("rate", [24, 25, 30])
def test_a_clip_has_its_engines_rate(job: Job, rate: int) -> None:
    reports = run(job, Cast({"musetalk": Engine(rate=rate)}))
    assert rate_of(reports.video["path"]) == pytest.approx(rate, rel=0.01)
    voice = reports.of("voice")[0]
    assert reports.video["frames"] == int(np.ceil(round(voice["seconds"] * rate, 6)))
    assert reports.video["seconds"] == pytest.approx(voice["seconds"], abs=1 / rate)
    assert reports.choices == [], "there was nothing to choose"


def test_frames_that_are_larger_are_averaged(job: Job) -> None:
    upscaler = Upscaler("realesrgan")
    reports = run(job, Cast({"echomimic": Engine(side=96)}, {"realesrgan": upscaler}))
    assert (reports.video["width"], reports.video["height"], upscaler.done) == (64, 64, 0)
    assert {data["layer"] for data in reports.of("time")} == {"video"}


def test_frames_that_are_smaller_are_enlarged(job: Job) -> None:
    reports = run(job, Cast({"echomimic": Engine(side=48)}, {"realesrgan": Upscaler("realesrgan")}))
    assert (reports.video["width"], reports.choices) == (64, [("echomimic", "realesrgan", "no_deadline")])
    took = {data["layer"]: data["engine"] for data in reports.of("time")}
    assert took == {"video": "echomimic", "upscale": "realesrgan"}


# ---- what an engine tells while it works


def test_one_bar_for_what_comes_before_the_frames_and_for_them(job: Job) -> None:
    engine = Engine(calls=6, call_s=0.01, side=48)
    reports = run(job, Cast({"echomimic": engine}))
    assert reports.progress == sorted(reports.progress)
    assert 0.9 in reports.progress
    assert 0.9 < max(reports.progress) <= 1.0
    engine.watch(0.5)
    assert engine.told == [0.5], "nobody watches any more"


def test_a_second_engine_does_not_set_the_bar_back(job: Job) -> None:
    class Fails(Engine):
        def _sampled(self, speech: list[Speech]) -> list[Speech]:
            super()._sampled(speech)
            raise VideoError("as agreed")

    reports = run(job, Cast({"echomimic": Fails(calls=4), "puppet": Engine()}))
    assert reports.drew == "puppet"
    assert reports.progress == sorted(reports.progress)


def test_what_is_watched_is_cancelled_between_two_calls(job: Job) -> None:
    stop = threading.Event()

    class Stops(Engine):
        def _sampled(self, speech: list[Speech]) -> list[Speech]:
            stop.set()
            return super()._sampled(speech)

    engine = Stops(calls=1000, call_s=0.01)
    with pytest.raises(Cancelled):
        run(job, Cast({"echomimic": engine, "puppet": Engine()}), stop)
    assert engine.drawn == 0
    engine.watch(1.0)
    assert engine.told == [1.0]


# ---- the choice


@pytest.mark.parametrize(
    ("video", "asked", "drew", "why", "left_out"),
    [
        ({"echomimic": Engine(pace_s=5), "puppet": Engine()}, {}, "echomimic", "no_deadline", []),
        ({"echomimic": Engine(pace_s=5), "puppet": Engine()}, {"deadline_s": 500.0}, "echomimic", "in_time", []),
        ({"echomimic": Engine(pace_s=5), "puppet": Engine()}, {"deadline_s": 9.0}, "puppet", "faster", ["echomimic"]),
        (
            {"echomimic": Engine(pace_s=5), "puppet": Engine()},
            {"deadline_s": 500.0, "waiting": 20},
            "puppet",
            "faster",
            ["echomimic"],
        ),
        (
            {"echomimic": Engine(pace_s=5), "puppet": Engine(pace_s=2)},
            {"deadline_s": -9.0},
            "puppet",
            "fastest",
            ["echomimic"],
        ),
        (
            {"echomimic": Engine(refuses="no hands"), "puppet": Engine()},
            {"deadline_s": 500.0},
            "puppet",
            "stands_in",
            ["echomimic"],
        ),
        ({"echomimic": Engine(refuses="no hands"), "puppet": Engine()}, {}, "puppet", "stands_in", ["echomimic"]),
        ({"echomimic": Engine(), "puppet": Engine()}, {"avoid": ["echomimic"]}, "puppet", "stands_in", ["echomimic"]),
        (
            {"echomimic": Engine(), "puppet": Engine()},
            {"avoid": ["puppet"], "deadline_s": 500.0},
            "echomimic",
            "in_time",
            ["puppet"],
        ),
        (
            {"echomimic": Engine(), "puppet": Engine()},
            {"avoid": ["echomimic", "puppet"]},
            "puppet",
            "stands_in",
            ["echomimic"],
        ),
    ],
    ids=[
        "no deadline",
        "time enough",
        "too little",
        "a queue",
        "too late",
        "refused",
        "refused without a deadline",
        "died",
        "a stand-in died",
        "all died",
    ],
)
def test_what_draws_and_why(
    job: Job, video: dict[str, Engine], asked: dict[str, Any], drew: str, why: str, left_out: list[str]
) -> None:
    reports = run(replace(job, **asked), Cast(video))
    assert reports.drew == drew
    assert reports.choices[-1] == (drew, None, why)
    assert [each["engine"] for each in reports.of("choice")[-1]["left_out"]] == left_out
    assert reports.steps == [], "a choice is no step down"


def test_an_avatar_that_nothing_can_draw_is_answered_by_voice(job: Job) -> None:
    reports = run(job, Cast({"echomimic": Engine(refuses="no hands"), "musetalk": Engine(refuses="no film")}))
    assert reports.of("video") == []
    assert reports.steps == [("video", "musetalk", "voice")]
    assert reports.choices == [(None, None, "none")]
    (step,) = reports.of("step")
    assert step["code"] == "video_failed"
    assert "no film" in step["detail"]


def test_a_failure_after_the_choice_is_a_step_and_another_choice(job: Job) -> None:
    class Fails(Engine):
        def frames(self, speech: Iterable[Speech], **kwargs: Any) -> Iterator[Frame]:
            yield from itertools.islice(super().frames(speech, **kwargs), 3)
            raise VideoError("as agreed")

    cast = Cast({"echomimic": Fails(), "musetalk": Engine(pace_s=100.0), "puppet": Engine()})
    reports = run(replace(job, deadline_s=60.0), cast)
    assert reports.steps == [("video", "echomimic", "puppet")]
    assert reports.choices == [("echomimic", None, "in_time"), ("puppet", None, "faster")]
    assert reports.of("choice")[-1]["left_out"][0] == {"engine": "echomimic", "why": "failed: video_failed"}


def test_one_that_waits_for_the_end_of_speech_is_chosen_by_the_length_that_is_known_then(job: Job) -> None:
    """The usual answer takes 15 s; this one a tenth of it."""
    cast = Cast({"echomimic": Engine(pace_s=1.0, exclusive=True), "puppet": Engine()})
    reports = run(replace(job, deadline_s=16.5), cast)
    assert reports.choices == [("echomimic", None, "in_time")]
    assert reports.of("choice")[0]["estimate_s"] == pytest.approx(reports.of("voice")[0]["seconds"], abs=0.1)
    kinds = [kind for kind, data in reports.all if kind in ("voice", "choice")]
    assert kinds == ["voice", "choice"]


def test_an_answer_that_is_longer_than_usual_is_drawn_by_another(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text promises less than it holds, and it is spoken after the choice."""
    monkeypatch.setattr(budget, "CHARACTERS_A_SECOND", 1000.0)
    Speeds(tmp_path / FILE).add("answers | en", 1.0, 1.0)
    slow, long = Engine(pace_s=10.0, calls=2), replace(job, text=f"#sleep 0.5 tts {LONG}", deadline_s=20.0)
    reports = run(long, Cast({"echomimic": slow, "puppet": Engine()}, data=tmp_path))
    assert reports.choices == [("echomimic", None, "in_time"), ("puppet", None, "faster")]
    assert (slow.drawn, reports.drew, reports.steps) == (0, "puppet", [])


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("engine", [{"calls": 400, "call_s": 0.05}, {"frame_s": 0.4}], ids=["calls", "frames"])
def test_what_turns_out_far_too_slow_is_given_up_and_the_next_turn_knows(
    job: Job, tmp_path: Path, engine: dict[str, Any]
) -> None:
    slow, place = Engine(**engine), {"data": tmp_path}
    reports = run(replace(job, deadline_s=4.0), Cast({"echomimic": slow, "puppet": Engine()}, **place))
    assert reports.choices == [("echomimic", None, "in_time"), ("puppet", None, "faster")]
    assert (reports.drew, reports.steps) == ("puppet", [])
    assert reports.of("choice")[-1]["left_out"][0]["why"].startswith("too slow: ")
    again = Cast({"echomimic": slow, "puppet": Engine()}, **place)
    reports = run(replace(job, folder=str(tmp_path / "2"), deadline_s=6.0), again)
    assert (slow.begun, reports.drew) == (1, "puppet")


def test_what_a_clip_took_is_known_to_the_next_process(job: Job, tmp_path: Path) -> None:
    def choice(number: int, **asked: Any) -> dict[str, Any]:
        cast = Cast({"echomimic": Engine(frame_s=0.004, pace_s=99.0), "puppet": Engine()}, data=tmp_path)
        again = replace(job, folder=str(tmp_path / str(number)), text=LONG, **asked)
        return run(again, cast).of("choice")[-1]

    assert choice(1, deadline_s=60.0)["video"] == "puppet", "a guess"
    assert choice(2)["video"] == "echomimic"
    known = choice(3, deadline_s=60.0)
    assert (known["video"], known["why"]) == ("echomimic", "in_time")
    assert known["estimate_s"] < 15.0


# ---- enlarging


@pytest.mark.usefixtures("_quick")
def test_enlarging_is_dropped_in_the_middle_before_the_clip_is_late(job: Job, tmp_path: Path) -> None:
    slow, engine = Upscaler("realesrgan", frame_s=0.2), Engine(side=48)
    cast = Cast({"echomimic": engine}, {"realesrgan": slow, "lanczos": None}, data=tmp_path)
    reports = run(replace(job, text=LONG, deadline_s=4.0), cast)
    assert reports.choices == [("echomimic", "realesrgan", "in_time"), ("echomimic", "lanczos", "enlarging_late")]
    assert 3 <= slow.done < reports.video["frames"] - 5
    assert (reports.video["width"], engine.begun, reports.steps) == (64, 1, [])
    assert [data["engine"] for data in reports.of("time") if data["layer"] == "upscale"] == ["realesrgan", "lanczos"]
    again = replace(job, folder=str(tmp_path / "2"), text=LONG, deadline_s=4.0)
    assert run(again, cast).choices[0] == ("echomimic", None, "faster"), "the next turn knows"


def test_enlarging_steps_down_without_drawing_again(job: Job) -> None:
    engine, broken = Engine(side=48), Upscaler("facerestore", fails_at=5, at_once=4)
    names = {"facerestore": broken, "realesrgan": Upscaler("realesrgan", fails_at=0), "lanczos": None}
    reports = run(job, Cast({"echomimic": engine}, names))
    assert reports.steps == [("upscale", "facerestore", "realesrgan"), ("upscale", "realesrgan", "lanczos")]
    assert (engine.begun, reports.video["width"]) == (1, 64)
    assert reports.video["frames"] == engine.drawn


def enlarging(names: Mapping[str, Any], frames: Iterator[Frame], late: Callable[..., str | None]) -> Enlarging:
    cast = Cast({"echomimic": Engine()}, names)
    lender = Lender(cast, lambda kind, **data: None, lambda: None)
    drawn = Timed[Any](frames)
    return Enlarging(lender, lambda kind, **data: None, list(names), drawn, (8, 8), lambda name: None, late)


def numbered(count: int) -> Iterator[Frame]:
    """Frames whose pixels are their number, each drawn over the one before."""
    frame = np.zeros((4, 4, 3), np.uint8)
    for number in range(count):
        frame[:] = number
        yield frame


@pytest.mark.parametrize("at_once", [1, 4, 7])
@pytest.mark.parametrize("changes_at", [0, 1, 5, 8, 19])
@pytest.mark.parametrize("how", ["fails", "late"])
def test_no_frame_is_lost_or_doubled_between_two_engines(how: str, changes_at: int, at_once: int) -> None:
    first = Upscaler("first", at_once=at_once, fails_at=changes_at if how == "fails" else -1)

    def late(name: str, frames: int, seconds: float) -> str | None:
        return "second" if how == "late" and name == "first" and frames > changes_at else None

    second = Upscaler("second", at_once=3)
    made = enlarging({"first": first, "second": second}, numbered(20), late)
    assert [int(frame[0, 0, 0]) for frame in made.frames()] == list(range(20))
    assert first.done + second.done >= 20
    left = 20 - changes_at - (how == "late")
    assert made.spent.get("second", (0, 0.0))[0] == left


def test_where_nothing_enlarges_the_error_is_told() -> None:
    made = enlarging({"first": Upscaler("first", fails_at=2)}, numbered(5), lambda *_: None)
    got: list[int] = []
    with pytest.raises(UpscaleError):
        got += (int(frame[0, 0, 0]) for frame in made.frames())


def test_what_drawing_raises_passes_through_what_enlarges() -> None:
    def fails() -> Iterator[Frame]:
        yield from numbered(3)
        raise VideoError("as agreed")

    made = enlarging({"first": Upscaler("first"), "second": Upscaler("second")}, fails(), lambda *_: None)
    with pytest.raises(VideoError):
        list(made.frames())
    assert set(made.spent) == {"first"}
