"""The six layers in order, with the shipped fakes and with engines that break in every way."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import av
import cv2
import numpy as np
import pytest

from core.catalogue import Catalogue
from core.errors import (
    LAYER_ERRORS,
    AnswerCut,
    ASRError,
    Cancelled,
    EmotionError,
    LanguageUnsupported,
    LLMError,
    ModelMissing,
    NotUnderstood,
    StorageError,
    TTSError,
    UpscaleError,
    VideoError,
)
from core.kinds import Emotion, Layer, Tone
from core.settings import HOME
from worker.engines.asr.base import Transcript
from worker.engines.asr.fake import Fake as FakeASR
from worker.engines.base import Needs, Place
from worker.engines.emotion.base import Reading
from worker.engines.emotion.fake import Fake as FakeEmotion
from worker.engines.llm.fake import Fake as FakeLLM
from worker.engines.registry import make
from worker.engines.tts.base import Speech
from worker.engines.tts.fake import Fake as FakeTTS
from worker.engines.upscale.fake import Fake as FakeUpscale
from worker.engines.video.base import Canvas, Frame
from worker.engines.video.fake import Fake as FakeVideo
from worker.gpu import EngineSet
from worker.hearing import MISSING_EAR
from worker.job import Job
from worker.media import write_wav
from worker.pipeline import SmartTalkerPipeline

ALL = ("text", "voice", "video")
WAIT_S = 5.0


class Cast(EngineSet):
    """Fakes, and in place of some of them engines of the test, by layer (several: by name), or the video's by name."""

    def __init__(self, by_layer: Mapping[Layer, Any] | None = None, **by_name: Any) -> None:
        super().__init__(lambda layer, _language: "fake", make=self._given, on_event=self._tell)
        self.reports: Reports | None = None
        self._by_layer, self._by_name = by_layer or {}, by_name

    def name(self, layer: Layer, language: str | None = None) -> str:
        return next(iter(self._named(layer)), super().name(layer, language))

    def _tell(self, kind: str, **data: Any) -> None:
        if self.reports is not None:
            self.reports(kind, **data)

    def names(self, layer: Layer, language: str | None = None) -> tuple[str, ...]:
        return tuple(self._named(layer)) or super().names(layer, language)

    def _named(self, layer: Layer) -> Mapping[str, Any]:
        """The engines of a layer that has several, the chosen one first."""
        given = self._by_name if layer is Layer.VIDEO and self._by_name else self._by_layer.get(layer)
        return given if isinstance(given, dict) else {}

    def _given(self, layer: Layer, name: str, place: Place) -> Any:
        several = self._named(layer)
        return several.get(name) or (not several and self._by_layer.get(layer)) or make(layer, name, place)


class Reports:
    """What the pipeline reports, in order."""

    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any]]] = []
        self.hooks: dict[tuple[str, str], Callable[[], object]] = {}

    def __call__(self, kind: str, **data: Any) -> None:
        self.all.append((kind, data))
        if hook := self.hooks.get((kind, str(data.get("layer", "")))):
            hook()

    def of(self, kind: str, layer: str | None = None) -> list[dict[str, Any]]:
        return [data for name, data in self.all if name == kind and layer in (None, data.get("layer"))]

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        return [(data["layer"], data["engine"], data["code"]) for data in self.of("step")]

    @property
    def answer(self) -> dict[str, Any]:
        return dict(self.of("output", Layer.LLM)[0]["data"])

    def saved(self) -> dict[str, dict[str, Any]]:
        """As the render process hands them to the next attempt."""
        found: dict[str, dict[str, Any]] = {}
        for data in self.of("output"):
            found.setdefault(data["layer"], {})[str(data["part"])] = data["data"]
        return found


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert {thread for thread in threading.enumerate() if thread.name != "clock"} <= before


@pytest.fixture
def job(tmp_path: Path) -> Job:
    text = "First sentence. Second one! And the third?"
    return Job("t", str(tmp_path / "1"), "layla", ALL, text=text, width=64, height=48)


def run(job: Job, cast: Cast | None = None, reports: Reports | None = None) -> Reports:
    reports, cast = reports or Reports(), cast or Cast()
    cast.reports = reports
    SmartTalkerPipeline(cast, Catalogue(HOME)).run(job, reports, threading.Event())
    return reports


def files(job: Job) -> set[str]:
    return {path.name for path in job.path.glob("*") if path.suffix != ".npz"}


def seconds(path: str) -> dict[str, float]:
    """What a decoder finds: the length of sound and picture."""
    found = {"audio": 0.0, "video": 0.0}
    with av.open(path) as container:
        for packet in container.demux():
            for frame in packet.decode():
                end = frame.time + (frame.samples / frame.rate if packet.stream.type == "audio" else 1 / 25)
                found[packet.stream.type] = max(found[packet.stream.type], end)
    return found


def recorded(job: Job, **changes: Any) -> Job:
    """The job as a voice note."""
    path = job.path.parent / "note.wav"
    write_wav(path, np.full(1600, 0.3, np.float32))
    return replace(job, text=None, media=str(path), **changes)


# ---- what comes out, and in which order


def test_a_text_becomes_text_voice_and_video(job: Job) -> None:
    reports = run(job)
    outputs = [(data["layer"], data["part"]) for data in reports.of("output")]
    assert outputs[0] == ("emotion", 0)
    assert ("llm", 0) in outputs
    assert [each for each in outputs if each[0] == "tts"] == [("tts", 0), ("tts", 1), ("tts", 2)]
    assert [data["data"]["text"] for data in reports.of("output", "tts")] == [
        "You asked: First sentence.",
        "Second one!",
        "And the third?.",
    ]
    assert reports.answer == {"text": f"You asked: {job.text}.", "language": "en"}
    partial = [data["text"] for data in reports.of("partial")]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(partial))
    (voice,), (video,) = reports.of("voice"), reports.of("video")
    assert files(job) == {"voice.ogg", "video.mp4"}
    spoken = sum(data["data"]["seconds"] for data in reports.of("output", "tts"))
    assert voice["seconds"] == pytest.approx(spoken)
    assert seconds(voice["path"])["audio"] == pytest.approx(spoken, abs=0.05)
    shown = seconds(video["path"])
    assert shown["video"] == pytest.approx(spoken, abs=0.05)
    assert shown["audio"] == pytest.approx(shown["video"], abs=0.05)
    assert reports.steps == []
    assert {data["layer"] for data in reports.of("time")} == {"video"}


def test_a_channel_that_wants_a_still_picture_gets_one(job: Job) -> None:
    reports = run(replace(job, thumbnail=True))
    (video,) = reports.of("video")
    picture = cv2.imread(video["thumbnail"])
    assert picture is not None
    assert picture.shape == (48, 64, 3)


def test_a_clip_that_can_never_fit_steps_down_to_voice(job: Job) -> None:
    reports = run(replace(job, max_video_bytes=1000))
    assert reports.of("video") == []
    assert reports.of("voice")
    assert reports.steps[-1] == ("video", "fake", "video_failed")


@pytest.mark.parametrize(
    ("modes", "made"),
    [
        (("text",), set()),
        (("voice",), {"voice.ogg"}),
        (("text", "voice"), {"voice.ogg"}),
        (("video",), {"voice.ogg", "video.mp4"}),
        (("text", "video"), {"voice.ogg", "video.mp4"}),
    ],
)
def test_only_what_was_asked_for_is_made(job: Job, modes: tuple[str, ...], made: set[str]) -> None:
    reports = run(replace(job, modes=modes))
    assert files(job) == made
    assert reports.answer["text"].startswith("You asked")
    assert bool(reports.of("output", "tts")) == bool(made)


@pytest.mark.parametrize(
    ("text", "asked", "known", "language"),
    [
        ("hello", None, None, "en"),
        ("مرحبا", None, "en", "ar"),
        ("hello", "ar", None, "ar"),
        ("123", None, "en", "en"),
        ("123", None, None, "ar"),
    ],
)
def test_the_answers_language(job: Job, text: str, asked: str | None, known: str | None, language: str) -> None:
    reports = run(replace(job, modes=("text",), text=text, language=asked, known_language=known))
    assert reports.answer["language"] == language


def test_the_model_reads_the_history(job: Job) -> None:
    class Reads(FakeLLM):
        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield "; ".join(f"{line.role}={line.text}" for line in history)

    history = ({"role": "user", "text": "a"}, {"role": "assistant", "text": "b"})
    reports = run(replace(job, modes=("text",), text="c", history=history), Cast({Layer.LLM: Reads()}))
    assert reports.answer["text"] == "user=a; assistant=b; user=c"


@pytest.mark.parametrize(("enabled", "tone"), [(True, Tone.CHEERFUL), (False, Tone.NEUTRAL)])
def test_the_tone_follows_the_users_emotion(job: Job, enabled: bool, tone: Tone) -> None:
    heard: list[tuple[Tone, float]] = []

    class Listens(FakeTTS):
        def speak(self, text: str, *, tone: Tone = Tone.NEUTRAL, intensity: float = 0.0, **kw: Any) -> Iterator[Speech]:
            heard.append((tone, intensity))
            return super().speak(text, **kw)

    run(replace(job, text="what joy", modes=("voice",), emotion_enabled=enabled), Cast({Layer.TTS: Listens()}))
    assert heard == [(tone, 1.0 if enabled else 0.0)]


# ---- streaming


def test_drawing_starts_while_the_model_still_talks(job: Job) -> None:
    drawn, in_time = threading.Event(), []

    class Talks(FakeLLM):
        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield "The first sentence. And "
            in_time.append(drawn.wait(WAIT_S))
            yield "the second."

    class Draws(FakeVideo):
        def frames(self, speech: Iterable[Speech], **kwargs: Any) -> Iterator[Frame]:
            for frame in super().frames(speech, **kwargs):
                drawn.set()
                yield frame

    run(job, Cast({Layer.LLM: Talks(), Layer.VIDEO: Draws()}))
    assert in_time == [True]


def test_a_slow_voice_does_not_hold_the_text_back(job: Job) -> None:
    told, in_time = threading.Event(), []

    class Slow(FakeTTS):
        def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
            in_time.append(told.wait(WAIT_S))
            return super().speak(text, **kwargs)

    reports = Reports()
    reports.hooks["output", "llm"] = told.set
    run(job, Cast({Layer.TTS: Slow()}), reports)
    assert in_time == [True] * 3


# ---- what can't be understood


class EnglishEar(FakeASR):
    needs: ClassVar[Needs] = Needs(languages=("en",))

    def transcribe(self, audio: Any, *, language: str | None, **kwargs: Any) -> Transcript:
        if language == "ar":
            raise LanguageUnsupported
        raise NotUnderstood


def test_a_voice_note_is_transcribed_with_the_personas_questions(job: Job) -> None:
    job = recorded(job)
    question = Catalogue(HOME).avatar("layla").persona.answers[0].questions["en"][0]
    reports = run(job)
    assert reports.of("output", "asr")[0]["data"] == {"text": question, "language": "en", "reply": None}
    assert question in reports.answer["text"]


class Polyglot(FakeASR):
    """Writes Chinese unless it is told a language."""

    def __init__(self) -> None:
        self.told: list[tuple[str | None, Sequence[str]]] = []

    def transcribe(self, audio: Any, *, language: str | None, names: Sequence[str] = (), **kwargs: Any) -> Transcript:
        self.told.append((language, names))
        return Transcript("你好", "zh", 0.5) if language is None else Transcript("مرحبا", "ar", 0.9)


@pytest.mark.parametrize(
    ("where", "told"),
    [({}, [None, "ar"]), ({"known_language": "ar"}, [None, "ar"]), ({"language": "ar"}, ["ar"])],
    ids=["unknown", "known", "asked"],
)
def test_what_an_ear_mistook_is_heard_again_as_the_conversations_language(
    job: Job, where: dict[str, str], told: list[str | None]
) -> None:
    ear = Polyglot()
    reports = run(recorded(job, modes=("text",), **where), Cast({Layer.ASR: ear}))
    assert [language for language, _ in ear.told] == told
    assert reports.of("output", "asr")[0]["data"]["text"] == "مرحبا"
    assert "عيادة الياسمين" in ear.told[-1][1]


@pytest.mark.parametrize(
    ("spoken", "answered"), [((), "fr"), (("ar", "en", "fr"), "fr"), (("ar", "en"), "en")], ids=["any", "known", "not"]
)
def test_speech_in_a_language_without_a_voice_is_answered_in_the_conversations(
    job: Job, spoken: tuple[str, ...], answered: str
) -> None:
    class FrenchEar(FakeASR):
        def transcribe(self, audio: Any, **kwargs: Any) -> Transcript:
            return Transcript("1 2 3", "fr", 0.9)

    class SomeVoice(FakeTTS):
        needs: ClassVar[Needs] = Needs(languages=spoken)

    reports = run(recorded(job, known_language="en"), Cast({Layer.ASR: FrenchEar(), Layer.TTS: SomeVoice()}))
    assert reports.of("output", "asr")[0]["data"]["language"] == answered


@pytest.mark.parametrize("where", [{"language": "ar"}, {"known_language": "ar"}, {}], ids=str)
def test_an_arabic_voice_note_on_an_english_ear_is_answered_in_arabic(job: Job, where: dict[str, str]) -> None:
    reports = run(recorded(job, **where), Cast({Layer.ASR: EnglishEar()}))
    assert reports.answer["language"] == "ar"
    assert MISSING_EAR in reports.answer["text"]
    assert reports.steps == [("asr", "fake", "language_unsupported")]
    assert reports.of("output", "emotion") == []
    assert files(job) == {"voice.ogg", "video.mp4"}


@pytest.mark.parametrize("language", ["ar", "en"])
def test_what_is_not_understood_is_answered_with_topics(job: Job, language: str) -> None:
    class Deaf(FakeASR):
        def transcribe(self, audio: Any, **kwargs: Any) -> Transcript:
            raise NotUnderstood

    reports = run(recorded(job, language=language), Cast({Layer.ASR: Deaf()}))
    topics = [answer.topic[language] for answer in Catalogue(HOME).avatar("layla").persona.answers[:3]]
    assert reports.answer["language"] == language
    assert all(topic in reports.answer["text"] for topic in topics)
    assert reports.steps == [("asr", "fake", "not_understood")]


# ---- engines that break


class Broken:
    """Fakes that raise, at once or in the middle."""

    class ASR(FakeASR):
        def __init__(self, error: Exception) -> None:
            self.error = error

        def transcribe(self, audio: Any, **kwargs: Any) -> Transcript:
            raise self.error

    class Emotion(FakeEmotion):
        def __init__(self, error: Exception) -> None:
            self.error = error

        def read(self, text: str, **kwargs: Any) -> Reading:
            raise self.error

    class LLM(FakeLLM):
        def __init__(self, error: Exception, said: str = "") -> None:
            self.error, self.said = error, said

        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield self.said
            raise self.error

    class TTS(FakeTTS):
        def __init__(self, error: Exception, sentences: int = 0) -> None:
            self.error, self.left = error, sentences

        def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
            if self.left == 0:
                raise self.error
            self.left -= 1
            return super().speak(text, **kwargs)

    class Video(FakeVideo):
        def __init__(self, error: Exception, frames: int = 0) -> None:
            self.error, self.count = error, frames

        def frames(self, speech: Iterable[Speech], **kwargs: Any) -> Iterator[Frame]:
            for number, frame in enumerate(super().frames(speech, **kwargs)):
                if number == self.count:
                    raise self.error
                yield frame

    class Upscale(FakeUpscale):
        def __init__(self, error: Exception, frames: int = 0) -> None:
            self.error, self.count = error, frames

        def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
            for number, frame in enumerate(super().upscale(frames, width=width, height=height)):
                if number == self.count:
                    raise self.error
                yield frame


class SmallVideo(FakeVideo):
    """Draws 32 × 24, whatever is wanted."""

    def size(self, canvas: Canvas) -> tuple[int, int]:
        return 32, 24

    def frames(self, speech: Iterable[Speech], *, canvas: Canvas, **kwargs: Any) -> Iterator[Frame]:
        return super().frames(speech, canvas=replace(canvas, width=32, height=24), **kwargs)


def of_layer(error: type[Exception]) -> list[Exception]:
    return [error("as agreed"), ValueError("a bug of the engine")]


@pytest.mark.parametrize("frames", [0, 5])
@pytest.mark.parametrize("error", of_layer(VideoError), ids=repr)
def test_video_steps_down_to_voice(job: Job, error: Exception, frames: int) -> None:
    reports = run(job, Cast({Layer.VIDEO: Broken.Video(error, frames)}))
    assert reports.steps == [("video", "fake", "video_failed")]
    assert files(job) == {"voice.ogg"}
    assert reports.of("video") == []


@pytest.mark.parametrize("frames", [0, 5])
@pytest.mark.parametrize("error", of_layer(VideoError), ids=repr)
def test_video_steps_down_from_engine_to_engine_first(job: Job, error: Exception, frames: int) -> None:
    reports = run(job, Cast(musetalk=Broken.Video(error, frames), puppet=FakeVideo()))
    assert reports.steps == [("video", "musetalk", "video_failed")]
    assert files(job) == {"voice.ogg", "video.mp4"}
    assert seconds(reports.of("video")[0]["path"])["video"] == pytest.approx(
        reports.of("voice")[0]["seconds"], abs=0.05
    )
    assert [data["engine"] for data in reports.of("time", "video")] == ["puppet"]


@pytest.mark.parametrize("sentences", [0, 1])
@pytest.mark.parametrize("error", of_layer(TTSError), ids=repr)
def test_voice_steps_down_to_text(job: Job, error: Exception, sentences: int) -> None:
    reports = run(job, Cast({Layer.TTS: Broken.TTS(error, sentences)}))
    assert reports.steps == [("tts", "fake", "tts_failed")]
    assert files(job) == set()
    assert reports.answer["text"] == f"You asked: {job.text}."
    assert len(reports.of("output", "tts")) == sentences


def test_a_voice_without_a_sound_is_an_error(job: Job) -> None:
    class Mute(FakeTTS):
        def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
            yield Speech(np.zeros(0, np.float32), 16_000, None)

    assert run(job, Cast({Layer.TTS: Mute()})).steps == [("tts", "fake", "tts_failed")]


def test_an_answer_without_a_word_is_text_alone(job: Job) -> None:
    class Smiles(FakeLLM):
        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield "🙂"

    reports = run(job, Cast({Layer.LLM: Smiles()}))
    assert reports.answer["text"] == "🙂"
    assert files(job) == set()


def test_small_frames_are_enlarged(job: Job) -> None:
    reports = run(job, Cast({Layer.VIDEO: SmallVideo()}))
    (video,) = reports.of("video")
    assert (video["width"], video["height"]) == (64, 48)
    assert {data["layer"] for data in reports.of("time")} == {"video", "upscale"}


@pytest.mark.parametrize("frames", [0, 5])
@pytest.mark.parametrize("error", of_layer(UpscaleError), ids=repr)
def test_enlarging_steps_down_to_the_size_that_was_drawn(job: Job, error: Exception, frames: int) -> None:
    reports = run(job, Cast({Layer.VIDEO: SmallVideo(), Layer.UPSCALE: Broken.Upscale(error, frames)}))
    assert reports.steps == [("upscale", "fake", "upscale_failed")]
    (video,) = reports.of("video")
    assert (video["width"], video["height"]) == (32, 24)
    assert seconds(video["path"])["video"] == pytest.approx(video["seconds"], abs=0.05)


@pytest.mark.parametrize("error", of_layer(EmotionError), ids=repr)
def test_an_emotion_that_can_not_be_read_is_neutral(job: Job, error: Exception) -> None:
    reports = run(replace(job, text="joy"), Cast({Layer.EMOTION: Broken.Emotion(error)}))
    assert reports.steps == [("emotion", "fake", "emotion_failed")]
    assert reports.of("output", "emotion") == []
    assert files(job) == {"voice.ogg", "video.mp4"}


@pytest.mark.parametrize("modes", [ALL, ("text",)])
@pytest.mark.parametrize("said", ["", "Half of"])
@pytest.mark.parametrize("error", of_layer(LLMError), ids=repr)
def test_without_an_answer_the_turn_fails(job: Job, error: Exception, said: str, modes: tuple[str, ...]) -> None:
    reports = Reports()
    with pytest.raises(LLMError):
        run(replace(job, modes=modes), Cast({Layer.LLM: Broken.LLM(error, said)}), reports)
    assert reports.of("output", "llm") == []
    assert files(job) == set()


@pytest.mark.parametrize("modes", [ALL, ("text",)])
@pytest.mark.parametrize("error", of_layer(LLMError), ids=repr)
def test_an_answer_that_breaks_off_ends_with_its_last_whole_sentence(
    job: Job, error: Exception, modes: tuple[str, ...]
) -> None:
    broken = Broken.LLM(error, "One sentence. Another one? Half of")
    reports = run(replace(job, modes=modes), Cast({Layer.LLM: broken}))
    assert reports.answer == {"text": "One sentence. Another one?", "language": "en"}
    assert reports.steps == [("llm", "fake", "llm_cut")]
    assert [data["then"] for data in reports.of("step")] == ["cut"]
    assert len(reports.of("output", "tts")) == (2 if "voice" in modes else 0)


@pytest.mark.parametrize("said", ["", "Half of"])
@pytest.mark.parametrize("error", of_layer(LLMError), ids=repr)
def test_the_model_steps_down_to_what_stands_in_for_it(job: Job, error: Exception, said: str) -> None:
    cast = Cast({Layer.LLM: {"ollama": Broken.LLM(error, said), "answers": FakeLLM()}})
    reports = run(job, cast)
    assert reports.answer["text"] == f"You asked: {job.text}."
    assert reports.steps == [("llm", "ollama", "llm_failed")]
    assert [data["then"] for data in reports.of("step")] == ["answers"]
    assert [data["engine"] for data in reports.of("output", "llm")] == ["answers"]
    assert files(job) == {"voice.ogg", "video.mp4"}


@pytest.mark.parametrize("error", of_layer(EmotionError), ids=repr)
def test_reading_emotion_steps_down_to_what_stands_in_for_it(job: Job, error: Exception) -> None:
    cast = Cast({Layer.EMOTION: {"transformers": Broken.Emotion(error), "keywords": FakeEmotion()}})
    reports = run(replace(job, text="joy"), cast)
    assert reports.of("output", "emotion")[0]["data"]["emotion"] == Emotion.JOY
    assert reports.steps == [("emotion", "transformers", "emotion_failed")]


def test_a_model_that_went_missing_is_a_failure_of_its_layer(job: Job) -> None:
    cast = Cast({Layer.LLM: {"ollama": Broken.LLM(ModelMissing("fetch it")), "answers": FakeLLM()}})
    assert run(job, cast).steps == [("llm", "ollama", "llm_failed")]


# ---- memory that does not suffice


class Exhausted:
    """Fakes that run out of memory so many times, once they have begun."""

    class ASR(FakeASR):
        times = 1

        def transcribe(self, audio: Any, **kwargs: Any) -> Transcript:
            run_out(self)
            return super().transcribe(audio, **kwargs)

    class Emotion(FakeEmotion):
        times = 1

        def read(self, text: str, **kwargs: Any) -> Reading:
            run_out(self)
            return super().read(text, **kwargs)

    class LLM(FakeLLM):
        times = 1

        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield "Half "
            run_out(self)
            yield from super().answer(history, **kwargs)

    class TTS(FakeTTS):
        times = 1

        def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
            run_out(self)
            yield from super().speak(text, **kwargs)

    class Video(FakeVideo):
        times = 1

        def frames(self, speech: Iterable[Speech], **kwargs: Any) -> Iterator[Frame]:
            for number, frame in enumerate(super().frames(speech, **kwargs)):
                if number == 3:
                    run_out(self)
                yield frame

    class Upscale(FakeUpscale):
        times = 1

        def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
            for number, frame in enumerate(super().upscale(frames, width=width, height=height)):
                if number == 3:
                    run_out(self)
                yield frame


def run_out(engine: Any) -> None:
    if engine.times:
        engine.times -= 1
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")


EXHAUSTED: dict[Layer, Any] = {
    Layer.ASR: Exhausted.ASR,
    Layer.EMOTION: Exhausted.Emotion,
    Layer.LLM: Exhausted.LLM,
    Layer.TTS: Exhausted.TTS,
    Layer.VIDEO: Exhausted.Video,
    Layer.UPSCALE: Exhausted.Upscale,
}


def short_of_memory(layer: Layer, times: int) -> Cast:
    engine = EXHAUSTED[layer]()
    engine.times = times
    small = {Layer.VIDEO: SmallVideo()} if layer is Layer.UPSCALE else {}
    return Cast({layer: engine, **small})


@pytest.mark.parametrize("layer", Layer)
def test_a_layer_that_ran_out_of_memory_is_tried_once_more(job: Job, layer: Layer) -> None:
    reports = run(recorded(job) if layer is Layer.ASR else job, short_of_memory(layer, 1))
    assert reports.steps == []
    assert files(job) == {"voice.ogg", "video.mp4"}
    assert [data["layer"] for data in reports.of("exhausted")] == [layer]


@pytest.mark.parametrize("layer", [Layer.EMOTION, Layer.TTS, Layer.VIDEO, Layer.UPSCALE])
def test_then_the_answer_steps_down(job: Job, layer: Layer) -> None:
    reports = run(job, short_of_memory(layer, 9))
    assert reports.steps == [(layer, "fake", "out_of_memory")]
    assert reports.answer["text"].startswith("You asked")


@pytest.mark.parametrize("layer", [Layer.ASR, Layer.LLM])
def test_without_an_ear_or_a_model_the_turn_fails(job: Job, layer: Layer) -> None:
    with pytest.raises(LAYER_ERRORS[layer]) as raised:
        run(recorded(job) if layer is Layer.ASR else job, short_of_memory(layer, 9))
    assert raised.value.exhausted


# ---- an answer in another language than it was asked for


@pytest.mark.parametrize(
    ("asked", "said", "spoken"),
    [
        ("hello", "Good morning to you.", "en"),
        ("hello", "صباح الخير يا صديقي.", "ar"),
        ("مرحبا", "Good morning to you.", "en"),
        ("مرحبا", "نفتح في 9.", "ar"),
        ("مرحبا", "12:30.", "ar"),
    ],
)
def test_the_voice_speaks_the_language_of_the_answer(job: Job, asked: str, said: str, spoken: str) -> None:
    heard: list[str] = []

    class Says(FakeLLM):
        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield said

    class Listens(FakeTTS):
        def speak(self, text: str, *, language: str, **kwargs: Any) -> Iterator[Speech]:
            heard.append(language)
            return super().speak(text, language=language, **kwargs)

    reports = run(replace(job, text=asked), Cast({Layer.LLM: Says(), Layer.TTS: Listens()}))
    assert heard == [spoken]
    assert reports.answer["language"] == spoken


@pytest.mark.parametrize("modes", [ALL, ("text",)])
def test_an_empty_answer_is_none(job: Job, modes: tuple[str, ...]) -> None:
    class Silent(FakeLLM):
        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield " \n"

    with pytest.raises(LLMError, match="empty"):
        run(replace(job, modes=modes), Cast({Layer.LLM: Silent()}))


@pytest.mark.parametrize("error", of_layer(ASRError), ids=repr)
def test_a_broken_ear_fails_the_turn(job: Job, error: Exception) -> None:
    with pytest.raises(ASRError):
        run(recorded(job), Cast({Layer.ASR: Broken.ASR(error)}))


def test_a_folder_that_can_not_be_made_fails_the_turn(job: Job) -> None:
    job.path.write_text("a file where a folder should be")
    with pytest.raises(StorageError):
        run(replace(job, folder=str(job.path / "1")))


# ---- cancel


class Endless:
    """Fakes that are asked to stop while they work, and would go on for ever."""

    class ASR(FakeASR):
        def __init__(self, stop: threading.Event) -> None:
            self.stop = stop

        def transcribe(self, audio: Any, **kwargs: Any) -> Transcript:
            self.stop.set()
            return super().transcribe(audio, **kwargs)

    class Emotion(FakeEmotion):
        def __init__(self, stop: threading.Event) -> None:
            self.stop = stop

        def read(self, text: str, **kwargs: Any) -> Reading:
            self.stop.set()
            return Reading(Emotion.JOY, 1.0)

    class LLM(FakeLLM):
        def __init__(self, stop: threading.Event) -> None:
            self.stop, self.closed = stop, False

        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            try:
                while True:
                    yield "And so on. "
                    self.stop.set()
                    time.sleep(0.01)
            finally:
                self.closed = True

    class TTS(FakeTTS):
        def __init__(self, stop: threading.Event) -> None:
            self.stop = stop

        def speak(self, text: str, **kwargs: Any) -> Iterator[Speech]:
            while True:
                yield from super().speak(text, **kwargs)
                self.stop.set()
                time.sleep(0.01)

    class Video(FakeVideo):
        def __init__(self, stop: threading.Event) -> None:
            self.stop = stop

        def frames(self, speech: Iterable[Speech], *, canvas: Canvas, **kwargs: Any) -> Iterator[Frame]:
            next(iter(speech))
            while True:
                yield np.zeros((canvas.height, canvas.width, 3), np.uint8)
                self.stop.set()
                time.sleep(0.01)

    class Upscale(FakeUpscale):
        def __init__(self, stop: threading.Event) -> None:
            self.stop = stop

        def upscale(self, frames: Iterable[Frame], *, width: int, height: int) -> Iterator[Frame]:
            for _ in frames:
                while True:
                    yield np.zeros((height, width, 3), np.uint8)
                    self.stop.set()
                    time.sleep(0.01)


@pytest.mark.parametrize("layer", Layer)
@pytest.mark.alone
def test_cancel_in_each_layer(job: Job, layer: Layer) -> None:
    stop = threading.Event()
    name = {Layer.EMOTION: "Emotion", Layer.VIDEO: "Video", Layer.UPSCALE: "Upscale"}.get(layer, layer.upper())
    engine = getattr(Endless, name)(stop)
    cast = Cast({Layer.VIDEO: SmallVideo(), layer: engine})
    began = time.monotonic()
    with pytest.raises(Cancelled):
        SmartTalkerPipeline(cast, Catalogue(HOME)).run(recorded(job) if layer is Layer.ASR else job, Reports(), stop)
    assert time.monotonic() - began < 3
    assert "video.mp4" not in files(job)
    assert not any(name.startswith(".") or name.endswith(".part") for name in files(job))
    assert layer is not Layer.LLM or engine.closed


def test_cancel_of_a_text_alone_ends_the_answer_at_once(job: Job) -> None:
    """Not when somebody collects garbage: the error holds the frames that it went through."""
    stop = threading.Event()
    engine = Endless.LLM(stop)
    with pytest.raises(Cancelled) as raised:
        SmartTalkerPipeline(Cast({Layer.LLM: engine}), Catalogue(HOME)).run(
            replace(job, modes=("text",)), Reports(), stop
        )
    assert raised.tb is not None
    assert engine.closed


@pytest.mark.parametrize("modes", [ALL, ("text",)])
@pytest.mark.parametrize("before", [(), ("One sentence. Half of ",)], ids=["silent", "in the middle"])
@pytest.mark.alone
def test_cancel_of_a_model_that_waits_for_its_server(job: Job, modes: tuple[str, ...], before: tuple[str, ...]) -> None:
    """It is interrupted; its own error is nobody's business any more, and nothing stands in for it."""
    stop, freed = threading.Event(), threading.Event()

    class Waits(FakeLLM):
        def answer(self, history: Sequence[Any], **kwargs: Any) -> Iterator[str]:
            yield from before
            threading.Timer(0.1, stop.set).start()
            assert freed.wait(WAIT_S)
            raise AnswerCut("the connection was cut")

        def interrupt(self) -> None:
            freed.set()

    reports, began = Reports(), time.monotonic()
    cast = Cast({Layer.LLM: {"ollama": Waits(), "answers": FakeLLM()}})
    with pytest.raises(Cancelled):
        SmartTalkerPipeline(cast, Catalogue(HOME)).run(replace(job, modes=modes), reports, stop)
    assert time.monotonic() - began < 1.5
    assert reports.steps == reports.of("output", Layer.LLM) == []


def test_cancelled_before_it_began(job: Job) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        SmartTalkerPipeline(Cast(), Catalogue(HOME)).run(job, Reports(), stop)
    assert files(job) == set()


# ---- a second attempt


def test_a_retry_asks_no_engine_for_what_is_saved(job: Job) -> None:
    first = run(recorded(job))
    error = AssertionError("asked again")
    cast = Cast({
        Layer.ASR: Broken.ASR(error),
        Layer.EMOTION: Broken.Emotion(error),
        Layer.LLM: Broken.LLM(error),
        Layer.TTS: Broken.TTS(error),
    })  # fmt: skip
    again = replace(recorded(job), folder=str(job.path.parent / "2"), outputs=first.saved())
    second = run(again, cast)
    assert second.steps == second.of("output") == []
    assert files(again) == {"voice.ogg", "video.mp4"}
    assert second.of("voice")[0]["seconds"] == first.of("voice")[0]["seconds"]
    assert second.of("video")[0]["frames"] == first.of("video")[0]["frames"]


def test_a_retry_speaks_only_the_sentences_that_lack(job: Job) -> None:
    first = run(job)
    saved = first.saved()
    del saved["tts"]["1"]
    Path(saved["tts"]["2"]["path"]).unlink()
    second = run(replace(job, folder=str(job.path.parent / "2"), outputs=saved))
    assert [data["part"] for data in second.of("output", "tts")] == [1, 2]
    assert second.of("voice")[0]["seconds"] == first.of("voice")[0]["seconds"]


def test_another_answer_is_spoken_anew(job: Job) -> None:
    saved = run(job).saved()
    del saved["llm"]
    second = run(replace(job, folder=str(job.path.parent / "2"), text="Something else.", outputs=saved))
    assert [data["part"] for data in second.of("output", "tts")] == [0]


def test_a_retry_keeps_the_reply_to_what_was_not_understood(job: Job) -> None:
    first = run(recorded(job, language="ar"), Cast({Layer.ASR: EnglishEar()}))
    saved = {"asr": first.saved()["asr"]}
    second = run(replace(recorded(job), folder=str(job.path.parent / "2"), outputs=saved))
    assert second.answer == first.answer
