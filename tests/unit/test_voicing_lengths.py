"""How long a text may take: no good speech is refused, and what runs away is."""

from __future__ import annotations

import pytest

from tests.flite import clips
from worker.voicing.lengths import Lengths

ARABIC = "العيادة مفتوحة من الأحد إلى الخميس من التاسعة صباحًا حتى السادسة مساءً."
ENGLISH = "The clinic is open from Sunday to Thursday, nine to six."

MEASURED = [
    ("ar", ARABIC, 13.53, 7.51, 4.0),
    ("en", ENGLISH, 6.71, 3.77, 2.12),
    ("ar", "رقم هاتفنا هو 0501234567.", 12.62, 7.08, 3.82),
    ("en", "Our number is 0501234567.", 8.84, 4.72, 2.4),
    ("ar", "سعر الكشف 150 ريالًا.", 5.6, 3.17, 1.8),
    ("en", "It costs $150.", 4.69, 2.74, 1.61),
    ("ar", "مرحبًا، أنا ليلى من iPhone Store في دبي.", 7.64, 3.97, 1.91),
    ("ar", "نعم.", 1.29, 0.79, 0.56),
    ("en", "Yes.", 1.01, 0.66, 0.49),
    ("ar", "ب", 0.41, 0.33, 0.04),
    ("en", "I", 0.99, 0.59, 0.4),
]
"""What eSpeak takes with 90 words a minute in a gentle tone, as usual, and with 320; seconds with the pause."""
LONG = MEASURED[:7]


@pytest.mark.parametrize(("language", "text", "slow", "usual", "quick"), MEASURED, ids=[row[1] for row in MEASURED])
def test_every_pace_is_plausible(language: str, text: str, slow: float, usual: float, quick: float) -> None:
    lengths = Lengths.of(text, language)
    assert lengths.least_s <= quick < usual < slow <= lengths.most_s


@pytest.mark.parametrize(("language", "text", "slow", "usual", "quick"), LONG, ids=[row[1] for row in LONG])
def test_three_times_the_usual_length_is_too_much(
    language: str, text: str, slow: float, usual: float, quick: float
) -> None:
    assert Lengths.of(text, language).most_s < 3 * usual
    assert Lengths.of(text, language).least_s > usual / 5


@pytest.mark.parametrize("clip", clips(), ids=lambda clip: clip.text[:20])
def test_another_synthesiser_is_plausible_too(clip: object) -> None:
    seconds, text = clip.seconds, clip.text  # type: ignore[attr-defined]
    lengths = Lengths.of(text, "en")
    assert lengths.least_s < seconds < lengths.most_s < 3 * seconds


@pytest.mark.parametrize("rate", [10.0, 18.0], ids=["slow", "quick"])
def test_the_pace_of_neural_voices_is_plausible(rate: float) -> None:
    """Characters a second, blanks among them; Arabic is a third slower."""
    assert Lengths.of(ENGLISH, "en").least_s < len(ENGLISH) / rate < Lengths.of(ENGLISH, "en").most_s
    assert Lengths.of(ARABIC, "ar").least_s < len(ARABIC) / rate * 1.33 < Lengths.of(ARABIC, "ar").most_s


@pytest.mark.parametrize(
    ("shorter", "longer", "language"),
    [
        ("كتب الولد الدرس", "كَتَبَ الوَلَدُ الدَّرْسَ", "ar"),
        ("See fbi", "See FBI", "en"),
        ("one two three", "one, two, three", "en"),
        ("你好", "你好你好", "zh"),
        ("five", "55", "en"),
    ],
    ids=["vowel signs are no letters", "spelled", "pauses", "syllables", "figures are words"],
)
def test_what_takes_time(shorter: str, longer: str, language: str) -> None:
    less, more = Lengths.of(shorter, language).most_s, Lengths.of(longer, language).most_s
    assert more == less if "َ" in longer else more > less


@pytest.mark.parametrize("text", ["", "🙂", "...", "\u200f"])
def test_nothing_to_say_may_be_silence(text: str) -> None:
    assert Lengths.of(text, "ar").least_s == 0
    assert Lengths.of(text, "ar").most_s > 1
