"""Grammar, ways of saying, trust and the cut of a recording."""

from __future__ import annotations

import numpy as np
import pytest

from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.asr.pocketsphinx.decoding import Spoken
from worker.engines.asr.pocketsphinx.grammar import Grammar, grammar_of
from worker.engines.asr.pocketsphinx.phrasing import indirect, ways_of
from worker.engines.asr.pocketsphinx.sound import pcm, speech_of
from worker.engines.asr.pocketsphinx.spelling import spelt_out
from worker.engines.asr.pocketsphinx.training.__main__ import fitted
from worker.engines.asr.pocketsphinx.trust import confidence

HINTS = ("How much, is it?", "كم السعر", "Don’t go; <evil> | (x)", "bus 24", "...", "", "what is a bus", "a bus")


def grammar(hints: tuple[str, ...] = HINTS) -> Grammar:
    made = grammar_of(hints)
    assert made is not None
    return made


def passes(made: Grammar, said: str) -> bool:
    """Whether the words lead from the start to the end."""
    states = {made.start}
    for word in said.split():
        states = {after for before, after, _, arc in made.arcs if before in states and arc == word}
    return bool(
        states & ({made.end} | {before for before, after, _, arc in made.arcs if not arc and after == made.end})
    )


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("how much is it", HINTS[0]),
        ("hello excuse me how much is it please", HINTS[0]),
        ("can you tell me how much it is", HINTS[0]),
        ("hi tell me how much is it thank you", HINTS[0]),
        ("don't go evil x", HINTS[2]),
        ("do not go evil x", HINTS[2]),
        ("what's the bus", HINTS[6]),
        ("tell me what an bus is", HINTS[6]),
        ("the bus", HINTS[7]),
    ],
)
def test_what_may_be_said(said: str, hint: str) -> None:
    made = grammar()
    assert passes(made, said)
    assert made.question_in(said.split()) == hint


@pytest.mark.parametrize(
    "said", ["how much", "hello", "how much it is", "is it", "how much is it how much is it", "hi hi hi a bus", "bus"]
)
def test_what_may_not_be_said(said: str) -> None:
    assert not passes(grammar(), said)


def test_nothing_to_listen_for() -> None:
    assert grammar_of(()) is None
    assert grammar_of(("كم السعر", "bus 24", "!")) is None


def test_beginnings_and_ends_are_shared() -> None:
    cities = [f"city{letter}" for letter in "abcdefghij"]
    hints = tuple(f"when does the bus to {city} leave in the morning" for city in cities)
    many = tuple(f"{hint} {end}" for hint in hints for end in ("today", "tomorrow", "on friday"))
    assert len(grammar(many).arcs) < len(grammar(many[:1]).arcs) + 60


@pytest.mark.parametrize(
    ("sentence", "turned"),
    [
        ("where is the station", "where the station is"),
        ("how much is a ticket", "how much a ticket is"),
        ("how do i book", "how to book"),
        ("what documents do i need", "what documents i need"),
        ("can i bring a cat", "if i can bring a cat"),
        ("is there a bus today", "if there is a bus today"),
        ("do you have wifi", "if you have wifi"),
        ("i lost my bag", None),
    ],
)
def test_questions_after_a_request(sentence: str, turned: str | None) -> None:
    assert indirect(sentence) == turned


def test_contractions() -> None:
    assert set(ways_of("what is it i can't see")) == {
        "what is it i can't see",
        "what's it i can't see",
        "what is it i cannot see",
    }


def test_unknown_words_are_spelt_out() -> None:
    assert spelt_out("qawafil") == "K AE W AE F IH L"


def path(score: float, *phones: str) -> list[Spoken]:
    """Words of one phone, ten frames each, between two pauses."""
    words = [Spoken(phone, 10 * place, 10 * place + 9, 10 * score, (phone,)) for place, phone in enumerate(phones, 1)]
    return [
        Spoken("<sil>", 0, 9, -1.0, ()),
        *words,
        Spoken("<sil>", 10 * len(phones) + 10, 10 * len(phones) + 19, -1.0, ()),
    ]


def test_trust_falls_with_a_bad_fit_and_with_better_words() -> None:
    same = tuple("ABCDEFGHIJKLMNOPQRST")
    sure = confidence(path(-4.0, *same), path(-4.0, *same))
    assert 0.5 < sure <= 1.0
    assert confidence(path(-9.0, *same), path(-9.0, *same)) < sure
    assert confidence(path(-6.0, *same), path(-3.0, *same)) < sure
    assert confidence(path(-7.0, *same), path(-4.0, *same)) < 0.5
    assert confidence(path(-5.0, *same[:3]), path(-4.0, *same[:3])) < confidence(path(-5.0, *same), path(-4.0, *same))
    assert 0.0 <= confidence(path(-1e6, *same), []) < 1e-9


def test_the_fit_finds_the_border() -> None:
    random = np.random.default_rng(1)
    measures = random.normal(size=(400, 2)) * [1.0, 30.0] + [5.0, -100.0]
    right = (measures[:, 0] + random.normal(0, 0.1, 400) > 5.5).astype(float)
    weights, bias = fitted(measures, right, np.ones(400))
    assert np.mean((measures @ weights + bias > 0) == right) > 0.93


def test_speech_is_cut_out() -> None:
    audio = np.zeros(5 * SAMPLE_RATE, np.float32)
    audio[2 * SAMPLE_RATE : 3 * SAMPLE_RATE] = 0.3
    noise = np.random.default_rng(0).normal(0, 0.03, audio.size).astype(np.float32)
    for recording in (audio, audio + noise):
        speech = speech_of(recording)
        assert speech is not None
        assert speech.size == round(1.4 * SAMPLE_RATE)
        assert len(pcm(speech)) == 2 * speech.size
    assert speech_of(np.full(50, 0.5, np.float32)) is None
