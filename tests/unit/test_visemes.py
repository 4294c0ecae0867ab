"""From phonemes to mouth shapes."""

from __future__ import annotations

import pytest

from tests.phoneme_table import LOOKS, letters
from worker.engines.video.puppet.mouth.ipa import segments, visemes
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, JAW, ROUND, TIP, VISEMES

ARABIC = "ʔ b t θ dʒ ħ x χ d ð r z s ʃ sˤ dˤ tˤ ðˤ s̪ t̪ ʕ ɣ f q k l ɫ m n h w j a i u aː iː uː aj aw".split()  # noqa: SIM905
_PLAIN = "p b t d k ɡ tʃ dʒ f v θ ð s z ʃ ʒ h m n ŋ l ɹ j w ɾ"
_VOWELS = "ɪ ɛ æ a ʌ ʊ ə ɚ iː uː ɑː ɔː ɜː eɪ aɪ ɔɪ aʊ əʊ oʊ iə eə ʊə aɪə i ɐ ɒ ᵻ ɔːɹ əl"
ENGLISH = f"{_PLAIN} {_VOWELS}".split()


@pytest.mark.parametrize(
    ("ipa", "names"),
    [
        ("m", ["m"]),
        ("p", ["pb"]),
        ("ˈb", ["pb"]),
        ("f", ["fv"]),
        ("θ", ["th"]),
        ("ˈaː", ["aa"]),
        ("ˌiː", ["ii"]),
        ("t", ["td"]),
        ("tˤ", ["tt"]),
        ("t̪", ["tt"]),
        ("dˤː", ["tt"]),
        ("ðˤ", ["dh"]),
        ("zˤ", ["ss"]),
        ("sˤ", ["ss"]),
        ("s̪", ["ss"]),
        ("sː", ["sz"]),
        ("ɫ", ["ll"]),
        ("lˠ", ["ll"]),
        ("dʒ", ["ch"]),
        ("t͡ʃ", ["ch"]),
        ("ʧ", ["ch"]),
        ("tʃˈiː", ["ch", "ii"]),
        ("ʕ", ["hh"]),
        ("ʔ", ["h"]),
        ("q", ["q"]),
        ("r", ["rr"]),
        ("ɹ", ["r"]),
        ("eɪ", ["ee", "ih"]),
        ("aʊ", ["aa", "ou"]),
        ("aɪə", ["aa", "ih", "uh"]),
        ("ˈɔːɹ", ["oo", "r"]),
        ("əl", ["uh", "l"]),
        ("ɛ̃", ["ee"]),
        ("ɑ̃ː", ["aa"]),
        ("uː", ["uu"]),
        ("pʰ", ["pb"]),
        ("ç", ["kg"]),
        ("", ["rest"]),
        ("_:", ["rest"]),
        ("ˈ", ["rest"]),
        ("☃", ["uh"]),
        ("日本", ["uh"]),
    ],
)
def test_a_phoneme_looks_like(ipa: str, names: list[str]) -> None:
    assert [viseme.name for viseme in visemes(ipa)] == names


@pytest.mark.parametrize("ipa", ARABIC + ENGLISH)
def test_every_phoneme_of_both_languages_is_known(ipa: str) -> None:
    names = [viseme.name for viseme in visemes(ipa)]
    assert "rest" not in names
    assert ("uh" in names) == any(letter in ipa for letter in "əɚ")


@pytest.mark.parametrize("ipa", ARABIC + ENGLISH)
def test_the_table_knows_it_too_and_agrees(ipa: str) -> None:
    """On what must shut, on what is round, and on the side of the middle that the opening is on."""
    looks, shapes = [LOOKS[letter] for letter in letters(ipa)], visemes(ipa)
    assert [look.bilabial for look in looks] == [shape.closed for shape in shapes]
    assert [look.labiodental for look in looks] == [shape.tucked for shape in shapes]
    for look, shape in zip(looks, shapes, strict=True):
        if look.rounded is not None:
            assert (shape.target[ROUND] > 0.3) == look.rounded
        if look.open is not None:
            assert float(shape.target[JAW]) == pytest.approx(0.72 * look.open, abs=0.14)


@pytest.mark.parametrize(("emphatic", "plain"), [("sˤ", "s"), ("tˤ", "t"), ("dˤ", "d"), ("ðˤ", "ð"), ("ɫ", "l")])
def test_an_emphatic_is_a_shape_of_its_own(emphatic: str, plain: str) -> None:
    (one,), (other,) = visemes(emphatic), visemes(plain)
    assert one.target[JAW] > other.target[JAW]
    assert one.backing > 0.5 > other.backing


def test_shapes_are_muscles_pulls() -> None:
    assert len(VISEMES) >= 19
    for viseme in VISEMES.values():
        assert viseme.target.shape == viseme.dominance.shape == (len(ARTICULATORS),)
        assert viseme.target.min() >= 0
        assert viseme.target.max() <= 1
        assert viseme.dominance.min() >= 0
    assert not VISEMES["rest"].target.any()


def test_only_dentals_show_the_tongue_s_tip() -> None:
    assert {name for name, viseme in VISEMES.items() if viseme.target[TIP]} == {"th", "dh"}


@pytest.mark.parametrize(
    ("ipa", "shares"), [("ˈaɪ", [0.55, 0.45]), ("aɪə", [0.375, 0.3125, 0.3125]), ("tʃ", [1.0]), ("ˈɔːɹ", [0.55, 0.45])]
)
def test_a_phonemes_segments_fill_its_time(ipa: str, shares: list[float]) -> None:
    parts = segments(ipa, 1.0, 1.2)
    assert [(part.end - part.start) / 0.2 for part in parts] == pytest.approx(shares, abs=0.01)
    assert (parts[0].start, parts[-1].end) == (1.0, pytest.approx(1.2))
    assert [part.stressed for part in parts] == [ipa.startswith("ˈ") and place == 0 for place in range(len(parts))]
    assert [part.long for part in parts] == ["ː" in ipa and place == 0 for place in range(len(parts))]
