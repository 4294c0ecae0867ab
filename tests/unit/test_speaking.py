"""An answer's sentences to speech: other takes, stand-ins, one sound over engines, earlier attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from structlog.testing import capture_logs

import worker.speaking
from core.catalogue import Catalogue, Reference, Voice
from core.errors import Cancelled, ModelMissing, TTSError
from core.kinds import Layer, Tone
from core.settings import HOME
from tests.flite import clips
from tests.flite import said as recorded
from worker.engines.base import Needs
from worker.engines.llm.fake import Fake as FakeLLM
from worker.engines.registry import make
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.tts.espeak import Espeak
from worker.engines.tts.fake import Fake
from worker.engines.video.fake import Fake as FakeVideo
from worker.gpu import EngineSet
from worker.job import Job
from worker.lending import Lender
from worker.loudness import TARGET_LUFS, loudness
from worker.parts import Parts, load
from worker.pipeline import SmartTalkerPipeline
from worker.speaking import Speaker
from worker.timing.aligner import Aligner
from worker.voicing.lengths import Lengths
from worker.voicing.levels import FRAME_S, levels, sounding
from worker.voicing.pauses import pause_after

Sound = NDArray[np.float32]
VOICE = Voice("mona", {}, Path(), {}, {"en": Reference(Path("a.wav"), "en")})
ONE, TWO, THREE = "The doctor is here today.", "Shall we book a visit?", "You are welcome!"
ARABIC = "الطبيب هنا اليوم."
PIECE_S = 0.25


def babble(text: str, language: str, rate: int) -> Sound:
    """Syllables of a voice without words, as many as the text may have, silence before and after."""
    seconds = max(0.3, sum(char.isalnum() for char in text) * (0.1 if language == "ar" else 0.07))
    time = np.arange(round(seconds * rate)) / rate
    voiced = sum(np.sin(2 * np.pi * 130 * number * time) / number for number in range(1, 12))
    sound = 0.05 * voiced * np.sin(2 * np.pi * 2 * time) ** 2
    return np.pad(sound, (round(0.4 * rate), round(0.6 * rate))).astype(np.float32)


class Neural:
    """Speaks raw sound in pieces; `acts`: what happens at each call, by name, the last again and again."""

    name: ClassVar[str] = "neural"
    needs: ClassVar[Needs] = Needs(languages=("ar", "en"), recording=True)
    finished: ClassVar[bool] = False
    rate = 24_000

    def __init__(self, *acts: str) -> None:
        self._acts = list(acts) or ["good"]
        self.takes: list[tuple[str, int]] = []
        self.pulled = 0
        self.closed = 0

    def load(self) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing to give back."""

    def speak(
        self,
        text: str,
        *,
        language: str,
        voice: Voice,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
        take: int = 0,
    ) -> Iterator[Speech]:
        self.takes.append((text, take))
        act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
        if act in RAISED:
            raise RAISED[act]()
        yield from self._pieces(SPOILT[act](babble(text, language, self.rate)))

    def _pieces(self, sound: Sound) -> Iterator[Speech]:
        size = round(PIECE_S * self.rate)
        try:
            for start in range(0, max(sound.size, 1), size):
                self.pulled += 1
                yield Speech(sound[start : start + size].astype(np.float32), self.rate, None)
        finally:
            self.closed += 1


class Wide(Neural):
    name: ClassVar[str] = "wide"
    rate = 48_000


def refusal() -> TTSError:
    error = TTSError("there is no such voice")
    error.permanent = True  # type: ignore[misc]
    return error


RAISED: Mapping[str, Callable[[], Exception]] = {
    "breaks": lambda: TTSError("the host died"),
    "bug": lambda: ValueError("a bug of the engine"),
    "refuses": refusal,
    "memory": lambda: RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "missing": lambda: ModelMissing("fetch it"),
}
SPOILT: Mapping[str, Callable[[Sound], Sound]] = {
    "good": lambda sound: sound,
    "runaway": lambda sound: np.tile(sound, 30),
    "silent": np.zeros_like,
    "empty": lambda sound: sound[:0],
    "nan": lambda sound: np.where(np.arange(sound.size) == sound.size - 1, np.nan, sound),
    "hum": lambda sound: 0.1 * np.sin(np.arange(2 * sound.size) * 0.02),
    "clipped": lambda sound: np.clip(sound * 400, -1, 1),
    "halted": lambda sound: np.pad(sound[: sound.size // 2], (0, 72_000)),
    "faint": lambda sound: sound * 0.2,
}


class Formant(Fake):
    """Finished speech at 16 kHz, with phonemes."""

    name: ClassVar[str] = "formant"


class Deaf(Aligner):
    """Aligns nothing, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def prepare(self) -> None:
        self.asked.append("prepare")

    def align(self, speech: Speech, text: str, language: str) -> tuple[Phoneme, ...] | None:
        self.asked.append(text)
        return None


class Reports:
    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, kind: str, **data: Any) -> None:
        self.all.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.all if name == kind]

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        return [(data["engine"], data["code"], data["then"]) for data in self.of("step")]

    @property
    def spoke(self) -> list[str]:
        """The engine of each sentence, by its costs."""
        assert all(data["data"]["engine"] == data["engine"] for data in self.of("output"))
        return [data["engine"] for data in self.of("output")]

    def saved(self) -> dict[str, dict[str, Any]]:
        return {"tts": {str(data["part"]): data["data"] for data in self.of("output")}}


class Troupe(EngineSet):
    """The engines of a test, the chosen one first; another may be chosen for a language."""

    def __init__(self, *engines: Any, **of_language: str) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._of_language = of_language
        super().__init__(lambda _layer, language: "", make=self._made)

    def names(self, layer: Layer, language: str | None = None) -> tuple[str, ...]:
        names = list(self._engines)
        first = self._of_language.get(language or "", names[0])
        return tuple(dict.fromkeys((first, *(name for name in names if name not in self._of_language.values()))))

    def name(self, layer: Layer, language: str | None = None) -> str:
        return self.names(layer, language)[0]

    def _made(self, layer: Layer, name: str, place: object) -> Any:
        return self._engines[name]


def nothing() -> None:
    """Nobody cancels."""


@pytest.fixture
def job(tmp_path: Path) -> Job:
    made = Job("t", str(tmp_path / "1"), "layla", ("voice",), text="")
    made.path.mkdir()
    return made


def speak(
    job: Job,
    troupe: EngineSet,
    texts: Sequence[str],
    *,
    reports: Reports | None = None,
    check: Callable[[], None] = nothing,
    language: str = "en",
    aligner: Aligner | None = None,
    voice: Voice = VOICE,
) -> tuple[Reports, list[Speech]]:
    """What was reported, and what the picture gets."""
    reports, parts = reports or Reports(), Parts()
    lender = Lender(troupe, reports, check, voice)
    Speaker(job, reports, check, lender, parts, aligner or Deaf()).run(voice, iter(texts), language, Tone.NEUTRAL, 0.0)
    parts.end()
    return reports, list(parts.read(nothing))


# ---- another take, then a stand-in


@pytest.mark.parametrize(
    ("acts", "takes", "spoke", "code"),
    [
        (["good"], [0], "neural", None),
        (["runaway", "good"], [0, 1], "neural", None),
        (["silent", "nan", "good"], [0, 1, 2], "neural", None),
        (["empty"], [0, 1, 2], "formant", "tts_faulty"),
        (["empty", "hum", "clipped"], [0, 1, 2], "formant", "tts_faulty"),
        (["runaway"], [0, 1, 2], "formant", "tts_faulty"),
        (["halted"], [0, 1, 2], "formant", "tts_faulty"),
        (["breaks", "good"], [0, 1], "neural", None),
        (["breaks"], [0, 1], "formant", "tts_failed"),
        (["bug"], [0, 1], "formant", "tts_failed"),
        (["missing"], [0, 1], "formant", "tts_failed"),
        (["silent", "breaks"], [0, 1], "formant", "tts_failed"),
        (["refuses"], [0], "formant", "tts_failed"),
        (["silent", "refuses"], [0, 1], "formant", "tts_failed"),
        (["memory", "good"], [0, 0], "neural", None),
        (["memory"], [0, 0], "formant", "out_of_memory"),
        (["faint"], [0], "neural", None),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) and isinstance(value[0], str) else None,
)
def test_a_sentence_is_spoken_again_and_then_by_another(
    job: Job, acts: list[str], takes: list[int], spoke: str, code: str | None
) -> None:
    neural = Neural(*acts)
    with capture_logs() as logs:
        reports, (speech,) = speak(job, Troupe(neural, Formant()), [ONE])
    assert neural.takes == [(ONE, take) for take in takes]
    assert reports.spoke == [spoke]
    assert reports.steps == ([] if code is None else [("neural", code, "formant")])
    assert [data["engine"] for data in reports.of("time")] == ([] if code is None else ["neural"])
    assert (speech.text, speech.language) == (ONE, "en")
    assert 1.0 < speech.seconds < 3.0
    assert "doctor" not in str(logs)


@pytest.mark.parametrize("text", ["🙂", "...", "—"])
def test_where_there_is_nothing_to_say_silence_is_right(job: Job, text: str) -> None:
    neural = Neural("silent")
    reports, (speech,) = speak(job, Troupe(neural, Formant()), [text])
    assert (len(neural.takes), reports.spoke) == (1, ["neural"])
    assert not speech.samples.any()
    assert speech.seconds == pytest.approx(pause_after(text, Tone.NEUTRAL), abs=0.01)


def test_a_stream_that_runs_away_is_closed_at_once(job: Job) -> None:
    neural = Neural("runaway")
    speak(job, Troupe(neural, Formant()), [ONE])
    assert neural.closed == 3
    assert neural.pulled <= 3 * (Lengths.of(ONE, "en").most_s / PIECE_S + 1)


def test_the_rest_of_the_answer_is_the_stand_ins(job: Job) -> None:
    neural = Neural("good", "silent", "silent", "silent", "good")
    reports, speeches = speak(job, Troupe(neural, Formant()), [ONE, TWO, THREE])
    assert reports.spoke == ["neural", "formant", "formant"]
    assert [text for text, _ in neural.takes] == [ONE, TWO, TWO, TWO]
    assert len(reports.steps) == 1
    assert {speech.sample_rate for speech in speeches} == {neural.rate}
    kinds = [(kind, data["engine"]) for kind, data in reports.all if kind in ("output", "time")]
    assert kinds == [("output", "neural"), ("time", "neural"), ("output", "formant"), ("output", "formant")]
    (voice,) = reports.of("voice")
    assert voice["seconds"] == pytest.approx(sum(speech.seconds for speech in speeches))


@pytest.mark.parametrize("others", [(), (Wide("breaks"),)], ids=["none", "fails too"])
def test_without_a_stand_in_that_speaks_there_is_no_voice(job: Job, others: tuple[Neural, ...]) -> None:
    reports = Reports()
    with pytest.raises(TTSError):
        speak(job, Troupe(Neural("good", "breaks"), *others), [ONE, TWO], reports=reports)
    assert reports.spoke == ["neural"]
    chain = ["neural", *(other.name for other in others), "text"]
    assert reports.steps == [(one, "tts_failed", then) for one, then in pairwise(chain)]
    assert reports.of("voice") == []


def test_nobody_waits_for_many_slow_takes(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker.speaking, "AGAIN_S", -1.0)
    neural = Neural("silent")
    reports, _ = speak(job, Troupe(neural, Formant()), [ONE])
    assert len(neural.takes) == 1
    assert reports.spoke == ["formant"]


def test_a_cancelled_answer_is_not_spoken_again(job: Job) -> None:
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Cancelled

    class Stopped(Neural):
        def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
            stop.set()
            return super().speak(text, **kwargs)

    neural, reports = Stopped("silent"), Reports()
    with pytest.raises(Cancelled):
        speak(job, Troupe(neural, Formant()), [ONE, TWO], reports=reports, check=check)
    assert len(neural.takes) == 1
    assert reports.steps == []


# ---- who speaks


def test_a_sentence_in_a_language_that_the_voice_lacks_is_anothers(job: Job) -> None:
    class English(Neural):
        name: ClassVar[str] = "english"
        needs: ClassVar[Needs] = Needs(languages=("en",), recording=True)

    english, wide = English(), Wide()
    reports, speeches = speak(job, Troupe(english, wide, ar="wide"), [ONE, ARABIC, TWO])
    assert reports.spoke == ["english", "wide", "english"]
    assert {speech.sample_rate for speech in speeches} == {english.rate}
    assert reports.steps == []


def test_a_voice_that_knows_both_languages_speaks_both(job: Job) -> None:
    reports, _ = speak(job, Troupe(Neural(), Wide(), ar="wide"), [ONE, ARABIC])
    assert reports.spoke == ["neural", "neural"]


def test_a_voice_without_a_recording_is_spoken_by_an_engine_that_needs_none(job: Job) -> None:
    neural = Neural()
    reports, _ = speak(job, Troupe(neural, Formant()), [ONE], voice=replace(VOICE, references={}))
    assert (reports.spoke, neural.takes, reports.steps) == (["formant"], [], [])


# ---- earlier attempts


def again(job: Job, reports: Reports) -> Job:
    """The next attempt at it."""
    following = replace(job, folder=str(job.path.with_name("2")), outputs=reports.saved())
    following.path.mkdir()
    return following


def test_what_an_earlier_attempt_spoke_is_kept(job: Job) -> None:
    first, before = speak(job, Troupe(Wide()), [ONE, TWO])
    neural = Neural()
    second, after = speak(again(job, first), Troupe(neural), [ONE, TWO, THREE])
    assert neural.takes == [(THREE, 0)]
    assert {speech.sample_rate for speech in after} == {Wide.rate}
    np.testing.assert_array_equal(after[0].samples, before[0].samples)
    assert second.spoke == ["neural"]


def test_a_stand_in_that_spoke_goes_on(job: Job) -> None:
    first, _ = speak(job, Troupe(Neural("good", "breaks"), Formant()), [ONE, TWO])
    neural = Neural()
    second, after = speak(again(job, first), Troupe(neural, Formant()), [ONE, TWO, THREE])
    assert (second.spoke, neural.takes, second.steps) == (["formant"], [], [])
    assert {speech.sample_rate for speech in after} == {Neural.rate}


def test_a_part_of_another_sample_rate_is_brought_to_the_answers(job: Job) -> None:
    first, before = speak(job, Troupe(Wide()), [ONE, TWO])
    following = again(job, first)
    del following.outputs["tts"]["0"]  # type: ignore[attr-defined]
    second, after = speak(following, Troupe(Formant()), [ONE, TWO])
    assert {speech.sample_rate for speech in after} == {16_000}
    assert after[1].seconds == pytest.approx(before[1].seconds, abs=0.001)
    assert load(following.path / "tts-001.npz").sample_rate == 16_000
    assert load(job.path / "tts-001.npz").sample_rate == Wide.rate
    assert second.spoke == ["formant"]


def test_parts_of_a_version_that_named_no_engine_are_kept(job: Job) -> None:
    first, _ = speak(job, Troupe(Neural()), [ONE])
    following = again(job, first)
    del following.outputs["tts"]["0"]["engine"]  # type: ignore[attr-defined]
    second, after = speak(following, Troupe(Neural(), Formant()), [ONE, TWO])
    assert second.spoke == ["neural"]
    assert len(after) == 2


# ---- how it sounds


class Pretending(Neural):
    """eSpeak as a model might leave it: another level, silence and direct current for each sentence, at 24 kHz."""

    name: ClassVar[str] = "pretending"
    SPOILT: ClassVar = {ONE: (0.2, 0.0, 0.0, 0.0), TWO: (1.0, 1.2, 0.4, 0.03), THREE: (0.5, 0.3, 1.5, -0.01)}

    def __init__(self, espeak: Espeak) -> None:
        super().__init__()
        self._espeak = espeak

    def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
        (whole,) = self._espeak.speak(text, **kwargs)
        gain, before, after, current = self.SPOILT[text]
        sound = soxr.resample(whole.samples, whole.sample_rate, self.rate) * gain
        yield from self._pieces(np.pad(sound, (round(before * self.rate), round(after * self.rate))) + current)


class Refusing(Pretending):
    """Speaks the first sentence alone."""

    name: ClassVar[str] = "refusing"

    def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
        if text != ONE:
            raise refusal()
        return super().speak(text, **kwargs)


@pytest.fixture(scope="module")
def voices() -> Iterator[dict[str, Any]]:
    espeak = Espeak()
    espeak.load()
    yield {"espeak": espeak, "pretending": Pretending(espeak), "refusing": Refusing(espeak)}
    espeak.unload()


@pytest.mark.parametrize(
    ("names", "spoke"),
    [
        (["pretending"], ["pretending"] * 3),
        (["espeak"], ["espeak"] * 3),
        (["refusing", "espeak"], ["refusing", "espeak", "espeak"]),
    ],
)
def test_an_answer_sounds_like_one(job: Job, voices: dict[str, Any], names: list[str], spoke: list[str]) -> None:
    """The same loudness, the same pauses between sentences, no click where they meet, whoever speaks."""
    texts = [ONE, TWO, THREE]
    reports, speeches = speak(job, Troupe(*(voices[name] for name in names)), texts)
    assert reports.spoke == spoke
    (rate,) = {speech.sample_rate for speech in speeches}
    for speech, text in zip(speeches, texts, strict=True):
        voiced = speech.samples[: speech.samples.size - round((pause_after(text, Tone.NEUTRAL) - 0.03) * rate)]
        assert loudness(voiced, rate) == pytest.approx(TARGET_LUFS, abs=0.8)
    whole = np.concatenate([speech.samples for speech in speeches])
    for gap, text in zip(gaps(whole, rate), texts, strict=False):
        assert gap == pytest.approx(pause_after(text, Tone.NEUTRAL) + 0.02, abs=0.06)
    at = 0
    for speech in speeches[:-1]:
        at += speech.samples.size
        assert np.abs(np.diff(whole[at - 50 : at + 50])).max() < 0.01
    assert abs(float(whole.mean())) < 3e-3


def gaps(sound: Sound, rate: int) -> list[float]:
    """The silences within it of 0.15 s and more, in seconds."""
    (heard,) = np.nonzero(sounding(levels(sound, rate)))
    return [float(size) * FRAME_S for size in np.diff(heard) if size * FRAME_S > 0.15]


# ---- phoneme times of a voice that tells none, as far as the picture


@pytest.mark.parametrize(
    ("modes", "asked"), [(("voice",), []), (("text", "video"), ["prepare", ONE])], ids=["voice", "video"]
)
def test_nobody_listens_for_phonemes_where_there_is_no_face(job: Job, modes: tuple[str, ...], asked: list[str]) -> None:
    deaf = Deaf()
    speak(replace(job, modes=modes), Troupe(Neural()), [ONE], aligner=deaf)
    assert deaf.asked == asked


class Flite(Neural):
    """Another synthesiser's recordings, with silence before them."""

    name: ClassVar[str] = "flite"
    rate = 48_000
    LATE_S = 0.5

    def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
        yield from self._pieces(np.pad(recorded(text).samples, (round(self.LATE_S * self.rate), self.rate)))


class Watching(FakeVideo):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[Speech] = []

    def frames(self, speech: Any, **kwargs: Any) -> Iterator[Any]:
        def noted() -> Iterator[Speech]:
            for each in speech:
                self.seen.append(each)
                yield each

        return super().frames(noted(), **kwargs)


def test_the_picture_gets_the_phoneme_times_of_a_voice_that_tells_none(tmp_path: Path) -> None:
    """Through all six layers; the times are those of the sound as it was trimmed."""
    texts, watching = [clip.text or "" for clip in clips()[:2]], Watching()

    class Says(FakeLLM):
        def answer(self, history: Any, **kwargs: Any) -> Iterator[str]:
            yield " ".join(texts)

    given = {Layer.LLM: Says(), Layer.TTS: Flite(), Layer.VIDEO: watching}
    engines = EngineSet(
        lambda _layer, _language: "fake", make=lambda layer, name, place: given.get(layer) or make(layer, name, place)
    )
    reports, job = Reports(), Job("t", str(tmp_path / "1"), "layla", ("video",), text="Hello", width=64, height=48)
    SmartTalkerPipeline(engines, Catalogue(HOME)).run(job, reports, threading.Event())
    assert [speech.text for speech in watching.seen] == texts
    assert reports.of("video")
    for speech, clip in zip(watching.seen, clips(), strict=False):
        offset = began(clip.samples, 48_000) - began(speech.samples, speech.sample_rate)
        true = closures(clip.phonemes or ()) - offset
        found = closures(speech.phonemes or ())
        assert np.mean([np.abs(found - moment).min() < 0.06 for moment in true]) >= 0.8
        assert all(0 <= each.start <= each.end <= speech.seconds for each in speech.phonemes or ())


def began(sound: Sound, rate: int) -> float:
    """Seconds."""
    return float(np.nonzero(sounding(levels(sound, rate)))[0][0]) * FRAME_S


def closures(phonemes: Sequence[Phoneme]) -> NDArray[np.float64]:
    """The middles of what the lips shut for."""
    return np.array([(each.start + each.end) / 2 for each in phonemes if any(letter in each.ipa for letter in "pbm")])
