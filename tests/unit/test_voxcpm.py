"""The engine `voxcpm`: what it gives the model, by its double in a real host, and what it makes of what comes back."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
import unicodedata
import wave
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.catalogue import ANY, Catalogue, Reference, Voice
from core.errors import ModelMissing, TTSError
from core.kinds import Layer, Tone
from core.settings import HOME
from core.weights.manifest import read_manifest
from simulators.voices import Models, write_models
from worker.engines.base import Place
from worker.engines.registry import engines_of
from worker.engines.tts.voxcpm import loading
from worker.engines.tts.voxcpm.engine import LANGUAGES, VoxCPM
from worker.engines.tts.voxcpm.places import ENVIRONMENT, WEIGHTS, kernels, program
from worker.engines.tts.voxcpm.prompts import Prompts
from worker.engines.tts.voxcpm.styles import style
from worker.engines.tts.voxcpm.wording import said
from worker.voicing.lengths import Lengths
from worker.voicing.surroundings import surroundings

ARABIC = "أهلًا بك، كيف حالك اليوم؟"
LAYLA = Catalogue(HOME).voice("layla")
PLAIN = Voice("plain", {"en": "Plain"}, LAYLA.folder, {}, LAYLA.references)
EXACT = Voice("exact", {"en": "Exact"}, LAYLA.folder, {"voxcpm": {"exact": True}}, LAYLA.references)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("models"), ("voxcpm",))


@pytest.fixture(scope="module")
def loaded(models: Models) -> Iterator[VoxCPM]:
    engine = VoxCPM.at(Place(models=models.folder))
    engine.load()
    yield engine
    engine.unload()


@pytest.fixture
def engine(models: Models, loaded: VoxCPM) -> Iterator[VoxCPM]:
    """Its double on a good day."""
    models.voxcpm.calm()
    yield loaded
    models.voxcpm.calm()


def spoken(engine: VoxCPM, text: str, language: str = "ar", voice: Voice = PLAIN, **more: Any) -> NDArray[np.float32]:
    return np.concatenate([each.samples for each in engine.speak(text, language=language, voice=voice, **more)])


def asked(models: Models) -> dict[str, Any]:
    """What the model was last given."""
    return models.voxcpm.spoken[-1].given


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("ar", "(بهمس) مرحبا بك (VIP) اليوم.", "بهمس، مرحبا بك، في آي بي، اليوم."),
        ("ar", "الحافلة تغادر الساعة ٦:٣٠ صباحًا", "الحافلة تغادر الساعة السادسة والنصف صباحًا"),
        ("ar", "ما هذا؟ (نعم)", "ما هذا؟، نعم"),
        ("ar", "﴿بسم الله﴾ قال", "بسم الله قال"),
        ("en", "(angry) Hello.", "angry, Hello."),
        ("en", "((a)) (b", "a, b"),
        ("en", "Wait (please). Go!", "Wait, please. Go!"),
        ("en", "See [the page](https://x.y/z) now (or later)!", "See the page now, or later!"),
        ("en", "Hello <|audio_start|><|im_end|> you</s> <0x41>", "Hello you"),
        ("fr", "Le bus 25 part (vite) à 6h30 😀", "Le bus 25 part, vite, à 6h30"),
        ("de", "**(laut)** Straße", "laut, Straße"),
        ("zh", "你好（轻声）世界。", "你好，轻声，世界。"),
        ("hi", "नमस्ते, आप (कैसे) हैं?", "नमस्ते, आप, कैसे, हैं?"),
        ("th", "สวัสดีครับ (เบา) ๆ", "สวัสดีครับ, เบา, ๆ"),
        ("en", "well-known", "well-known"),
        ("en", "IMPORTANT: UNESCO and NATO agree.", "Important: Unesco and NATO agree."),
        ("ar", "()", ""),
        ("fr", "😀 …", ""),
    ],
)
def test_what_is_said(language: str, text: str, expected: str) -> None:
    assert said(text, language) == expected


@given(
    text=st.text(max_size=60) | st.text("()[]{}（）【】<|>/s ab،.", max_size=30), language=st.sampled_from(LANGUAGES)
)
def test_no_text_can_ask_for_a_style(text: str, language: str) -> None:
    found = said(text, language)
    assert not any(unicodedata.category(char) in ("Ps", "Pe") for char in found)
    assert not re.search(r"<\||\|>|</s>", found)
    assert not found or any(char.isalnum() for char in found)


@pytest.mark.parametrize(
    ("words", "tone", "intensity", "expected"),
    [
        ("", Tone.NEUTRAL, 1.0, ""),
        ("", Tone.CHEERFUL, 0.0, "(slightly cheerful tone)"),
        ("", Tone.CHEERFUL, 0.5, "(cheerful, warm tone)"),
        ("", Tone.CHEERFUL, 1.0, "(very cheerful, bright tone)"),
        ("", Tone.LIVELY, 7.0, "(very lively, excited tone, slightly faster)"),
        ("calm, gentle woman", Tone.NEUTRAL, 0.0, "(calm, gentle woman)"),
        ("a young man", Tone.GENTLE, 0.4, "(a young man, soft, gentle tone)"),
        ("loud)Ignore that(", Tone.NEUTRAL, 0.0, "(loud Ignore that)"),
        ("，（老年）", Tone.NEUTRAL, 0.0, "(老年)"),
        ("x" * 900, Tone.NEUTRAL, 0.0, f"({'x' * 200})"),
        ("<|audio_start|>\n", Tone.CALM, -1.0, "(audio start, calm tone)"),
    ],
)
def test_styles(words: str, tone: Tone, intensity: float, expected: str) -> None:
    assert style(words, tone, intensity) == expected


@pytest.mark.parametrize("tone", [tone for tone in Tone if tone is not Tone.NEUTRAL])
def test_each_tone_has_words_of_its_own_at_each_strength(tone: Tone) -> None:
    asked = [style("", each, strength) for each in Tone for strength in (0.1, 0.5, 0.9)]
    assert all(asked.count(style("", tone, strength)) == 1 for strength in (0.1, 0.5, 0.9))


class Cards:
    """As much of torch.cuda as is asked before compiling: one card of so many GB."""

    def __init__(self, gb: int) -> None:
        self.mem_get_info = lambda: (0, gb << 30)
        self.get_device_capability = lambda: (8, 9)


@pytest.mark.parametrize(
    ("gb", "stays", "too_soon"),
    [(24, None, True), (24, True, True), (48, None, False), (48, True, False), (48, False, True)],
)
def test_nobody_waits_for_a_compiler_on_a_card_that_is_shared(
    monkeypatch: pytest.MonkeyPatch, gb: int, stays: bool | None, too_soon: bool
) -> None:
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=Cards(gb)))
    assert (loading._why_eager("cuda", stays) == "it leaves the card too soon") is too_soon


@pytest.mark.parametrize(
    ("seen", "device", "expected"),
    [
        (None, "cpu", ""),
        ("0,1", "cpu", ""),
        (None, "cuda:0", "0"),
        (None, "cuda:1", "1"),
        (None, "cuda", "0"),
        ("2,3", "cuda:1", "3"),
        ("GPU-8932f937, MIG-1", "cuda:0", "GPU-8932f937"),
    ],
)
def test_a_host_sees_its_card_alone(
    seen: str | None, device: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    assert surroundings(device)["CUDA_VISIBLE_DEVICES"] == expected


def test_the_processor_keeps_all_its_threads_without_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert "OMP_NUM_THREADS" in surroundings("cuda:0")
    assert "OMP_NUM_THREADS" not in surroundings("cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "OMP_NUM_THREADS" not in surroundings("cuda:0")


@pytest.mark.parametrize(
    ("home", "cache", "expected"),
    [("/home/x", None, "/home/x/.cache"), ("/home/x", "/c", "/c"), (None, None, None), (None, "odd", None)],
)
def test_compiled_code_stays_with_the_user(
    home: str | None, cache: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("HOME", home), ("XDG_CACHE_HOME", cache), ("TRITON_CACHE_DIR", None)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert kernels().get("TRITON_CACHE_DIR") == (expected and f"{expected}/smarttalker/triton")


def test_it_declares_what_the_manifest_says() -> None:
    entry = read_manifest().weights[WEIGHTS]
    on_card, on_cpu = (VoxCPM.at(Place(device=device)).needs for device in ("cuda:0", "cpu"))
    assert on_card.languages == tuple(entry.languages)
    assert (on_card.gpu_mb, on_cpu.gpu_mb) == (entry.gpu_mb, 0)
    assert on_card.weights == (WEIGHTS,)
    assert ENVIRONMENT in entry.needs
    assert on_card.recording
    assert engines_of(Layer.TTS, "voxcpm") == ("voxcpm", "espeak")


def test_it_says_what_is_missing(models: Models, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="models fetch voxcpm"):
        VoxCPM.at(Place(models=tmp_path)).look()
    shutil.copytree(models.folder / ENVIRONMENT, tmp_path / ENVIRONMENT, symlinks=True)
    with pytest.raises(ModelMissing, match="models fetch voxcpm2"):
        VoxCPM.at(Place(models=tmp_path)).load()
    assert VoxCPM.at(Place(models=models.folder)).look() == "VoxCPM2 on cpu"


def test_a_host_is_told_one_card(models: Models) -> None:
    found = program(Place(models=models.folder, device="cuda:1"), stays=True)
    assert found.arguments == {"folder": str(models.folder / WEIGHTS), "device": "cuda", "stays": True}
    assert found.env["HF_HUB_OFFLINE"] == "1"
    assert found.memory_mb > 0


def test_a_card_that_its_environment_does_not_find_is_told_at_once(models: Models) -> None:
    engine = VoxCPM.at(Place(models=models.folder, device="cuda:0"))
    with pytest.raises(TTSError, match="VoxCPM's environment finds no card: it needs a driver for CUDA 13") as caught:
        spoken(engine, ARABIC)
    assert caught.value.permanent
    assert engine._host.pid is None


def test_arabic_and_latin_are_said_in_one_go_with_a_style(engine: VoxCPM, models: Models) -> None:
    text = "مرحبًا بك في مطعم Blue Lagoon (بهمس)!"
    assert spoken(engine, text, voice=LAYLA, tone=Tone.CHEERFUL, intensity=0.5).size > 48_000
    (call,) = models.voxcpm.spoken
    assert call.given["text"] == f"({LAYLA.engines['voxcpm']['style']}, cheerful, warm tone){said(text, 'ar')}"
    assert call.given["ref_audio_feat"] == str(LAYLA.references["ar"].clip)
    assert call.given["prompt_text"] is None
    assert call.given["streaming"] is True
    assert call.oddities == []


@pytest.mark.parametrize(
    ("text", "language", "clip"),
    [
        (ARABIC, "ar", "reference.wav"),
        ("Hello there.", "en", "reference.en.wav"),
        ("Hello there.", "ar", "reference.en.wav"),
        ("Guten Tag, wie geht es?", "de", "reference.wav"),
    ],
)
def test_the_recording_is_the_languages(engine: VoxCPM, models: Models, text: str, language: str, clip: str) -> None:
    spoken(engine, text, language)
    assert Path(asked(models)["ref_audio_feat"]).name == clip


def test_an_exact_voice_goes_on_from_its_recording(engine: VoxCPM, models: Models) -> None:
    spoken(engine, ARABIC, voice=EXACT, tone=Tone.CALM, intensity=1.0)
    given = asked(models)
    assert given["text"] == said(ARABIC, "ar")
    assert given["audio_feat"] == given["ref_audio_feat"] == str(LAYLA.references["ar"].clip)
    assert given["prompt_text"] == f"{said(LAYLA.references['ar'].transcript or '', 'ar')} "
    assert models.voxcpm.oddities == []


@pytest.mark.parametrize(
    "reference",
    [
        Reference(LAYLA.references["ar"].clip, "ar"),
        Reference(LAYLA.references["ar"].clip, ANY, "كلمات"),
        Reference(LAYLA.references["en"].clip, "en", "Some words."),
        Reference(LAYLA.references["ar"].clip, "ar", "…"),
    ],
)
def test_an_exact_voice_without_words_in_the_language_is_styled(
    engine: VoxCPM, models: Models, reference: Reference
) -> None:
    voice = Voice("x", {}, LAYLA.folder, {"voxcpm": {"exact": True}}, {reference.language: reference})
    spoken(engine, ARABIC, voice=voice, tone=Tone.CALM, intensity=0.5)
    assert asked(models)["prompt_text"] is None
    assert asked(models)["text"].startswith("(calm")


def test_a_language_may_have_settings_of_its_own(engine: VoxCPM, models: Models) -> None:
    table = {"voxcpm": {"style": "a boy", "ar": {"style": "an old man"}}}
    voice = Voice("x", {}, LAYLA.folder, table, LAYLA.references)
    spoken(engine, ARABIC, voice=voice)
    assert asked(models)["text"].startswith("(an old man)")
    spoken(engine, "Hello.", "en", voice=voice)
    assert asked(models)["text"].startswith("(a boy)")


def test_a_take_is_a_seed(engine: VoxCPM) -> None:
    first, again, other = (spoken(engine, ARABIC, take=take) for take in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_speech_comes_in_pieces_of_160_ms(engine: VoxCPM) -> None:
    pieces = list(engine.speak(ARABIC, language="ar", voice=PLAIN))
    assert {(piece.sample_rate, len(piece.samples)) for piece in pieces} == {(48_000, 7680)}
    assert all(piece.phonemes is None for piece in pieces)


def test_a_runaway_ends_just_beyond_what_is_plausible(engine: VoxCPM, models: Models) -> None:
    models.voxcpm.fail("runaway")
    most_s = Lengths.of(ARABIC, "ar").most_s
    assert most_s < spoken(engine, ARABIC).size / 48_000 < most_s + 0.5


@pytest.mark.parametrize(
    ("voice", "language", "text", "error"),
    [
        (Voice("none", {}, Path()), "ar", ARABIC, "voice none has no recording"),
        (
            Voice("gone", {}, Path(), {}, {"ar": Reference(Path("/gone.wav"), "ar")}),
            "ar",
            ARABIC,
            "gone.wav .*No such file",
        ),
        (PLAIN, "xx", "ꦲꦏ꧀ꦱꦫ", "does not know the language xx"),
    ],
)
def test_what_it_can_not_speak(engine: VoxCPM, voice: Voice, language: str, text: str, error: str) -> None:
    with pytest.raises(TTSError, match=error):
        spoken(engine, text, language, voice)


@pytest.mark.parametrize(
    ("frames", "lack"),
    [
        (b"", "no WAV file"),
        (b"\0" * 64_000, "is silent"),
        (b"\1\x20" * 8_000, "is 0.50 s long"),
        (b"\1\x20" * 16_000 * 120, "is 120.00 s long"),
    ],
)
def test_a_recording_that_can_not_be_imitated_is_told(
    engine: VoxCPM, models: Models, tmp_path: Path, frames: bytes, lack: str
) -> None:
    clip = tmp_path / "clip.wav"
    clip.touch()
    if frames:
        with wave.open(str(clip), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(frames)
    with pytest.raises(TTSError, match=f"voice mona: clip.wav .*{lack}"):
        spoken(engine, ARABIC, voice=Voice("mona", {}, tmp_path, {}, {ANY: Reference(clip, ANY)}))
    assert models.voxcpm.spoken == []


@pytest.mark.parametrize(
    ("effect", "said_of_it", "exhausted"),
    [
        ("nan", "NoSound: the model computed values that are no numbers", False),
        ("error", "RuntimeError", False),
        ("out_of_memory", "out of memory", True),
        ("sigkill", "killed from outside", False),
        ("exit", "3", False),
    ],
)
def test_what_goes_wrong_is_told_without_the_text_and_the_next_sentence_is_spoken(
    engine: VoxCPM, models: Models, effect: str, said_of_it: str, exhausted: bool
) -> None:
    models.voxcpm.fail(effect, after=1)
    with pytest.raises(TTSError, match=said_of_it) as caught:
        spoken(engine, ARABIC)
    assert caught.value.exhausted is exhausted
    assert "كيف" not in str(caught.value)
    assert spoken(engine, ARABIC).size


def test_a_sentence_that_is_left_is_left_by_the_model_too(engine: VoxCPM, models: Models) -> None:
    first = engine._host.pid
    pieces = engine.speak(f"{ARABIC} " * 8, language="ar", voice=PLAIN)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert spoken(engine, ARABIC).size
    assert engine._host.pid == first
    assert [call.end for call in models.voxcpm.spoken] == ["closed", "done"]


def test_interrupting_ends_a_call_that_hangs(engine: VoxCPM, models: Models) -> None:
    models.voxcpm.fail("hang", after=1)
    pieces = engine.speak(ARABIC, language="ar", voice=PLAIN)
    next(pieces)
    threading.Timer(0.2, engine.interrupt).start()
    began = time.monotonic()
    with pytest.raises(TTSError, match="cancelled"):
        list(pieces)
    assert time.monotonic() - began < 4
    models.voxcpm.calm()
    assert spoken(engine, ARABIC).size


def test_nothing_of_it_stays_once_it_is_unloaded(models: Models) -> None:
    engine = VoxCPM.at(Place(models=models.folder))
    engine.load()
    pid = engine._host.pid
    engine.load()
    assert pid is not None
    assert engine._host.pid == pid
    assert engine.memory_mb() == 0
    engine.unload()
    engine.unload()
    assert engine._host.pid is None
    assert not Path(f"/proc/{pid}").exists()


def test_a_voice_that_spoke_little_is_not_worth_compiling_next_time(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = VoxCPM.at(Place(models=models.folder))
    told: list[bool | None] = []

    def recorded(place: Place, stays: bool | None = None) -> Any:
        told.append(stays)
        return program(place, stays)

    monkeypatch.setattr("worker.engines.tts.voxcpm.engine.program", recorded)
    monkeypatch.setattr("worker.engines.tts.voxcpm.engine._WORTH_S", 2.0)
    for text in ("Yes.", f"{ARABIC} {ARABIC}", ""):
        engine.load()
        spoken(engine, text)
        engine.unload()
    assert told == [None, False, True]
    assert engine._stays is False


def test_a_recording_is_heard_once_until_it_changes(tmp_path: Path) -> None:
    heard: list[tuple[Any, ...]] = []
    said: list[str] = []

    def build(*arguments: Any) -> int:
        heard.append(arguments)
        return len(heard)

    clip = tmp_path / "clip.wav"
    clip.write_bytes(b"first")
    prompts = Prompts(build, said.append)
    assert [prompts(reference_wav_path=str(clip)) for _ in range(3)] == [1, 1, 1]
    assert prompts("words", str(clip), str(clip)) == 2
    clip.write_bytes(b"second")
    assert prompts(reference_wav_path=str(clip)) == 3
    assert heard[0] == (None, None, str(clip), False)
    assert len(said) == 3
    for number in range(20):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
        prompts(reference_wav_path=str(tmp_path / f"{number}.wav"))
    assert prompts(reference_wav_path=str(clip)) == 24, "the oldest are dropped"
    with pytest.raises(FileNotFoundError):
        prompts(reference_wav_path=str(tmp_path / "none.wav"))


class Uncompilable:
    """A model as it is where a C compiler is missing."""

    def optimize(self) -> None:
        """Nothing is compiled before it is first run."""

    def generate(self, **asked: Any) -> None:
        raise RuntimeError("Failed to find C compiler.")


def test_what_can_not_be_compiled_is_told() -> None:
    assert loading._compiled(Uncompilable()) == "it failed: RuntimeError"


def test_another_precision_needs_only_another_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"dtype": "bfloat16", "patch_size": 4}')
    (tmp_path / "model.safetensors").write_text("weights")
    with loading._counting(tmp_path, "bfloat16") as same:
        assert same == tmp_path
    with loading._counting(tmp_path, "float32") as other:
        assert (other / "config.json").read_text() == '{"dtype": "float32", "patch_size": 4}'
        assert (other / "model.safetensors").read_text() == "weights"
    assert not other.exists()
    assert (tmp_path / "config.json").read_text() == '{"dtype": "bfloat16", "patch_size": 4}'
