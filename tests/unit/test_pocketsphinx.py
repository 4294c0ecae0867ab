"""The engine hears synthesised speech in many voices, with and without noise: what may be asked, and what may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.heldout import rows
from core.catalogue import Catalogue
from core.errors import LanguageUnsupported, NotUnderstood
from core.persona import asked_of, spoken_questions
from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.asr.pocketsphinx import PocketSphinx
from worker.engines.asr.pocketsphinx.training.sounds import Speaker, spoiled

Sound = NDArray[np.float32]
Say = Callable[..., Sound]

PERSONA = Catalogue(Path(__file__).parents[2]).avatar("sara").persona
HINTS = spoken_questions(PERSONA, "en")
ANSWER = {hint: answer.id for answer in PERSONA.answers for hint in asked_of(answer, PERSONA, "en")}
PLAIN = ("how much is a ticket", "where is the bus station", "can i bring my bicycle")
SPEAKERS = ("American man", "American woman", "British man", "slow woman", "quick American")
NOISES = ("none", "white", "pink")
"""Talk of others in the background is measured by `smarttalker bench wits` alone."""
AROUND = ("{}", "hello, {}", "{}, thank you", "um, {} please")


@pytest.fixture(scope="module")
def say() -> Iterator[Say]:
    speaker = Speaker()

    @cache
    def spoken(text: str, place: int = 0, noise: str | None = None, language: str = "en") -> Sound:
        """By a voice for each place; with a noise, also with silence around it at another level."""
        sound = speaker.say(text, SPEAKERS[place % len(SPEAKERS)], language)
        return sound if noise is None else spoiled(sound, noise, speaker.talk(), place)

    yield spoken
    speaker.close()


@pytest.fixture(scope="module")
def engine() -> PocketSphinx:
    made = PocketSphinx()
    made.load()
    return made


def heard(engine: PocketSphinx, audio: Sound, hints: Sequence[str] = HINTS) -> str | None:
    try:
        return engine.transcribe(audio, language=None, hints=hints).text
    except NotUnderstood:
        return None


def test_questions_are_understood(engine: PocketSphinx, say: Say) -> None:
    asked = HINTS[:: len(HINTS) // 16]
    right = []
    for place, hint in enumerate(asked):
        said = AROUND[place // 4 % len(AROUND)].format(hint)
        found = heard(engine, say(said, place * 3, NOISES[place % len(NOISES)]))
        right.append(found is not None and ANSWER[found] == ANSWER[hint])
    print(f"understood: {np.mean(right):.3f} of {len(right)}")
    assert np.mean(right) >= 0.9


def test_other_sentences_are_refused(engine: PocketSphinx, say: Say) -> None:
    sample = list(enumerate(row["text"] for row in rows("utterances")))[::3]
    refused = [heard(engine, say(text, place * 3, NOISES[place // 2 % len(NOISES)])) is None for place, text in sample]
    rate = float(np.mean(refused))
    print(f"refused: {rate:.3f} of {len(refused)}")
    assert rate >= 0.95


def test_arabic_is_not_taken_for_english(engine: PocketSphinx, say: Say) -> None:
    spoken = [answer.questions["ar"][0] for answer in PERSONA.answers if "{" not in answer.questions["ar"][0]][::9]
    assert [heard(engine, say(text, place, "none", "ar")) for place, text in enumerate(spoken)] == [None] * len(spoken)


@pytest.mark.parametrize(
    "said",
    ["how much is a ticket", "hello. how much is a ticket? thank you", "could you tell me how much the ticket is"],
)
def test_what_is_said_around_a_question(engine: PocketSphinx, say: Say, said: str) -> None:
    assert heard(engine, say(said), PLAIN) == PLAIN[0]


@pytest.mark.parametrize("said", ["how much is a kilo of green apples", "where is the bus that you painted yesterday"])
def test_what_begins_like_a_question_and_goes_on_elsewhere(engine: PocketSphinx, say: Say, said: str) -> None:
    assert heard(engine, say(said), PLAIN) is None


@pytest.mark.parametrize("level", [0.05, 1.5])
def test_the_level_matters_little(engine: PocketSphinx, say: Say, level: float) -> None:
    assert heard(engine, np.clip(say(PLAIN[0]) * np.float32(level), -1, 1), PLAIN) == PLAIN[0]


def test_silence_around_matters_little(engine: PocketSphinx, say: Say) -> None:
    pause = np.zeros(2 * SAMPLE_RATE, np.float32)
    assert heard(engine, np.concatenate([pause, say(PLAIN[0]), pause]), PLAIN) == PLAIN[0]


def test_the_same_sound_is_the_same_transcript(engine: PocketSphinx, say: Say) -> None:
    first = engine.transcribe(say(PLAIN[1]), language="en", hints=PLAIN)
    heard(engine, say(PLAIN[0]), PLAIN)
    assert engine.transcribe(say(PLAIN[1]), language="en", hints=PLAIN) == first
    assert 0.5 <= first.confidence <= 1.0


@pytest.mark.parametrize("language", ["ar", "zh"])
def test_other_languages_name_the_missing_model(engine: PocketSphinx, say: Say, language: str) -> None:
    with pytest.raises(LanguageUnsupported, match=r"Fun-ASR-MLT-Nano-2512.*smarttalker models fetch"):
        engine.transcribe(say(PLAIN[0]), language=language, hints=PLAIN)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 3.0])
def test_silence(engine: PocketSphinx, seconds: float) -> None:
    assert heard(engine, np.zeros(round(seconds * SAMPLE_RATE), np.float32), PLAIN) is None


def _tune() -> Sound:
    """Eight chords of three notes with overtones, a quarter of a second each."""
    time = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    roots = 220 * 2 ** (np.array([0, 5, 7, 0, 9, 5, 7, 0]) / 12)
    chords = [
        sum(np.sin(2 * np.pi * root * third * over * time) / over for third in (1, 1.25, 1.5) for over in (1, 2, 3))
        for root in roots
    ]
    return np.asarray(0.1 * np.concatenate(chords), np.float32)


@pytest.mark.parametrize(
    "sound",
    [
        np.random.default_rng(0).normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32),
        (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32),
        _tune(),
    ],
    ids=["noise", "tone", "tune"],
)
def test_what_is_no_speech(engine: PocketSphinx, sound: Sound) -> None:
    assert heard(engine, sound) is None


def test_a_long_recording_is_refused_at_once(engine: PocketSphinx, say: Say) -> None:
    assert heard(engine, np.tile(say(PLAIN[0]), 200)) is None


def test_no_english_hints(engine: PocketSphinx, say: Say) -> None:
    assert heard(engine, say(PLAIN[0]), ()) is None
    assert heard(engine, say(PLAIN[0]), ("كم السعر", "bus 24")) is None


def test_many_personas(engine: PocketSphinx, say: Say) -> None:
    for number in range(20):
        hints = [PLAIN[0], "hello " + "there " * number]
        if number % 7 == 0:
            assert heard(engine, say(PLAIN[0]), hints) == PLAIN[0]
        else:
            heard(engine, np.zeros(SAMPLE_RATE // 2, np.float32) + np.float32(0.01), hints)
