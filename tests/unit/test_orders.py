"""What the child is told to do beside turns: which orders it takes, how it hears, how it films who waits."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Avatar, Catalogue
from core.errors import ASRError, Cancelled, LanguageUnsupported, NotUnderstood, VideoError
from core.settings import HOME
from worker.child import Orders, Reporter, serve
from worker.engines.asr.base import Transcript
from worker.engines.base import Needs
from worker.engines.video.base import Canvas
from worker.frames import write_frame
from worker.gpu import EngineSet
from worker.media import write_wav
from worker.orders.base import Bench
from worker.orders.hear import Hear
from worker.orders.idle import Idle
from worker.pipeline import SmartTalkerPipeline

RATE = 24_000


class Ear:
    """Answers in turn what it is given: by the language that it is asked for, or raises it."""

    name = "ear"
    needs = Needs()

    def __init__(self, *, dictates: bool = True, **answers: Transcript | Exception) -> None:
        self.dictates = dictates
        self.answers = answers
        self.heard: list[tuple[int, str | None]] = []

    def load(self) -> None: ...

    def unload(self) -> None: ...

    def transcribe(self, audio: NDArray[np.float32], *, language: str | None, **_: Any) -> Transcript:
        assert audio.dtype == np.float32
        self.heard.append((audio.size, language))
        answer = self.answers[language or "none"]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    write_wav(path, (0.3 * np.sin(np.arange(3 * RATE) / 20)).astype(np.float32), RATE)
    return path


class Reports(Reporter):
    """Keeps what is reported, and hangs up after so many ends: until then the render process is there."""

    def __init__(self, ends: int, pipe: IO[bytes]) -> None:
        super().__init__(io.BytesIO())
        self.kept: list[dict[str, Any]] = []
        self._ends, self._pipe = ends, pipe

    def __call__(self, kind: str, **data: Any) -> None:
        self.kept.append(json.loads(json.dumps({"kind": kind, **data})))
        if sum("worn" in report for report in self.kept) == self._ends:
            self._pipe.close()


def bench_of(engines: EngineSet) -> Bench:
    known = Catalogue(HOME)
    return Bench(engines, SmartTalkerPipeline(engines, known), known)


def told(engine: Any, *orders: dict[str, Any]) -> list[dict[str, Any]]:
    """What the child reports of these orders, with one engine for all."""
    engines = EngineSet(lambda layer, language: engine.name, make=lambda layer, name, place: engine)
    at_child, ours = (os.fdopen(end, mode) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    for order in orders:
        write_frame(ours, order)
    reports = Reports(len(orders), ours)
    with at_child:
        serve(bench_of(engines), Orders(at_child), reports)
    return reports.kept


def hear(path: Path, language: str | None = None, expected: str | None = "ar") -> dict[str, Any]:
    return {"do": "hear", "media": str(path), "language": language, "expected": expected}


AR, ZH, EN = (Transcript("مرحبا بكم", "ar", 0.7), Transcript("你好", "zh", 0.4), Transcript("hello", "en", 0.9))
NOTHING = {"text": "", "language": "", "confidence": 0.0}


@pytest.mark.parametrize(
    ("language", "answers", "asked", "result"),
    [
        (None, {"none": EN}, [None], EN),
        ("ar", {"ar": AR}, ["ar"], AR),
        (None, {"none": ZH, "ar": AR}, [None, "ar"], AR),
        (None, {"none": Transcript("你好", "zh", 0.8), "ar": AR}, [None, "ar"], Transcript("你好", "zh", 0.8)),
        (None, {"none": ZH, "ar": NotUnderstood()}, [None, "ar"], ZH),
        ("zh", {"zh": ZH}, ["zh"], ZH),
        (None, {"none": NotUnderstood()}, [None], None),
        ("tr", {"tr": LanguageUnsupported()}, ["tr"], None),
    ],
)
def test_a_recording_is_written_down(
    clip: Path, language: str | None, answers: dict[str, Any], asked: list[str | None], result: Transcript | None
) -> None:
    ear = Ear(**answers)
    *reports, end = told(ear, hear(clip, language))
    assert ear.heard == [(3 * 16_000, each) for each in asked]
    found = end["result"]
    assert (end["kind"], found) == ("done", NOTHING if result is None else result.__dict__)
    (spent,) = [report for report in reports if report["kind"] == "time"]
    assert (spent["layer"], spent["engine"]) == ("asr", "ear")


def test_an_ear_that_takes_no_dictation_is_not_asked(clip: Path) -> None:
    ear = Ear(dictates=False)
    assert told(ear, hear(clip))[-1]["result"] == NOTHING
    assert ear.heard == []


@pytest.mark.parametrize(
    ("seconds", "error", "code", "permanent"),
    [
        (None, EN, "not_found", True),
        (61, EN, "audio_invalid", True),
        (3, ASRError("broken"), "asr_failed", False),
        (3, ValueError("broken"), "asr_failed", False),
    ],
    ids=["gone", "long", "failed", "crashed"],
)
def test_what_can_not_be_heard_fails(
    tmp_path: Path, seconds: int | None, error: Any, code: str, permanent: bool
) -> None:
    path = tmp_path / "clip.wav"
    if seconds is not None:
        write_wav(path, np.zeros(seconds * RATE, np.float32), RATE)
    end = told(Ear(none=error), hear(path))[-1]
    assert (end["kind"], end["code"], end["permanent"]) == ("failed", code, permanent)


@pytest.mark.parametrize(
    "order", [{"do": "sing"}, {"do": "hear"}, {"do": "idle"}, {"do": "run", "job": {"x": 1}}, {"do": "run"}]
)
def test_an_order_that_can_not_be_read_fails_for_good_and_the_next_is_carried_out(
    clip: Path, order: dict[str, Any]
) -> None:
    ends = [report for report in told(Ear(none=EN), order, hear(clip)) if report["kind"] in ("done", "failed")]
    assert [(end["kind"], end.get("permanent")) for end in ends] == [("failed", True), ("done", None)]


class Artist:
    """Draws a stripe that goes round in 144 pictures, 24 a second, and is watched before the first."""

    name = "echomimic"
    needs = Needs(patience_s=5.0)
    watch = staticmethod(lambda share: None)

    def __init__(self, *errors: Exception, refuses: str | None = None, stop: threading.Event | None = None) -> None:
        self.errors = list(errors)
        self.refusal, self.stop = refuses, stop
        self.asked: list[tuple[str, float]] = []

    def load(self) -> None: ...

    def unload(self) -> None: ...

    def refuses(self, avatar: Avatar) -> str | None:
        return self.refusal

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return 96, 64

    def rate(self, canvas: Canvas) -> int:
        return 24

    def idle(self, avatar: Avatar, canvas: Canvas, seconds: float) -> Iterator[NDArray[np.uint8]]:
        self.asked.append((avatar.id, seconds))
        if self.stop is not None:
            self.stop.set()
        self.watch(0.5)
        for number in range(144):
            picture = np.full((64, 96, 3), 90, np.uint8)
            picture[:, (number * 96 // 144 + np.arange(12)) % 96] = 160
            yield picture
            self.watch(0.5 + number / 288)
            if self.errors:
                raise self.errors.pop()


def idle(path: Path, avatar: str = "layla") -> dict[str, Any]:
    return {"do": "idle", "avatar": avatar, "media": str(path)}


@pytest.mark.parametrize("errors", [[], [VideoError("full", exhausted=True)]], ids=["at once", "after making room"])
def test_an_avatar_that_waits_is_filmed(tmp_path: Path, errors: list[Exception]) -> None:
    artist, path = Artist(*errors), tmp_path / "new" / "echomimic.mp4"
    end = told(artist, idle(path))[-1]
    assert (end["kind"], end["result"]) == ("done", {"bytes": path.stat().st_size, "seconds": 144 / 25})
    assert artist.asked == [("layla", 6.0)] * (1 + len(errors))
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 25
        shown = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    assert (len(shown), shown[0].shape) == (144, (64, 96))
    # The last picture is followed by the first.
    assert abs(shown[-1] - shown[0]).mean() < 2
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("artist", "avatar", "code", "permanent"),
    [
        (Artist(VideoError("black")), "layla", "video_failed", False),
        (
            Artist(VideoError("full", exhausted=True), VideoError("full", exhausted=True)),
            "layla",
            "video_failed",
            False,
        ),
        (Artist(ValueError("broken")), "layla", "video_failed", False),
        (Artist(refuses="no hands"), "layla", "video_failed", True),
        (Artist(), "nobody", "not_found", True),
    ],
    ids=["fails", "never fits", "crashes", "refuses", "gone"],
)
def test_who_can_not_be_filmed(tmp_path: Path, artist: Artist, avatar: str, code: str, permanent: bool) -> None:
    end = told(artist, idle(tmp_path / "a.mp4", avatar))[-1]
    assert (end["kind"], end["code"], end["permanent"]) == ("failed", code, permanent)
    assert list(tmp_path.iterdir()) == []


def test_how_fast_it_films_is_remembered(tmp_path: Path) -> None:
    artist = Artist()
    bench = bench_of(EngineSet(lambda layer, language: artist.name, make=lambda layer, name, place: artist))
    Idle.read(idle(tmp_path / "a.mp4")).carry_out(bench, Reporter(io.BytesIO()), threading.Event())
    pace_s = bench.pipeline.speeds.of("cpu | video | echomimic |  | 96x64")
    assert pace_s is not None
    assert 0 < pace_s < 5


def test_filming_stops_before_its_first_picture(tmp_path: Path) -> None:
    stop = threading.Event()
    artist = Artist(stop=stop)
    engines = EngineSet(lambda layer, language: artist.name, make=lambda layer, name, place: artist)
    with pytest.raises(Cancelled):
        Idle.read(idle(tmp_path / "a.mp4")).carry_out(bench_of(engines), Reporter(io.BytesIO()), stop)
    assert artist.asked
    assert list(tmp_path.iterdir()) == []


def test_it_stops_when_it_is_told_to(clip: Path) -> None:
    engines = EngineSet(lambda layer, language: "ear", make=lambda layer, name, place: Ear(none=EN))
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        Hear.read(hear(clip)).carry_out(bench_of(engines), Reporter(io.BytesIO()), stop)
