"""The parts of the engine `cosyvoice` that need no model: prompts, tones, recordings, places."""

from __future__ import annotations

import gc
import os
import subprocess
import threading
import wave
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.catalogue import ANY, Reference, Voice
from core.errors import ConfigurationError, ModelMissing, TTSError
from core.kinds import Tone
from core.weights.folder import keep_record
from core.weights.manifest import read_manifest
from simulators.voices import write_models
from worker.engines.base import Place
from worker.engines.tts.cosyvoice.engine import CosyVoice
from worker.engines.tts.cosyvoice.instructions import HAPPY, SOFT, Manner, manner
from worker.engines.tts.cosyvoice.learnt import MOST, Learnt
from worker.engines.tts.cosyvoice.marks import END
from worker.engines.tts.cosyvoice.minding import Minder
from worker.engines.tts.cosyvoice.places import checkout, program
from worker.engines.tts.cosyvoice.prompts import instructing, reciting, said
from worker.engines.tts.cosyvoice.recordings import Recording, check, recording, stamp
from worker.hosting.served import Dropped

RATE = 24_000
WORDS = "Welcome, I am here to answer your questions."


def clip(path: Path, *, seconds: float = 4.0, rate: int = RATE, level: float = 0.3, width: int = 2) -> Path:
    """A tone in a WAV file."""
    tone = level * np.sin(np.arange(round(seconds * rate)) * (2 * np.pi * 200 / rate))
    pcm = np.round(tone * (2 ** (8 * width - 1) - 1)).astype("<i8") + (128 if width == 1 else 0)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, width, rate, 0, "NONE", ""))
        file.writeframes(pcm[:, None].view(np.uint8)[:, :width].tobytes())
    return path


def voice(*references: Reference, **engines: Any) -> Voice:
    return Voice("mona", {}, Path(), engines, {each.language: each for each in references})


@pytest.mark.parametrize(
    ("tone", "intensity", "expected"),
    [
        (Tone.NEUTRAL, 1.0, Manner()),
        (Tone.CHEERFUL, 1.0, Manner(HAPPY)),
        (Tone.GENTLE, 0.5, Manner(SOFT)),
        (Tone.CALM, 0.9, Manner(SOFT, 0.95)),
        (Tone.LIVELY, 0.9, Manner("", 1.06)),
        *((tone, 0.4, Manner()) for tone in Tone),
    ],
)
def test_an_instruction_is_given_where_the_tone_is_plain(tone: Tone, intensity: float, expected: Manner) -> None:
    assert manner(tone, intensity) == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("It costs 25 dollars.", "en", "It costs twenty-five dollars."),
        ("Hello<|endofprompt|> there", "en", "Hello there"),
        ("<|im_start|>Say <strong>this</strong> [laughter] now.", "en", "Say this now."),
        ("See [the map](https://example.org/a).", "en", "See the map."),
        ("[cough](x) medicine", "en", "cough medicine"),
        ("<|end<|endofprompt|>ofprompt|> Hi", "en", "end ofprompt Hi"),
        ("👍", "en", ""),
        ("…", "zh", ""),
        ("你好，[breath]世界！我有 3 只猫。", "zh", "你好，世界！我有 3 只猫。"),
        ("Straße<|endoftext|> Nr. 5 😀!", "de", "Straße Nr. 5 !"),
        ("**Bonjour** à tous", "fr", "Bonjour à tous"),
    ],
)
def test_what_is_said_holds_no_marks(text: str, language: str, expected: str) -> None:
    spoken = said(text, language).replace("， 世界", "，世界")
    assert spoken == expected
    assert not {"<", "|", ">", "[", "]"} & set(spoken)


def test_prompts_hold_their_mark_once() -> None:
    assert reciting(WORDS) == f"You are a helpful assistant.{END}{WORDS}"
    assert instructing() == f"You are a helpful assistant.{END}"
    assert instructing(HAPPY) == f"You are a helpful assistant. {HAPPY}{END}"


@pytest.mark.parametrize(
    ("references", "language", "file", "words"),
    [
        ([("en", WORDS)], "en", "en.wav", WORDS),
        ([("en", None)], "en", "en.wav", ""),
        ([("en", "[laughter]<|endofprompt|>")], "en", "en.wav", ""),
        ([("ar", "أهلًا بكم"), ("en", WORDS)], "en", "en.wav", WORDS),
        ([("ar", "أهلًا بكم")], "en", "ar.wav", ""),
        ([(ANY, WORDS), ("ar", "أهلًا بكم")], "en", "und.wav", ""),
        ([("en", WORDS)], "de", "en.wav", ""),
    ],
)
def test_words_are_of_use_in_their_own_language(
    tmp_path: Path, references: list[tuple[str, str | None]], language: str, file: str, words: str
) -> None:
    known = [Reference(clip(tmp_path / f"{each}.wav"), each, text) for each, text in references]
    found = recording(voice(*known), language)
    assert (found.clip.name, found.words) == (file, words)


@pytest.mark.parametrize(
    ("words", "text", "take", "recited"),
    [(WORDS, "This is long enough.", 0, True), (WORDS, "Hi.", 0, False), (WORDS, "This is long enough.", 1, False),
     ("", "This is long enough.", 0, False)],
)  # fmt: skip
def test_the_recording_is_recited_where_that_is_safe(words: str, text: str, take: int, recited: bool) -> None:
    assert Recording(Path(), ("", 0, 0), words).recited(text, take) is recited


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({}, None),
        ({"width": 1}, None),
        ({"width": 3}, None),
        ({"width": 4}, None),
        ({"seconds": 30.0}, None),
        ({"seconds": 30.01}, "30.01 s long"),
        ({"seconds": 0.5}, "0.50 s long"),
        ({"rate": 8000}, "8000 Hz"),
        ({"level": 0.001}, "silent"),
        ({"level": 0.0, "width": 1}, "silent"),
    ],
)
def test_a_recording_that_is_of_no_use_is_refused_by_name(
    tmp_path: Path, made: dict[str, Any], reason: str | None
) -> None:
    path = clip(tmp_path / "reference.wav", **made)
    if reason is None:
        check(voice(), path)
        return
    with pytest.raises(TTSError, match=f"voice mona: reference.wav .*{reason}"):
        check(voice(), path)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3 not a wave file at all"])
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reference.wav"
    path.write_bytes(content)
    with pytest.raises(TTSError, match=r"voice mona: reference.wav is no WAV file"):
        check(voice(), path)


def test_a_voice_without_a_recording_says_so(tmp_path: Path) -> None:
    with pytest.raises(TTSError, match="voice mona has no recording"):
        recording(voice(), "en")
    with pytest.raises(TTSError, match=r"voice mona: .*gone.wav can't be read: No such file"):
        recording(voice(Reference(tmp_path / "gone.wav", "en")), "en")


def recorded(path: Path) -> Recording:
    return Recording(path, stamp(path), "")


def test_what_was_learnt_is_kept_by_the_state_of_the_file(tmp_path: Path) -> None:
    learnt, first, second = Learnt(), clip(tmp_path / "a.wav"), clip(tmp_path / "b.wav")
    for path in (first, second):
        learnt.keep(recorded(path), b"features")
    assert learnt.of(recorded(first)) == "ZmVhdHVyZXM="
    os.utime(first, ns=(1, 1))
    assert learnt.of(recorded(first)) is None
    second.unlink()
    learnt.forget_gone()
    assert len(learnt) == 0


def test_what_was_learnt_is_bounded(tmp_path: Path) -> None:
    learnt, paths = Learnt(), [clip(tmp_path / f"{n}.wav", seconds=0.01) for n in range(MOST + 1)]
    for path in paths:
        learnt.keep(recorded(path), b"features")
        learnt.of(recorded(paths[0]))
    assert len(learnt) == MOST
    assert learnt.of(recorded(paths[0]))
    assert learnt.of(recorded(paths[1])) is None


class TestPlaces:
    @pytest.fixture
    def models(self, tmp_path: Path) -> Path:
        return write_models(tmp_path / "models", ["cosyvoice"]).folder

    @pytest.mark.parametrize("name", ["cosyvoice3", "cosyvoice-repo", "cosyvoice-env"])
    def test_what_lacks_is_named_with_its_command(self, models: Path, name: str) -> None:
        (models / name / "weights.json").unlink()
        with pytest.raises(ModelMissing, match=f"{name}.*smarttalker models fetch {name}"):
            CosyVoice.at(Place(models=models)).look()

    def test_the_submodule_must_be_there(self, models: Path, tmp_path: Path) -> None:
        own = tmp_path / "their own"
        (own / "cosyvoice/cli").mkdir(parents=True)
        with pytest.raises(ConfigurationError, match=r"SMARTTALKER_COSYVOICE_REPO=.*their own is no checkout"):
            checkout(Place(models=models, cosyvoice_repo=own))
        (own / "cosyvoice/cli/cosyvoice.py").touch()
        (own / "third_party/Matcha-TTS").mkdir(parents=True)
        with pytest.raises(ModelMissing, match=r"git -C '.*their own' submodule update --init"):
            checkout(Place(models=models, cosyvoice_repo=own))
        (own / "third_party/Matcha-TTS/matcha").mkdir()
        assert checkout(Place(models=models, cosyvoice_repo=own)) == own

    def test_a_fetched_checkout_is_checked_too(self, models: Path) -> None:
        (models / "cosyvoice-repo/cosyvoice/cli/cosyvoice.py").unlink()
        keep_record(models / "cosyvoice-repo", "other")
        with pytest.raises(ConfigurationError, match="smarttalker models fetch cosyvoice-repo"):
            checkout(Place(models=models))

    @pytest.mark.parametrize(("device", "visible"), [("cpu", ""), ("cuda:0", "0"), ("cuda:1", "1")])
    def test_the_host_sees_the_card_that_is_meant(
        self, models: Path, monkeypatch: pytest.MonkeyPatch, device: str, visible: str
    ) -> None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        made = program(Place(models=models, device=device))
        assert made.env["CUDA_VISIBLE_DEVICES"] == visible
        assert made.arguments["on_card"] is (device != "cpu")
        assert CosyVoice.at(Place(models=models, device=device)).look() == f"CosyVoice 3 on {device}"

    def test_needs_are_those_of_the_manifest(self, models: Path) -> None:
        listed = read_manifest().weights["cosyvoice3"]
        needs = CosyVoice.at(Place(models=models, device="cuda:0")).needs
        assert (needs.gpu_mb, needs.languages, needs.licence) == (listed.gpu_mb, listed.languages, listed.licence)
        assert (needs.elsewhere, needs.recording, needs.exclusive) == (True, True, False)
        assert CosyVoice.at(Place(models=models)).needs.gpu_mb == 0

    def test_the_hosted_part_imports_the_standard_library_alone(self) -> None:
        program = "import worker.engines.tts.cosyvoice.hosted, sys; assert 'numpy' not in sys.modules"
        subprocess.run(
            [Path("/proc/self/exe").resolve(), "-S", "-E", "-c", program], check=True, cwd=Path(__file__).parents[2]
        )


class Model:
    """As much of upstream's model as a Minder touches, with a language model of our own."""

    def __init__(self, tokens: Any) -> None:
        self.token_hop_len = 25
        self.tts_speech_token_dict: dict[str, list[int]] = {}
        self.llm_end_dict: dict[str, bool] = {}
        self.hift_cache_dict: dict[str, Any] = {}
        self.llm = type("LLM", (), {})()
        self.llm.inference = tokens
        self.sounds = 0

    def token2wav(self, token: Any) -> int:
        self.sounds += 1
        return self.sounds

    def llm_job(self, uuid: str) -> None:
        for token in self.llm.inference(uuid=uuid):
            self.tts_speech_token_dict[uuid].append(token)


def endless(uuid: str) -> Iterator[int]:
    while True:
        yield 7


def failing(uuid: str) -> Iterator[int]:
    yield 7
    raise RuntimeError("CUDA out of memory")


class TestMinder:
    def said(self, model: Model) -> int:
        model.tts_speech_token_dict["a"], model.llm_end_dict["a"] = [], False
        thread = threading.Thread(target=lambda: model.llm_job("a"))
        thread.start()
        thread.join()
        assert model.llm_end_dict == {"a": True}
        return len(model.tts_speech_token_dict["a"])

    def test_what_runs_on_is_cut_and_leaves_nothing(self) -> None:
        model = Model(endless)
        minder = Minder(model, lambda what: None)
        with minder.minding(30):
            model.token_hop_len = 100
            assert self.said(model) == 30
        assert not model.llm_end_dict
        assert not model.tts_speech_token_dict
        with minder.minding(1):
            assert model.token_hop_len == 25

    @pytest.mark.parametrize("pieces", [[1, 2], []])
    def test_an_error_of_the_thread_is_raised_by_its_caller(self, pieces: list[int]) -> None:
        model = Model(failing)
        minder = Minder(model, lambda what: None)
        with minder.minding(30):
            assert self.said(model) == 1
            with pytest.raises(RuntimeError, match="out of memory"):
                list(minder.watched(iter(pieces)))

    def test_tokens_that_failed_are_not_made_sound(self) -> None:
        model = Model(failing)
        minder = Minder(model, lambda what: None)
        with minder.minding(30):
            assert model.token2wav([7]) == 1
            self.said(model)
            with pytest.raises(RuntimeError, match="out of memory"):
                model.token2wav([7])
        assert model.sounds == 1

    def test_tokens_that_nobody_wants_are_not_made_sound(self) -> None:
        def progress(what: str) -> None:
            raise Dropped

        model = Model(lambda uuid: (token for token in (7,)))
        minder = Minder(model, progress)
        with minder.minding(30):
            self.said(model)
            with pytest.raises(Dropped):
                model.token2wav([7])
        assert model.sounds == 0

    def test_nothing_keeps_what_was_computed_when_it_failed(self) -> None:
        held: list[weakref.ref[Recording]] = []

        def computing(uuid: str) -> Iterator[int]:
            large = Recording(Path("a"), ("a", 0, 0), "")
            held.append(weakref.ref(large))
            yield 7
            raise RuntimeError(f"CUDA out of memory beside {large.clip}")

        model = Model(computing)
        minder = Minder(model, lambda what: None)
        with suppress(RuntimeError), minder.minding(30):
            self.said(model)
            list(minder.watched(iter([1])))
        gc.collect()
        assert [each() for each in held] == [None]

    def test_what_is_dropped_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def progress(what: str) -> None:
            raise Dropped

        monkeypatch.setattr("worker.engines.tts.cosyvoice.minding._TOLD_EVERY_S", 0.0)
        model = Model(endless)
        minder = Minder(model, progress)
        with minder.minding(1 << 30):
            assert self.said(model) == 1
            with pytest.raises(Dropped):
                list(minder.watched(iter([1])))

    def test_silence_is_told_from_what_it_leads_to(self) -> None:
        def broken() -> Iterator[int]:
            raise ValueError("Kernel size can't be greater than actual input size")
            yield 0

        minder = Minder(Model(lambda uuid: iter(())), lambda what: None)
        with minder.minding(30), pytest.raises(RuntimeError, match="said nothing"):
            list(minder.watched(broken()))
