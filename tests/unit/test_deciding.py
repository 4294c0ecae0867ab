"""Which engine draws a turn's picture: by deadline, queue, measured speeds and what engines say of the avatar."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.catalogue import Avatar, Catalogue
from core.errors import ModelMissing
from core.kinds import Layer
from core.settings import HOME
from worker.deciding import speeds as speeds_module
from worker.deciding.budget import CHARACTERS_A_SECOND, USUAL_S, Budget, length
from worker.deciding.candidates import Casting, Terms
from worker.deciding.choosing import Candidate, Choice, LeftOut, Why, choose
from worker.deciding.guard import FAR, SEEN_S, Guard, TooSlow
from worker.deciding.pace import Pace
from worker.deciding.speeds import GIVEN_UP_S, MOST, Speeds
from worker.engines.base import Needs, Place
from worker.engines.video.base import Canvas
from worker.gpu import EngineSet
from worker.lending import Lender
from worker.parts import Parts


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


# ---- the rule


def cast(echomimic: float, musetalk: float, puppet: float, realesrgan: float = 0.0) -> list[Candidate]:
    """The GPU profile's candidates with so many seconds of work a second of video."""
    return [
        Candidate("echomimic", "realesrgan", echomimic, realesrgan),
        Candidate("echomimic", None, echomimic),
        Candidate("musetalk", None, musetalk),
        Candidate("puppet", None, puppet),
    ]


LOADS = [Candidate("musetalk", None, 1.0, 0.0, 30.0), Candidate("puppet")]


@pytest.mark.parametrize(
    ("candidates", "budget", "chosen", "why", "left_out"),
    [
        (cast(3, 1, 0.1, 0.5), Budget(180, 0, 0), "echomimic+realesrgan", Why.IN_TIME, []),
        (cast(8.8, 1, 0.1, 0.5), Budget(180, 0, 0), "echomimic", Why.FASTER, ["realesrgan"]),
        (cast(10, 1, 0.1, 0.5), Budget(180, 0, 0), "musetalk", Why.FASTER, ["echomimic"]),
        (cast(3, 1, 0.1, 0.5), Budget(180, 3, 0), "musetalk", Why.FASTER, ["echomimic"]),
        (cast(3, 1, 0.1, 0.5), Budget(180, 11, 0), "puppet", Why.FASTER, ["echomimic", "musetalk"]),
        (cast(3, 1, 0.1, 0.5), Budget(-20, 0, 0), "puppet", Why.FASTEST, ["echomimic", "musetalk"]),
        (cast(3, 1, 2, 0.5), Budget(1, 0, 0), "musetalk", Why.FASTEST, ["echomimic", "puppet"]),
        (cast(99, 99, 99, 99), Budget(None, 50, 0), "echomimic+realesrgan", Why.NO_DEADLINE, []),
        (cast(0, 0, 0, 0), Budget(1, 9, 0), "echomimic+realesrgan", Why.IN_TIME, []),
        (cast(3, 1, 0.1, 99), Budget(180, 0, 0), "echomimic", Why.FASTER, ["realesrgan"]),
        ([Candidate("puppet", None, 9)], Budget(1, 0, 0), "puppet", Why.FASTEST, []),
        (LOADS, Budget(49, 0, 0), "puppet", Why.FASTER, ["musetalk"]),
        (LOADS, Budget(51, 0, 0), "musetalk", Why.IN_TIME, []),
    ],
    ids=[
        "time enough",
        "not for enlarging",
        "not for the best",
        "three wait",
        "eleven wait",
        "too late for all",
        "the fastest is not the last",
        "no deadline",
        "nothing is known",
        "a slow upscaler",
        "one alone",
        "no time to load it",
        "time to load it",
    ],
)
def test_the_best_that_is_done_in_time(
    candidates: list[Candidate], budget: Budget, chosen: str, why: Why, left_out: list[str]
) -> None:
    """Of an answer of 20 seconds."""
    candidate, reason, late = choose(candidates, 20.0, budget.seconds(now=0))
    assert "+".join(filter(None, (candidate.video, candidate.upscale))) == chosen
    assert reason is why
    assert [each.engine for each in late] == left_out
    assert all(each.why.startswith("too slow: ") for each in late)


def test_what_is_kept_with_the_turn_is_json() -> None:
    choice = Choice("puppet", None, Why.FASTER, 12.345, 3.21, (LeftOut("echomimic", "too slow: 99 s in 12 s"),))
    assert json.loads(json.dumps(choice.told())) == {
        "video": "puppet",
        "upscale": None,
        "why": "faster",
        "budget_s": 12.3,
        "estimate_s": 3.2,
        "left_out": [{"engine": "echomimic", "why": "too slow: 99 s in 12 s"}],
    }


def test_the_budget_shrinks_as_time_passes_and_is_shared_with_those_that_wait() -> None:
    assert Budget(100.0, 0, since=10).seconds(now=10) == 100
    assert Budget(100.0, 3, since=10).seconds(now=30) == 20
    assert Budget(100.0, 1, since=10).seconds(now=150) == -20
    assert Budget(None, 3, since=10).seconds(now=30) is None


def test_the_length_of_an_answer_is_known_at_its_end_and_before_that_the_most_that_speaks_for_itself() -> None:
    parts = Parts()
    assert length(parts, None) == USUAL_S
    assert length(parts, 7.0) == 7.0
    assert list(parts.promised(iter(["a" * 200, "b" * 220]))) == ["a" * 200, "b" * 220]
    assert length(parts, 7.0) == pytest.approx(420 / CHARACTERS_A_SECOND)
    parts.append(Path("1"), 50.0)
    assert length(parts, 7.0) == 50.0
    parts.append(Path("2"), 1.5)
    parts.end()
    assert length(parts, 900.0) == 51.5


# ---- speeds


def test_the_first_figure_counts_whole_and_later_ones_by_their_length() -> None:
    speeds = Speeds()
    assert speeds.of("a") is None
    speeds.add("a", 10.0, 5.0)
    assert speeds.of("a") == 10.0
    speeds.add("a", 20.0, 15.0)
    assert speeds.of("a") == pytest.approx(15.0)
    speeds.add("a", 0.0, 2.0)
    assert speeds.of("a") == pytest.approx(15.0 * 15 / 17)
    for _ in range(30):
        speeds.add("a", 3.0, 20.0)
    assert speeds.of("a") == pytest.approx(3.0, rel=1e-3)


@pytest.mark.parametrize(
    ("value", "seconds"), [(1.0, 0.5), (math.nan, 9.0), (math.inf, 9.0), (-1.0, 9.0), (1e9, 9.0)], ids=str
)
def test_what_can_be_no_speed_is_not_kept(value: float, seconds: float) -> None:
    speeds = Speeds()
    speeds.add("a", value, seconds)
    speeds.add_slow("b", value if seconds > 1 else math.nan)
    assert speeds.of("a") is speeds.of("b") is None


def test_what_was_given_up_is_slow_for_an_hour_and_then_as_it_was() -> None:
    clock = Clock()
    speeds = Speeds(None, clock)
    speeds.add("a", 2.0, 10.0)
    speeds.add_slow("a", 30.0)
    speeds.add_slow("b", 30.0)
    assert (speeds.of("a"), speeds.of("b")) == (30.0, 30.0)
    clock.now += GIVEN_UP_S + 1
    assert (speeds.of("a"), speeds.of("b")) == (2.0, None)
    speeds.add_slow("a", 30.0)
    speeds.add("a", 2.0, 10.0)
    assert speeds.of("a") == 2.0, "it was quick again"


def test_speeds_outlive_a_restart_and_are_shared(tmp_path: Path) -> None:
    path = tmp_path / "data" / "speeds.json"
    one, other = Speeds(path), Speeds(path)
    one.add("a", 3.0, 10.0)
    other.add("b", 4.0, 10.0)
    other.add_slow("c", 5.0)
    one.add("a", 3.0, 10.0)
    for speeds in (one, other, Speeds(path)):
        assert [speeds.of(key) for key in "abc"] == [3.0, 4.0, 5.0]
    assert [each.name for each in path.parent.iterdir()] == ["speeds.json"]


FINE = {"value": 3.0, "at": 1.0}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"a"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b" " * 2_000_000,
        json.dumps({"a": 3}).encode(),
        json.dumps({"a": {}}).encode(),
        json.dumps({"a": {"value": "3", "at": 1}}).encode(),
        json.dumps({"a": {"value": True}}).encode(),
        json.dumps({"a": {"value": -1}}).encode(),
        json.dumps({"a": {"value": 1e300}}).encode(),
        json.dumps({"a": {"value": 3, "at": "now"}}).encode(),
        b'{"a": {"value": NaN}}',
        b'{"a": {"value": Infinity}}',
        json.dumps({"a": {"slow": 3.0, "until": 9e99}}).encode(),
    ],
    ids=lambda content: content[:40].decode(errors="replace"),
)
def test_a_file_that_is_broken_or_foreign_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "speeds.json"
    path.write_bytes(content)
    speeds = Speeds(path)
    assert speeds.of("a") is None
    speeds.add("b", 2.0, 10.0)
    assert Speeds(path).of("b") == 2.0


def test_what_is_right_in_a_broken_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "speeds.json"
    path.write_text(json.dumps({"good": FINE, "bad": [], "worse": {"value": None}}))
    assert Speeds(path).of("good") == 3.0
    Speeds(path).add("new", 1.0, 9.0)
    assert set(json.loads(path.read_text())) == {"good", "new"}


def test_where_nothing_can_be_written_this_process_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    speeds = Speeds(tmp_path / "file" / "speeds.json")
    speeds.add("a", 3.0, 10.0)
    assert speeds.of("a") == 3.0


def test_the_newest_figures_are_kept(tmp_path: Path) -> None:
    path, clock = tmp_path / "speeds.json", Clock()
    speeds = Speeds(path, clock)
    for number in range(MOST + 5):
        clock.now += 1
        speeds.add(str(number), 1.0, 10.0)
    assert set(json.loads(path.read_text())) == {str(number) for number in range(5, MOST + 5)}


# ---- who may draw


class Engine:
    """Draws nothing; tells of itself what it is told. load_s: seconds that it is loaded in."""

    load_s = 0.0

    def __init__(
        self,
        name: str,
        side: int = 64,
        pace_s: float = 0.0,
        refuses: str | None = None,
        here: bool = True,
        mode: str | None = None,
        weights: tuple[str, ...] = (),
    ) -> None:
        self.name, self._side, self._here = name, side, here
        self.needs = Needs(pace_s=pace_s, weights=weights)
        if refuses is not None:
            self.refuses: Callable[[Avatar], str | None] = lambda avatar: f"{avatar.id}: {refuses}"
        if mode is not None:
            self.mode = mode

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return (self._side, self._side) if self._side else (canvas.width, canvas.height)

    def load(self) -> None:
        time.sleep(self.load_s)

    def look(self) -> str:
        if not self._here:
            raise ModelMissing("fetch it")
        return self.name


def casting(
    engines: Mapping[Layer, list[Engine]], speeds: Speeds, side: int = 64, place: Place | None = None
) -> Casting:
    class Chosen(EngineSet):
        def names(self, layer: Layer, language: str | None = None) -> tuple[str, ...]:
            return tuple(each.name for each in engines[layer])

        def name(self, layer: Layer, language: str | None = None) -> str:
            return self.names(layer)[0]

    by_name = {each.name: each for layer in engines.values() for each in layer}
    engine_set = Chosen(lambda layer, language: "", place, make=lambda layer, name, place: by_name[name])
    lender = Lender(engine_set, lambda kind, **data: None, lambda: None)
    terms = Terms(Catalogue(HOME).avatar("layla"), Canvas(side, side), "en")
    return Casting(lender, terms, speeds)


def lists(*video: Engine) -> dict[Layer, list[Engine]]:
    return {Layer.VIDEO: list(video), Layer.UPSCALE: [Engine("realesrgan", pace_s=0.5), Engine("lanczos")]}


def test_small_frames_are_enlarged_if_there_is_time() -> None:
    engines = lists(Engine("echomimic", 48, 10.0), Engine("musetalk", 0, 1.0), Engine("puppet", 0))
    assert casting(engines, Speeds()).cast().candidates == [
        Candidate("echomimic", "realesrgan", 10.0, 0.5),
        Candidate("echomimic", None, 10.0),
        Candidate("musetalk", None, 1.0),
        Candidate("puppet", None, 0.0),
    ]


def test_large_frames_are_not() -> None:
    found = casting(lists(Engine("echomimic", 128, 10.0), Engine("puppet", 0)), Speeds()).cast()
    assert [each.upscale for each in found.candidates] == [None, None]


def test_what_was_measured_counts_more_than_a_guess_in_the_same_mode_and_size() -> None:
    speeds = Speeds()
    for mode, pace in (("accelerated", 2.0), ("normal", 20.0)):
        own = casting(lists(Engine("echomimic", 48, 10.0, mode=mode)), speeds)
        speeds.add(own.video_key("echomimic"), pace, 10.0)
        assert own.cast().candidates[0].video_s == pace
    assert casting(lists(Engine("echomimic", 32, 10.0, mode="normal")), speeds).cast().candidates[0].video_s == 10.0
    other = casting(lists(Engine("echomimic", 48, 10.0, mode="normal")), speeds, side=128)
    speeds.add(other.upscale_key("realesrgan", "echomimic"), 7.0, 10.0)
    assert other.cast().candidates[0] == Candidate("echomimic", "realesrgan", 20.0, 7.0)
    same = casting(lists(Engine("echomimic", 48, 10.0, mode="normal")), speeds)
    assert same.cast().candidates[0] == Candidate("echomimic", "realesrgan", 20.0, 0.5)


def test_a_speed_is_that_of_one_machine_engine_mode_and_size() -> None:
    alike = [
        casting(lists(Engine("musetalk", weights=weights, mode=mode)), Speeds(), place=place).video_key("musetalk")
        for weights in ((), ("a",), ("b",))
        for mode in (None, "normal")
        for place in (Place(), Place(compile=True), Place(device="cuda:0"))
    ]
    assert len(set(alike)) == (3 + 1) * 3, "the mode says more than the weights"


def test_what_is_not_loaded_begins_later(tmp_path: Path) -> None:
    engines = lists(Engine("echomimic", 48, 10.0), Engine("puppet", 0))
    by_name = {each.name: each for layer in engines.values() for each in layer}
    speeds = Speeds(tmp_path / "speeds.json")

    def process() -> tuple[EngineSet, Casting]:
        engine_set = EngineSet(lambda layer, language: "", make=lambda layer, name, place: by_name[name])
        lender = Lender(engine_set, lambda kind, **data: None, lambda: None)
        return engine_set, Casting(lender, Terms(Catalogue(HOME).avatar("layla"), Canvas(64, 64), "en"), speeds)

    def load_s(casting: Casting, upscale: str | None = None) -> float:
        return casting.now(Candidate("echomimic", upscale)).load_s

    engine_set, own = process()
    own.remember_load(Layer.VIDEO, "echomimic")
    assert load_s(own) == 0.0, "nobody knows"
    for layer, name, seconds in ((Layer.VIDEO, "echomimic", 0.2), (Layer.UPSCALE, "realesrgan", 0.1)):
        by_name[name].load_s = seconds
        with engine_set.using(layer, name):
            assert load_s(own) == 0.0, "it is there"
        own.remember_load(layer, name)
    assert load_s(own, "realesrgan") == 0.0
    _, next_one = process()
    assert load_s(next_one) == pytest.approx(0.2, abs=0.05)
    assert load_s(next_one, "realesrgan") == pytest.approx(0.3, abs=0.1)


def test_who_refuses_the_avatar_or_was_never_set_up_is_left_out() -> None:
    engines = lists(Engine("echomimic", refuses="no hands"), Engine("musetalk", here=False), Engine("puppet"))
    found = casting(engines, Speeds()).cast()
    assert [each.video for each in found.candidates] == ["puppet"]
    assert found.left_out == [LeftOut("echomimic", "layla: no hands"), LeftOut("musetalk", "not installed")]


def test_the_settings_own_engine_fails_where_it_is_not_set_up() -> None:
    found = casting(lists(Engine("echomimic", here=False), Engine("puppet")), Speeds()).cast()
    assert [each.video for each in found.candidates] == ["echomimic", "puppet"]


def test_an_engine_that_can_not_even_say_is_left_out() -> None:
    class Broken(Engine):
        def size(self, canvas: Canvas) -> tuple[int, int]:
            raise ZeroDivisionError

    found = casting(lists(Broken("echomimic"), Engine("puppet")), Speeds()).cast()
    assert found.left_out == [LeftOut("echomimic", "video_failed")]
    assert len(found.candidates) == 1


def test_one_engine_alone_costs_no_look_at_speeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Speeds, key: str) -> Any:
        raise AssertionError(key)

    monkeypatch.setattr(speeds_module.Speeds, "of", asked)
    found = casting(lists(Engine("puppet", 0)), Speeds(tmp_path / "speeds.json")).cast()
    assert found.candidates == [Candidate("puppet")]


# ---- while it is drawn


@pytest.mark.parametrize(
    ("marks", "seconds", "rest", "once"),
    [
        ([], None, None, 0.0),
        ([(0.1, 1.0), (0.2, 2.0)], None, None, 0.0),
        ([(0.1, 1.0), (0.2, 2.0), (0.3, 3.0)], 10.0, 7.0, 0.0),
        ([(0.0, 50.0), (0.1, 101.0), (0.2, 102.0), (0.3, 103.0)], 10.0, 7.0, 100.0),
        ([(0.5, 1.0), (0.5, 1.0), (0.5, 2.0)], None, None, 0.0),
        ([(0.1, 1.0), (0.2, 2.0), (1.2, 3.0)], pytest.approx(2 / 1.1), 0.0, pytest.approx(1 - 0.2 / 1.1)),
    ],
    ids=["nothing", "too little", "steady", "compiled first", "no progress", "beyond the end"],
)
def test_the_pace_is_that_of_what_comes_again(
    marks: list[tuple[float, float]], seconds: Any, rest: float | None, once: Any
) -> None:
    pace = Pace()
    for done, spent in marks:
        pace.mark(done, spent)
    assert (pace.seconds, pace.once_s) == (seconds, once)
    assert pace.rest(1.0) == (rest if rest is None else pytest.approx(rest))


def guard(
    budget_s: float | None, *, others_s: float | None = 1.0, clip_s: float = 10.0, upscale_s: float = 0.0
) -> Guard:
    candidate = Candidate("echomimic", "realesrgan", 1.0, upscale_s)
    clock = Clock()
    made = Guard(candidate, budget_s, lambda: clip_s, lambda length_s: others_s, clock)
    made.clock = clock  # type: ignore[attr-defined]
    return made


def outcome(watched: Guard, whole_s: float, way: str) -> tuple[float, TooSlow] | None:
    """Where and how an engine is given up that would take so long for a clip of ten seconds; None: it is not."""
    for step in range(1, 101):
        try:
            if way == "calls":
                watched.on_call(step / 100, whole_s * step / 100)
            else:
                watched.on_frame(step / 10, whole_s * step / 100)
        except TooSlow as error:
            return whole_s * step / 100, error
    return None


@pytest.mark.parametrize("way", ["calls", "frames"])
@pytest.mark.parametrize(
    ("budget_s", "others_s", "whole_s", "given_up"),
    [
        (50.0, 1.0, 40.0, False),
        (50.0, 1.0, FAR * 50 - 1, False),
        (50.0, 1.0, FAR * 50 + 1, True),
        (50.0, None, 1000.0, False),
        (50.0, 2000.0, 1000.0, False),
        (None, 1.0, 1000.0, False),
        (-10.0, 1.0, 40.0, True),
        (0.5, 1.0, SEEN_S - 1, False),
    ],
    ids=["in time", "late", "far too late", "alone", "nobody is quicker", "no deadline", "late already", "soon over"],
)
def test_what_turns_out_far_too_slow_is_given_up(
    way: str, budget_s: float | None, others_s: float | None, whole_s: float, given_up: bool
) -> None:
    found = outcome(guard(budget_s, others_s=others_s), whole_s, way)
    assert (found is not None) == given_up
    if found is not None:
        at, error = found
        assert SEEN_S <= at <= SEEN_S + whole_s / 50
        assert error.pace_s == pytest.approx(whole_s / 10)
        assert error.permanent, "no engine rests for it"


def test_a_first_call_that_compiles_is_no_reason() -> None:
    watched = guard(20.0)
    for step in range(1, 50):
        watched.on_call(step / 50, 25.0 + step / 10)
    assert watched.once_s == pytest.approx(25.0)


def test_nothing_is_given_up_when_little_is_left() -> None:
    watched = guard(10.0, others_s=15.0)
    watched.on_call(0.0, 0.0)
    for share, spent in ((0.85, 50.0), (0.9, 53.0), (0.95, 56.0)):
        watched.on_call(share, spent)


@pytest.mark.parametrize(
    ("budget_s", "known_s", "a_frame_s", "late_after"),
    [
        (60.0, 0.0, 0.05, None),
        (60.0, 3.0, 0.05, None),
        (8.0, 0.0, 0.05, 20),
        (8.0, 3.0, 0.05, 1),
        (None, 9.0, 9.0, None),
    ],
    ids=["in time", "known to be", "seen to be late", "known to be late", "no deadline"],
)
def test_enlarging_is_dropped_before_the_clip_is_late(
    budget_s: float | None, known_s: float, a_frame_s: float, late_after: int | None
) -> None:
    """25 frames a second; where it is measured that takes a second first."""
    watched = guard(budget_s, upscale_s=known_s)
    found = None
    for frame in range(1, 251):
        watched.clock.now += a_frame_s  # type: ignore[attr-defined]
        if watched.enlarging_is_late(frame / 25, frame * a_frame_s):
            found = frame
            break
    assert found == late_after
