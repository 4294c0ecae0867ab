"""From phonemes to mouth shapes, and from shapes to movements."""

from __future__ import annotations

import numpy as np
import pytest

from worker.engines.tts.base import Speech
from worker.engines.video.puppet.articulation import LEAD, Articulation
from worker.engines.video.puppet.loudness import LoudnessReader
from worker.engines.video.puppet.visemes import ARTICULATORS, VISEMES, Segment, segments, visemes

FRAME = 1 / 25
JAW, WIDE, ROUND, PRESS, TUCK, UPPER, LOWER, TONGUE = range(len(ARTICULATORS))

ARABIC = "ʔ b t θ dʒ ħ x d ð r z s ʃ sˤ dˤ tˤ ðˤ ʕ ɣ f q k l m n h w j a i u aː iː uː aj aw".split()  # noqa: SIM905
_PLAIN = "p b t d k ɡ tʃ dʒ f v θ ð s z ʃ ʒ h m n ŋ l ɹ j w ɾ"
_VOWELS = "ɪ ɛ æ ʌ ʊ ə ɚ iː uː ɑː ɔː ɜː eɪ aɪ ɔɪ aʊ oʊ iə ɐ ᵻ ɔːɹ"
ENGLISH = f"{_PLAIN} {_VOWELS}".split()


@pytest.mark.parametrize(
    ("ipa", "names"),
    [
        ("m", ["pbm"]),
        ("ˈb", ["pbm"]),
        ("f", ["fv"]),
        ("ˈaː", ["aa"]),
        ("ˌiː", ["ii"]),
        ("tˤ", ["td"]),
        ("ðˤ", ["th"]),
        ("sˤ", ["sz"]),
        ("dʒ", ["sh"]),
        ("tʃ", ["sh"]),
        ("ʕ", ["h"]),
        ("eɪ", ["ae", "ii"]),
        ("aʊ", ["aa", "uu"]),
        ("ˈɔːɹ", ["oo", "r"]),
        ("ɛ̃", ["ae"]),
        ("uː", ["uu"]),
        ("", ["rest"]),
        ("_:", ["rest"]),
        ("ˈ", ["rest"]),
        ("☃", ["uh"]),
    ],
)
def test_a_phoneme_looks_like(ipa: str, names: list[str]) -> None:
    assert [viseme.name for viseme in visemes(ipa)] == names


@pytest.mark.parametrize("ipa", ARABIC + ENGLISH)
def test_every_phoneme_of_both_languages_is_known(ipa: str) -> None:
    assert all(not viseme.still for viseme in visemes(ipa))
    if "ə" not in ipa and "ʌ" not in ipa and ipa not in ("ɚ", "ɜː", "ɐ"):
        assert "uh" not in [viseme.name for viseme in visemes(ipa)]


def test_there_are_eighteen_shapes_and_rest() -> None:
    assert len(VISEMES) == 19


def test_a_phonemes_segments_fill_its_time() -> None:
    parts = segments("ˈaɪ", 1.0, 1.2)
    assert [(part.viseme.name, part.stressed) for part in parts] == [("aa", True), ("ii", False)]
    assert [(part.start, part.end) for part in parts] == [(1.0, pytest.approx(1.12)), (pytest.approx(1.12), 1.2)]


def said(*sounds: tuple[str, float]) -> tuple[Articulation, list[Segment]]:
    """Phonemes one after the other, each of so many seconds."""
    articulation, parts, time = Articulation(), [], 0.0
    for ipa, seconds in sounds:
        parts += segments(ipa, time, time + seconds)
        time += seconds
    articulation.add(parts)
    return articulation, parts


def middle(part: Segment) -> float:
    """The moment of sound at which the mouth shows the segment's middle."""
    return (part.start + part.end) / 2 - LEAD


@pytest.mark.parametrize("consonant", ["m", "b", "p"])
@pytest.mark.parametrize("vowel", ["a", "i", "u"])
@pytest.mark.parametrize("seconds", [0.03, 0.05, 0.08, 0.12])
def test_lips_meet(consonant: str, vowel: str, seconds: float) -> None:
    """At whatever moment of the grid of frames the closure falls, one frame shows it."""
    articulation, parts = said((vowel, 0.15), (consonant, seconds), (vowel, 0.15))
    for phase in np.arange(0, 1, 0.1):
        moments = (np.arange(12) + phase) * FRAME
        nearest = moments[np.argmin(np.abs(moments - middle(parts[1])))]
        shape = articulation.at(float(nearest), FRAME)
        assert shape[[JAW, WIDE, UPPER, LOWER, TUCK]].max() < 0.02
        assert shape[PRESS] > 0.5


@pytest.mark.parametrize("vowel", ["a", "i", "u"])
def test_the_lip_reaches_the_teeth(vowel: str) -> None:
    articulation, parts = said((vowel, 0.15), ("f", 0.06), (vowel, 0.15))
    shape = articulation.at(middle(parts[1]), FRAME)
    assert shape[TUCK] > 0.9
    assert shape[JAW] < 0.1


@pytest.mark.parametrize(
    ("vowel", "articulator", "least"), [("aː", JAW, 0.5), ("iː", WIDE, 0.35), ("uː", ROUND, 0.75), ("oː", ROUND, 0.5)]
)
def test_a_vowel_reaches_its_shape(vowel: str, articulator: int, least: float) -> None:
    articulation, parts = said(("t", 0.07), (vowel, 0.2), ("t", 0.07))
    assert articulation.at(middle(parts[1]), FRAME)[articulator] > least


def test_neighbours_colour_a_consonant() -> None:
    """The lips are round already in the /s/ of "soo", wide in that of "see"."""
    round_, parts = said(("s", 0.1), ("uː", 0.2))
    wide, _ = said(("s", 0.1), ("iː", 0.2))
    moment = middle(parts[0])
    assert round_.at(moment, FRAME)[ROUND] > 0.2
    assert wide.at(moment, FRAME)[ROUND] < 0.02
    assert wide.at(moment, FRAME)[WIDE] > round_.at(moment, FRAME)[WIDE]


def test_movements_are_smooth_but_for_closures() -> None:
    articulation, _ = said(("h", 0.08), ("a", 0.12), ("l", 0.07), ("oʊ", 0.2), ("s", 0.1), ("i", 0.15))
    track = np.stack([articulation.at(moment, FRAME) for moment in np.arange(0, 0.7, 0.01)])
    assert np.abs(np.diff(track, axis=0)).max() < 0.16


def test_silence_is_rest() -> None:
    articulation, _ = said(("a", 0.1), ("", 0.6), ("a", 0.1))
    assert articulation.at(0.4, FRAME).max() < 0.01
    assert Articulation().at(3.0, FRAME).max() == 0


def test_what_is_forgotten_no_longer_counts() -> None:
    articulation, _ = said(*[("a", 0.1)] * 100)
    before = articulation.at(8.0, FRAME)
    articulation.forget(8.0)
    np.testing.assert_array_equal(articulation.at(8.0, FRAME), before)
    assert articulation.at(2.0, FRAME).max() == 0


def test_without_phonemes_the_jaw_follows_the_loudness() -> None:
    """Two syllables of a low hum and a hiss, a pause between each."""
    rate = 16_000
    time = np.arange(round(0.2 * rate)) / rate
    hum = sum(np.sin(2 * np.pi * 700 * k * time) / k for k in (1, 2)) * 0.3
    hiss = np.random.default_rng(1).normal(0, 0.2, len(time))
    hiss -= np.convolve(hiss, np.ones(8) / 8, "same")
    pause = np.zeros(len(time))
    sound = np.concatenate([pause, hum, pause, hiss, pause]).astype(np.float32)
    parts = LoudnessReader().segments(Speech(sound, rate, None), 1.0)
    shapes = [
        next(part.viseme for part in parts if part.start <= 1 + at < part.end) for at in (0.1, 0.3, 0.5, 0.7, 0.9)
    ]
    assert [shape.name for shape in shapes] == ["rest", "aa", "rest", "sz", "rest"]
    assert parts[0].start == 1.0
    assert parts[-1].end == pytest.approx(2.0)
