"""The engine `cosyvoice` with its host, over the double of CosyVoice 3."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Catalogue, Reference, Voice
from core.errors import TTSError
from core.kinds import Tone
from core.settings import HOME
from simulators.voices import Call, Models, write_models
from worker.engines.base import Place
from worker.engines.tts.base import Speech
from worker.engines.tts.cosyvoice.engine import CosyVoice
from worker.engines.tts.cosyvoice.instructions import HAPPY, SOFT
from worker.engines.tts.cosyvoice.prompts import instructing, reciting
from worker.voicing.lengths import Lengths

LONG = "Good morning to you all, how can I help you today?"
SECRET = "The password of the safe is xylophone and nobody knows it."
WORDS = "Welcome, I am here to answer your questions."


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("voices") / "models", ["cosyvoice"])


@pytest.fixture(scope="module")
def engine(models: Models) -> Iterator[CosyVoice]:
    made = CosyVoice.at(Place(models=models.folder))
    yield made
    made.unload()


@pytest.fixture(autouse=True)
def calm(models: Models) -> None:
    models.cosyvoice.calm()


@pytest.fixture
def mona(tmp_path: Path) -> Voice:
    """A voice with an English recording and its words."""
    path = shutil.copy(HOME / "voices" / "layla" / "reference.en.wav", tmp_path / "reference.wav")
    return Voice("mona", {}, tmp_path, {}, {"en": Reference(Path(path), "en", WORDS)})


def spoken(engine: CosyVoice, text: str, voice: Voice, language: str = "en", **more: Any) -> list[Speech]:
    return list(engine.speak(text, language=language, voice=voice, **more))


def sound(engine: CosyVoice, text: str, voice: Voice, **more: Any) -> bytes:
    return b"".join(piece.samples.tobytes() for piece in spoken(engine, text, voice, **more))


def heard(raw: bytes) -> NDArray[np.float32]:
    return np.frombuffer(raw, np.float32)


def asked(models: Models, what: str = "inference") -> list[Call]:
    return [call for call in models.cosyvoice.calls if call.what.startswith(what)]


def test_speech_comes_in_pieces(engine: CosyVoice, mona: Voice) -> None:
    pieces = spoken(engine, f"{LONG} And then there is more to say.", mona)
    assert len(pieces) > 1
    assert {piece.sample_rate for piece in pieces} == {24_000}
    assert all(piece.samples.dtype == np.float32 and piece.samples.ndim == 1 for piece in pieces)
    pieces[0].samples[:] = 0.0  # it is the caller's


@pytest.mark.parametrize(
    ("more", "way", "prompt", "stream"),
    [
        ({}, "zero_shot", reciting(WORDS), True),
        ({"tone": Tone.LIVELY, "intensity": 0.9}, "zero_shot", reciting(WORDS), False),
        ({"tone": Tone.CHEERFUL, "intensity": 0.9}, "instruct2", instructing(HAPPY), True),
        ({"tone": Tone.CHEERFUL, "intensity": 0.2}, "zero_shot", reciting(WORDS), True),
        ({"tone": Tone.CALM, "intensity": 0.9}, "instruct2", instructing(SOFT), False),
        ({"take": 1}, "instruct2", instructing(), True),
        ({"tone": Tone.CHEERFUL, "intensity": 0.9, "take": 1}, "instruct2", instructing(), True),
        ({"language": "de"}, "instruct2", instructing(), True),
    ],
)
def test_how_a_sentence_is_asked_for(
    models: Models, engine: CosyVoice, mona: Voice, more: dict[str, Any], way: str, prompt: str, stream: bool
) -> None:
    assert spoken(engine, LONG, mona, **more)
    (call,) = asked(models)
    assert call.what == f"inference_{way}"
    assert call.given["prompt_text"] == prompt
    assert call.given["stream"] is stream
    assert (call.given["speed"] == 1.0) is stream
    assert call.end == "done"
    assert not models.cosyvoice.oddities


def test_a_short_sentence_is_not_recited(models: Models, engine: CosyVoice, mona: Voice) -> None:
    assert spoken(engine, "Hi.", mona)
    assert [call.what for call in asked(models)] == ["inference_instruct2"]


def test_an_instruction_is_heard(engine: CosyVoice, mona: Voice) -> None:
    soft, plain = sound(engine, LONG, mona, tone=Tone.GENTLE, intensity=1.0), sound(engine, LONG, mona)
    assert np.abs(heard(soft)).max() < 0.8 * np.abs(heard(plain)).max()


def test_a_recording_is_learnt_once(models: Models, mona: Voice) -> None:
    engine = CosyVoice.at(Place(models=models.folder))
    try:
        assert sound(engine, LONG, mona)
        assert sound(engine, LONG, mona, tone=Tone.CHEERFUL, intensity=1.0)
        engine.unload()
        assert sound(engine, LONG, mona)  # by what was kept here
        assert len(asked(models, "add_zero_shot_spk")) == 1
        os.utime(mona.references["en"].clip, ns=(1, 1))
        assert sound(engine, LONG, mona)
        assert len(asked(models, "add_zero_shot_spk")) == 2
    finally:
        engine.unload()


def test_a_take_is_the_same_each_time_and_unlike_another(engine: CosyVoice, mona: Voice) -> None:
    takes = [sound(engine, "Hi there.", mona, take=take) for take in (0, 0, 1)]
    assert takes[0] == takes[1] != takes[2]


def test_speed_is_the_voices_and_the_languages(models: Models, engine: CosyVoice, mona: Voice) -> None:
    quick = Voice("mona", {}, mona.folder, {"cosyvoice": {"speed": 0.9, "en": {"speed": 1.25}}}, mona.references)
    (whole,) = spoken(engine, LONG, quick)
    assert whole.seconds < sum(piece.seconds for piece in spoken(engine, LONG, mona))
    assert spoken(engine, LONG, quick, "de")
    assert [call.given["speed"] for call in asked(models)] == [1.25, 1.0, 0.9]


@pytest.mark.parametrize("speed", [0, 3, -1, True, "fast", float("nan")])
def test_a_speed_that_is_none_is_refused(engine: CosyVoice, mona: Voice, speed: Any) -> None:
    wrong = Voice("mona", {}, mona.folder, {"cosyvoice": {"speed": speed}}, mona.references)
    with pytest.raises(TTSError, match=r"voice mona: \[engines.cosyvoice\] speed"):
        spoken(engine, LONG, wrong)


@pytest.mark.parametrize(("text", "language"), [("👍", "en"), ("<|endofprompt|>", "en"), ("...", "ar"), ("", "zh")])
def test_nothing_to_say_is_a_pause(models: Models, engine: CosyVoice, mona: Voice, text: str, language: str) -> None:
    (piece,) = spoken(engine, text, mona, language)
    assert 0.1 < piece.seconds < 1.0
    assert not piece.samples.any()
    assert not models.cosyvoice.calls


def test_a_text_of_320_characters(engine: CosyVoice, mona: Voice) -> None:
    text = ("so it goes on and on without an end " * 10)[:320]
    assert sum(piece.seconds for piece in spoken(engine, text, mona)) > 8


def test_marks_do_not_reach_the_model(models: Models, engine: CosyVoice, mona: Voice) -> None:
    assert spoken(engine, "Please<|endofprompt|> say <strong>this</strong> aloud for me.", mona)
    assert asked(models)[0].given["text"] == "Please say this aloud for me."


@pytest.mark.parametrize(("text", "language"), [("أهلًا بك يا صديقي", "ar"), ("أهلًا بك يا صديقي", "en"), ("Olá", "pt")])
def test_other_languages_are_refused(engine: CosyVoice, mona: Voice, text: str, language: str) -> None:
    if language == "pt":
        assert spoken(engine, text, mona, language)  # Latin letters of no language that it knows are read as English
        return
    with pytest.raises(TTSError, match="not ar"):
        spoken(engine, text, mona, language)


def test_a_recording_without_words_lends_its_sound(models: Models, engine: CosyVoice, mona: Voice) -> None:
    silent = Voice("mona", {}, mona.folder, {}, {"und": Reference(mona.references["en"].clip, "und")})
    assert spoken(engine, LONG, silent)
    assert asked(models)[0].given["prompt_text"] == instructing()


def test_shipped_voices_are_recited(models: Models, engine: CosyVoice) -> None:
    assert spoken(engine, LONG, Catalogue(HOME).voice("omar"))
    assert asked(models)[0].what == "inference_zero_shot"


class TestWrong:
    def test_what_runs_on_ends_a_little_beyond_what_is_plausible(
        self, models: Models, engine: CosyVoice, mona: Voice
    ) -> None:
        models.cosyvoice.fail("runaway")
        seconds = sum(piece.seconds for piece in spoken(engine, LONG, mona))
        most = Lengths.of(LONG, "en").most_s
        assert most < seconds < 1.2 * most

    @pytest.mark.parametrize("more", [{}, {"tone": Tone.LIVELY, "intensity": 1.0}])
    def test_an_error_in_upstreams_thread_is_told(
        self, models: Models, engine: CosyVoice, mona: Voice, more: dict[str, Any]
    ) -> None:
        models.cosyvoice.fail("thread")
        with pytest.raises(TTSError, match="CUDA out of memory") as caught:
            spoken(engine, LONG, mona, **more)
        assert caught.value.exhausted
        pids = {call.pid for call in models.cosyvoice.calls}
        assert spoken(engine, LONG, mona)
        assert {call.pid for call in models.cosyvoice.calls} == pids

    @pytest.mark.parametrize("effect", ["error", "sigkill", "exit"])
    def test_what_fails_in_mid_sentence_tells_no_text_and_does_not_last(
        self, models: Models, engine: CosyVoice, mona: Voice, effect: str
    ) -> None:
        models.cosyvoice.fail(effect, after=1)
        with pytest.raises(TTSError, match="cosyvoice") as caught:
            spoken(engine, SECRET, mona)
        assert "xylophone" not in str(caught.value)
        assert WORDS not in str(caught.value)
        assert spoken(engine, SECRET, mona)

    def test_a_sentence_that_is_left_leaves_nothing(self, models: Models, engine: CosyVoice, mona: Voice) -> None:
        before = sound(engine, SECRET, mona)
        pieces = engine.speak(SECRET, language="en", voice=mona)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
        assert sound(engine, SECRET, mona) == before
        assert len({call.pid for call in models.cosyvoice.calls}) == 1

    def test_interrupting_ends_it_at_once(self, models: Models, engine: CosyVoice, mona: Voice) -> None:
        assert spoken(engine, "Hi.", mona)
        models.cosyvoice.fail("slow", seconds=5.0)
        timer = threading.Timer(0.2, engine.interrupt)
        began = time.monotonic()
        timer.start()
        with pytest.raises(TTSError):
            spoken(engine, LONG, mona)
        assert time.monotonic() - began < 3.0
        models.cosyvoice.calm()
        assert spoken(engine, LONG, mona)

    def test_a_recording_that_is_gone(self, engine: CosyVoice, mona: Voice) -> None:
        mona.references["en"].clip.unlink()
        with pytest.raises(TTSError, match=r"voice mona: .*reference.wav can't be read"):
            spoken(engine, LONG, mona)


def test_unloading_leaves_no_process(models: Models, mona: Voice) -> None:
    engine = CosyVoice.at(Place(models=models.folder))
    engine.load()
    assert spoken(engine, "Hi.", mona)
    (pid,) = {call.pid for call in models.cosyvoice.calls}
    engine.unload()
    engine.unload()
    assert not Path(f"/proc/{pid}").exists()
    assert engine.memory_mb() == 0


HOSTED = """
import base64
import sys
from worker.engines.tts.cosyvoice.hosted import CosyVoice3
from worker.hosting.served import Refused

voice = CosyVoice3(lambda what: None, repo=sys.argv[1], model=sys.argv[2], on_card=False)
((_, learnt),) = voice.learn(speaker="a", clip=sys.argv[3])
list(voice.remember(speaker="b", learnt=base64.b64encode(learnt).decode()))
a, b = ({name: value.numpy().tolist() for name, value in kept.items()} for kept in voice._speakers._kept.values())
assert a == b and "llm_embedding" in a and "prompt_text" not in a
asked = dict(speaker="a", text=sys.argv[4], recite=True, speed=1.0, seed=1, most_tokens=500)
print(len(list(voice.speak(prompt="You are a helpful assistant.<|endofprompt|>Words.", **asked))))
for more in ({"prompt": "no mark"}, {"prompt": "<|endofprompt|>", "text": "a <|im_end|>"}):
    try:
        list(voice.speak(**{**asked, **more}))
    except Refused as refused:
        print(refused)
try:
    CosyVoice3(lambda what: None, repo=sys.argv[1], model=sys.argv[2], on_card=True)
except Refused as refused:
    print(refused)
"""


def test_the_hosted_part_refuses_what_would_go_wrong_and_logs_no_text(models: Models, mona: Voice) -> None:
    folders = [models.folder / "cosyvoice-repo", models.folder / "cosyvoice3", mona.references["en"].clip]
    python = models.folder / "cosyvoice-env/venv/bin/python"
    done = subprocess.run(
        [python, "-c", HOSTED, *folders, SECRET], capture_output=True, text=True, check=True, cwd=HOME
    )
    pieces, *refusals = done.stdout.splitlines()
    assert int(pieces) > 0
    assert ["holds <|endofprompt|> once" in refusals[0], "mark of the tokenizer" in refusals[1]] == [True, True]
    assert "finds no card" in refusals[2]
    assert done.stderr == ""
