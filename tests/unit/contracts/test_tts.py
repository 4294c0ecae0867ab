"""What every engine of the layer tts does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.catalogue import ANY, Reference, Voice
from core.errors import TTSError
from core.kinds import Layer, Tone
from core.settings import HOME
from simulators.voices import write_models
from worker.engines.base import Place
from worker.engines.registry import make
from worker.engines.tts.base import Speech, TTSEngine

ENGINES = ("fake", "espeak", "cosyvoice", "voxcpm")
"""Those with weights speak as their doubles, through their real hosts."""
CLIP = HOME / "voices" / "layla" / "reference.wav"
VOICE = Voice("test", {"ar": "صوت", "en": "Voice"}, Path(), {}, {ANY: Reference(CLIP, ANY)})
TEXTS = [
    ("ar", "أهلًا بك، كيف أستطيع مساعدتك اليوم؟"),
    ("ar", "الحافلة VIP تغادر الساعة ٦:٣٠ صباحًا."),
    ("en", "Good morning, how can I help you today?"),
    ("en", "It costs 25 dollars."),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"), set(ENGINES) & {"cosyvoice", "voxcpm"}).folder


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, models: Path) -> Iterator[TTSEngine]:
    made: TTSEngine = make(Layer.TTS, request.param, Place(models=models))
    made.load()
    yield made
    made.unload()


def spoken(engine: TTSEngine, text: str, language: str, **more: object) -> list[Speech]:
    return list(engine.speak(text, language=language, voice=VOICE, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_it_speaks_the_languages_that_it_names(engine: TTSEngine, language: str, text: str) -> None:
    if language not in (engine.needs.languages or language):
        with pytest.raises(TTSError, match=f"not {language}"):
            spoken(engine, text, language)
        return
    pieces = spoken(engine, text, language)
    assert len({piece.sample_rate for piece in pieces}) == 1
    assert 0.5 < sum(piece.seconds for piece in pieces) < 8
    assert all(piece.samples.dtype == np.float32 and piece.samples.ndim == 1 for piece in pieces)
    assert 0.05 < max(np.abs(piece.samples).max() for piece in pieces) <= 1.0


@pytest.mark.parametrize(("language", "text"), TEXTS)
def test_phonemes_are_in_order_and_within_the_sound(engine: TTSEngine, language: str, text: str) -> None:
    known = language in (engine.needs.languages or language)
    for piece in spoken(engine, text, language) if known else ():
        if piece.phonemes is None:
            continue
        assert len(piece.phonemes) > 5
        assert all(phoneme.ipa.strip(" ˈˌ") for phoneme in piece.phonemes)
        times = [time for phoneme in piece.phonemes for time in (phoneme.start, phoneme.end)]
        assert times == sorted(times)
        assert times[0] >= 0.0
        assert times[-1] <= piece.seconds


@pytest.mark.parametrize("tone", list(Tone))
@pytest.mark.parametrize("intensity", [0.0, 1.0])
def test_every_tone(engine: TTSEngine, tone: Tone, intensity: float) -> None:
    assert spoken(engine, "Thank you.", "en", tone=tone, intensity=intensity)


@pytest.mark.parametrize("text", ["", " ", "👍", "...", "\u200f"])
def test_a_text_with_nothing_to_say_is_a_pause(engine: TTSEngine, text: str) -> None:
    pieces = spoken(engine, text, "ar")
    assert 0.0 < sum(piece.seconds for piece in pieces) < 1.0
    assert not any(piece.samples.any() or piece.phonemes for piece in pieces)


def test_longer_text_is_longer_speech(engine: TTSEngine) -> None:
    short, long = (sum(piece.seconds for piece in spoken(engine, "word " * n, "en")) for n in (3, 30))
    assert long > 4 * short


def test_load_and_unload_are_idempotent(engine: TTSEngine) -> None:
    engine.load()
    engine.load()
    engine.unload()
    engine.unload()
    engine.load()
    assert spoken(engine, "Hello.", "en")


def test_the_same_take_sounds_the_same(engine: TTSEngine) -> None:
    first, second = (
        np.concatenate([piece.samples for piece in spoken(engine, "Hello there.", "en", take=1)]) for _ in range(2)
    )
    if engine.name == "espeak":  # its pitch flutters, and the flutter runs on from one text to the next
        assert first.size == pytest.approx(second.size, rel=0.01)
    else:
        assert np.array_equal(first, second)
