"""From mouth shapes to movements."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.catalogue import Voice
from tests.phoneme_table import closures, expected_opening
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.tts.espeak import Espeak
from worker.engines.video.puppet.engine import LOOK_AHEAD
from worker.engines.video.puppet.mouth.articulation import LEAD, Articulation
from worker.engines.video.puppet.mouth.ipa import segments
from worker.engines.video.puppet.mouth.visemes import (
    JAW,
    LOWER,
    PRESS,
    ROUND,
    TIP,
    TONGUE,
    TUCK,
    UPPER,
    WIDE,
    Segment,
)

FRAME = 1 / 25
PARTING = [JAW, WIDE, UPPER, LOWER, TUCK, TIP]
RATES = [12, 15, 23.976, 25, 30, 60]

Track = NDArray[np.float32]
Sounds = tuple[tuple[str, float], ...]


def spoken(*sounds: tuple[str, float], start: float = 0.0) -> list[Segment]:
    """Phonemes one after the other, each of so many seconds; an empty one is a gap."""
    parts, at = [], start
    for ipa, seconds in sounds:
        parts += segments(ipa, at, at + seconds) if ipa else []
        at += seconds
    return parts


def said(*sounds: tuple[str, float]) -> Articulation:
    articulation = Articulation()
    articulation.add(spoken(*sounds))
    return articulation


def shape(sounds: Sounds, place: int, part: float = 0.5) -> Track:
    """The mouth in the middle (or another part) of one of the sounds, as it is seen at 25 fps."""
    start = sum(seconds for _, seconds in sounds[:place])
    return said(*sounds).at(start + part * sounds[place][1] - LEAD, FRAME)


def track(articulation: Articulation, seconds: float, fps: float = 100, phase: float = 0.0) -> Track:
    """(frames, articulators) from the start on; phase: the first frame's, in frames."""
    return np.stack([articulation.at((n + phase) / fps, 1 / fps) for n in range(int(seconds * fps))])


def around(vowel: str, consonant: str, seconds: float) -> Sounds:
    return (vowel, 0.15), (consonant, seconds), (vowel, 0.15)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("seconds", [0.017, 0.034, 0.05, 0.08, 0.13, 0.3])
def test_lips_meet_on_some_frame(fps: float, seconds: float) -> None:
    """However the frames fall, between whatever vowels."""
    for consonant in ("m", "b", "p"):
        for vowel in ("a", "i", "u"):
            articulation = said(*around(vowel, consonant, seconds))
            for phase in np.arange(0, 1, 0.125):
                frames = track(articulation, 0.45, fps, phase)
                shut = (frames[:, PARTING].max(axis=1) < 0.02) & (frames[:, PRESS] > 0.5)
                assert shut.any()


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("seconds", [0.03, 0.06, 0.12])
def test_the_lip_reaches_the_teeth_on_some_frame(fps: float, seconds: float) -> None:
    for consonant in ("f", "v"):
        for vowel in ("a", "i", "u"):
            articulation = said(*around(vowel, consonant, seconds))
            for phase in np.arange(0, 1, 0.125):
                frames = track(articulation, 0.45, fps, phase)
                assert ((frames[:, TUCK] > 0.9) & (frames[:, JAW] < 0.1) & (frames[:, UPPER] < 0.02)).any()


@pytest.mark.parametrize(
    "sounds",
    [
        (("a", 0.12), ("m", 0.06), ("p", 0.034), ("a", 0.12)),
        (("a", 0.12), ("m", 0.06), ("f", 0.08), ("a", 0.12)),
        (("a", 0.12), ("f", 0.08), ("p", 0.05), ("a", 0.12)),
        (("a", 0.1), ("b", 0.05), ("a", 0.05), ("b", 0.05), ("a", 0.05), ("b", 0.05)),
    ],
)
def test_closures_close_to_each_other(sounds: Sounds) -> None:
    articulation = said(*sounds)
    starts = np.cumsum([0.0] + [seconds for _, seconds in sounds])
    for phase in np.arange(0, 1, 0.125):
        frames = track(articulation, 0.4, 25, phase)
        moments = (np.arange(len(frames)) + phase) / 25 + LEAD
        for (ipa, _), start, end in zip(sounds, starts, starts[1:], strict=False):
            if ipa != "a":
                near = frames[(moments > start - 0.03) & (moments < end + 0.03)]
                assert near[:, PRESS if ipa in "pbm" else TUCK].max() > 0.65


def test_a_stop_opens_in_one_step_and_closes_through_in_betweens() -> None:
    press = track(said(*around("a", "p", 0.06)), 0.4, 200)[:, PRESS] / 0.75
    held = np.flatnonzero(press > 0.99)
    assert (np.diff(held) == 1).all()
    assert press[held[-1] + 3] < 0.05  # 15 ms later
    assert press[held[0] - 4] > 0.2  # 20 ms before


def test_a_nasal_opens_more_gently() -> None:
    stop, nasal = (track(said(*around("a", ipa, 0.08)), 0.4, 200)[:, PRESS] for ipa in ("b", "m"))
    assert ((nasal > 0.1) & (nasal < 0.65)).sum() > ((stop > 0.1) & (stop < 0.65)).sum()


@pytest.mark.parametrize("ipa", ["m", "b", "f"])
def test_a_doubled_closure_is_held_longer(ipa: str) -> None:
    single, doubled = (
        track(said(("a", 0.15), *[(ipa, 0.08)] * times, ("a", 0.15)), 0.5, 100)[:, [PRESS, TUCK]].max(axis=1) > 0.69
        for times in (1, 2)
    )
    assert doubled.sum() >= single.sum() + 4
    assert (np.diff(np.flatnonzero(doubled)) == 1).all()


@pytest.mark.parametrize("ipa", ["s", "ʃ", "t", "n", "θ", "l", "r", "ð", "z", "sˤ", "t̪", "d"])
def test_a_sun_letter_is_one_held_gesture(ipa: str) -> None:
    """Said three times by eSpeak: the same as one that is as long."""
    thrice, once = said(("a", 0.1), *[(ipa, 0.07)] * 3, ("a", 0.1)), said(("a", 0.1), (ipa, 0.21), ("a", 0.1))
    np.testing.assert_allclose(track(thrice, 0.4), track(once, 0.4), atol=1e-5)
    middle = track(thrice, 0.4)[10:22]
    assert np.ptp(middle, axis=0).max() < 0.1


@pytest.mark.parametrize(
    ("vowel", "articulator", "least"),
    [("aː", JAW, 0.65), ("ɑː", JAW, 0.65), ("æ", JAW, 0.5), ("iː", WIDE, 0.4), ("uː", ROUND, 0.8), ("ɔː", ROUND, 0.55)],
)
def test_a_vowel_reaches_its_shape(vowel: str, articulator: int, least: float) -> None:
    assert shape((("t", 0.07), (vowel, 0.2), ("t", 0.07)), 1)[articulator] > least


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        (("aː", 0.1), ("a", 0.1)),
        (("a", 0.2), ("a", 0.06)),
        (("ˈa", 0.1), ("a", 0.1)),
        (("a", 0.1), ("ɛ", 0.1)),
        (("ɛ", 0.1), ("ɪ", 0.1)),
        (("ɪ", 0.1), ("i", 0.1)),
        (("ɒ", 0.1), ("ɔ", 0.1)),
        (("ɔ", 0.1), ("ʊ", 0.1)),
        (("ʊ", 0.1), ("u", 0.1)),
        (("ʕ", 0.1), ("x", 0.1)),
        (("k", 0.08), ("t", 0.08)),
        (("t", 0.08), ("s", 0.08)),
    ],
)
def test_length_stress_and_height_open_the_mouth(wider: tuple[str, float], narrower: tuple[str, float]) -> None:
    one, other = (shape((("n", 0.07), sound, ("n", 0.07)), 1)[JAW] for sound in (wider, narrower))
    assert one > other + 0.01


@pytest.mark.parametrize(
    ("diphthong", "first", "last"),
    [("aɪ", JAW, WIDE), ("aʊ", JAW, ROUND), ("ɔɪ", ROUND, WIDE), ("eɪ", JAW, TONGUE), ("əʊ", JAW, ROUND)],
)
def test_a_diphthong_moves(diphthong: str, first: int, last: int) -> None:
    early, late = (shape((("t", 0.07), (diphthong, 0.2), ("t", 0.07)), 1, part) for part in (0.3, 0.8))
    assert early[first] > late[first]
    assert late[last] > early[last]


@pytest.mark.parametrize(
    ("emphatic", "plain"), [("sˤ", "s"), ("t̪", "t"), ("dˤ", "d"), ("ðˤ", "ð"), ("ɫ", "l"), ("q", "k")]
)
@pytest.mark.parametrize("place", [0, 2])
def test_an_emphatic_colours_the_vowels_around_it(emphatic: str, plain: str, place: int) -> None:
    one, other = (shape((("a", 0.12), (ipa, 0.07), ("i" if place else "a", 0.12)), place) for ipa in (emphatic, plain))
    assert one[JAW] > other[JAW]
    assert one[ROUND] > other[ROUND] + 0.02
    assert one[WIDE] < other[WIDE]


@pytest.mark.parametrize("ipa", ["ħ", "ʕ"])
@pytest.mark.parametrize("vowel", ["i", "u", "a"])
def test_a_pharyngeal_opens_the_jaw(ipa: str, vowel: str) -> None:
    assert 0.3 < shape(around(vowel, ipa, 0.1), 1)[JAW] < 0.65


@pytest.mark.parametrize("ipa", ["h", "ʔ"])
@pytest.mark.parametrize(("vowel", "articulator"), [("a", JAW), ("i", WIDE), ("u", ROUND)])
def test_the_throat_alone_leaves_the_mouth_to_its_neighbours(ipa: str, vowel: str, articulator: int) -> None:
    sounds = around(vowel, ipa, 0.06)
    assert shape(sounds, 1)[articulator] > 0.85 * shape(sounds, 0)[articulator]


@pytest.mark.parametrize("ipa", ["θ", "ð", "ðˤ"])
@pytest.mark.parametrize("seconds", [0.05, 0.09])
def test_the_tongue_s_tip_comes_between_the_teeth(ipa: str, seconds: float) -> None:
    found = shape(around("a", ipa, seconds), 1)
    assert found[TIP] > 0.7
    assert 0.08 < found[JAW] < 0.4
    assert shape(around("a", "t", seconds), 1)[TIP] < 0.05


@pytest.mark.parametrize("ipa", ["s", "z", "ʃ", "ʒ", "tʃ", "dʒ"])
def test_sibilants_nearly_close_the_teeth_and_show_them(ipa: str) -> None:
    found = shape(around("a", ipa, 0.08), 1)
    assert found[JAW] < 0.16
    assert found[LOWER] > 0.2
    assert (found[ROUND] > 0.4) == (ipa not in "sz")


@pytest.mark.parametrize("cluster", ["s", "t", "st", "kl", "n", "b", "m"])
def test_rounding_begins_early_through_what_does_not_mind(cluster: str) -> None:
    """Some 150 ms before the vowel, and it is gone sooner after it."""
    before = (("ə", 0.1), *((ipa, 0.15 / len(cluster)) for ipa in cluster), ("uː", 0.2))
    assert shape(before, 1, 0.15)[ROUND] > 0.12
    assert shape(before, len(cluster), 0.9)[ROUND] > 0.4
    after = (("uː", 0.2), *((ipa, 0.15 / len(cluster)) for ipa in cluster), ("ə", 0.1))
    assert shape(after, len(cluster), 0.85)[ROUND] < shape(before, 1, 0.15)[ROUND]


def test_spread_lips_bar_the_way_to_rounding() -> None:
    assert shape((("iː", 0.12), ("uː", 0.2)), 0, 0.3)[ROUND] < 0.2


def test_neighbours_colour_a_consonant() -> None:
    """The lips are round already in the /s/ of "soo", wide in that of "see"."""
    soo, see = shape((("s", 0.1), ("uː", 0.2)), 0), shape((("s", 0.1), ("iː", 0.2)), 0)
    assert soo[ROUND] > 0.2
    assert see[ROUND] < 0.02
    assert see[WIDE] > soo[WIDE]


def test_effort_opens_the_mouth_and_not_its_closures() -> None:
    quiet, loud = Articulation(), Articulation()
    for articulation, effort in ((quiet, 0.8), (loud, 1.2)):
        articulation.add([*segments("a", 0, 0.15, effort), *segments("m", 0.15, 0.23, effort)])
    assert loud.at(0.075 - LEAD, FRAME)[JAW] > 1.3 * quiet.at(0.075 - LEAD, FRAME)[JAW]
    np.testing.assert_allclose(loud.at(0.19 - LEAD, FRAME)[PARTING], quiet.at(0.19 - LEAD, FRAME)[PARTING], atol=1e-6)


def test_movements_are_smooth_but_for_closures() -> None:
    found = track(said(("h", 0.08), ("a", 0.12), ("l", 0.07), ("oʊ", 0.2), ("s", 0.1), ("i", 0.15)), 0.7, 100)
    assert np.abs(np.diff(found, axis=0))[:, :TONGUE].max() < 0.2


@pytest.mark.parametrize("last", ["a", "s", "m", "p", "f", "u"])
def test_a_pause_comes_to_rest(last: str) -> None:
    articulation = said(("a", 0.1), (last, 0.1), ("", 0.8), ("a", 0.1))
    since = np.arange(0.16, 0.55, 0.01)
    rest = np.stack([articulation.at(0.2 + at - LEAD, FRAME) for at in since])
    assert rest.max() < 0.04
    assert articulation.at(30.0, FRAME).max() < 1e-6
    assert Articulation().at(3.0, FRAME).max() == 0


def test_shut_lips_do_not_part_to_rest() -> None:
    found = track(said(("a", 0.1), ("m", 0.1), ("", 0.8), ("a", 0.1)), 0.6, 100)
    assert found[16:, JAW].max() < 0.04


def test_a_breath_parts_the_lips_before_a_phrase() -> None:
    """200 ms before it is heard."""
    articulation = said(("a", 0.1), ("", 1.0), ("b", 0.08), ("a", 0.1))
    assert articulation.at(1.1 - 0.25, FRAME)[JAW] < 0.03
    assert 0.06 < articulation.at(1.1 - 0.15, FRAME)[JAW] < 0.2


@pytest.mark.parametrize("marked", [False, True])
def test_a_gap_within_a_phrase_is_no_pause(marked: bool) -> None:
    parts = [*spoken(("a", 0.15)), *spoken(("a", 0.15), start=0.21)]
    if marked:
        parts[1:1] = spoken(("_", 0.06), start=0.15)
    articulation = Articulation()
    articulation.add(parts)
    assert (articulation.at(0.18 - LEAD, FRAME)[JAW] > 0.5) != marked


def phrase(seed: int, seconds: float) -> list[Segment]:
    """Phonemes of speech's lengths in no sensible order, with pauses."""
    random = np.random.default_rng(seed)
    sounds = "b a m i s s u l l a h sˤ aː f ˈeɪ tʃ ə p ɹ θ k q".split()  # noqa: SIM905
    parts: list[Segment] = []
    at = 0.0
    while at < seconds:
        length = float(random.uniform(0.03, 0.14))
        if random.random() < 0.05:
            at += 5 * length
        parts += segments(str(random.choice(sounds)), at, at + length)
        at += length
    return parts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("piece", [0.02, 0.3, 2.0])
def test_streaming_equals_the_whole(seed: int, piece: float) -> None:
    """With so much of the speech known as the engine waits for."""
    parts, fps = phrase(seed, 6.0), 25
    whole, stream = Articulation(), Articulation()
    whole.add(parts)
    taken, shown = 0, []
    for known in np.arange(piece, 6.0, piece):
        cut = [part for part in parts[taken:] if part.end <= known]
        taken += len(cut)
        stream.add(cut)
        until = parts[taken].start if taken < len(parts) else known
        while len(shown) / fps < min(until, known) - LOOK_AHEAD:
            stream.forget(len(shown) / fps)
            shown.append(stream.at(len(shown) / fps, 1 / fps))
    assert len(shown) > 80
    np.testing.assert_allclose(np.stack(shown), track(whole, len(shown) / fps, fps)[: len(shown)], atol=2e-3)


def test_a_moment_looks_the_same_whenever_it_is_asked_for() -> None:
    parts = phrase(1, 3.0)
    forward, leaping = Articulation(), Articulation()
    forward.add(parts)
    leaping.add(parts)
    frames = track(forward, 2.5, 30)
    for place in np.random.default_rng(2).permutation(len(frames)):
        np.testing.assert_allclose(leaping.at(place / 30, 1 / 30), frames[place], atol=1e-5)


def walk(articulation: Articulation, parts: list[Segment], fps: int) -> Iterator[None]:
    """Ten seconds after ten seconds, frame by frame as the engine does."""
    for start in range(0, int(parts[-1].end), 10):
        articulation.add([part for part in parts if start <= part.start < start + 10])
        for place in range(start * fps, (start + 9) * fps):
            articulation.forget(place / fps)
            articulation.at(place / fps, 1 / fps)
        yield


def test_ten_minutes_leave_nothing_behind() -> None:
    parts, held = phrase(3, 600.0), []
    gc.freeze()  # what other tests hold need not be looked through each time
    tracemalloc.start()
    for _ in walk(Articulation(), parts, 5):
        gc.collect()
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    gc.unfreeze()
    assert max(held[-20:]) < max(held[5:20]) + 30_000
    assert max(held) < 500_000


TEXTS = {
    "en": (
        "People have five maps.",
        "Good morning and welcome. We are open from nine in the morning until five, every day except Friday.",
        "Thank you very much, the other brother thinks this is measured with pleasure.",
        "I would like to book a table for two at half past seven, please.",
        "No problem, I'll move the appointment from Tuesday to Wednesday.",
        "She sells sea shells; which church chose the judge?",
    ),
    "ar": (
        "بسم الله الرحمن الرحيم",
        "أهلا بك في عيادة الياسمين. نحن نعمل كل يوم من التاسعة صباحا حتى الخامسة مساء ما عدا يوم الجمعة.",
        "الشمس والقمر والنجوم والصديق والطريق والضيف والظلام",
        "مرحبا، ممتاز، محمد يفضل الفول والبصل والفلفل",
        "موعدك يوم الثلاثاء الساعة الثالثة والنصف بعد الظهر",
        "شكرا لكم، نتمنى لكم يوما سعيدا",
    ),
}


@pytest.fixture(scope="module")
def speech() -> Iterator[dict[str, list[Speech]]]:
    """By language and, of the fast ones, `fast`."""
    engine = Espeak()
    engine.load()

    def say(rate: int, language: str) -> list[Speech]:
        voice = Voice("test", {}, Path(), {"espeak": {"rate": rate}})
        return [piece for text in TEXTS[language] for piece in engine.speak(text, language=language, voice=voice)]

    yield {**{language: say(165, language) for language in TEXTS}, "fast": say(230, "en") + say(230, "ar")}
    engine.unload()


def phonemes(piece: Speech) -> tuple[Phoneme, ...]:
    assert piece.phonemes
    return piece.phonemes


def mouth(piece: Speech) -> Articulation:
    articulation = Articulation()
    articulation.add([part for one in phonemes(piece) for part in segments(one.ipa, one.start, one.end)])
    return articulation


def opening(frames: Track) -> Track:
    """What a camera sees of jaw and lips, about."""
    parted = 0.75 * frames[:, JAW] + 0.16 * frames[:, UPPER] + 0.2 * frames[:, LOWER]
    return np.asarray(parted * (1 - np.minimum(frames[:, PRESS] / 0.7, 1)))


def agreement(pieces: list[Speech], late: float) -> float:
    """r of the opening with the table's, over all frames; late: seconds that the mouth is thought after the sound."""
    pairs = []
    for piece in pieces:
        fine = expected_opening(phonemes(piece), piece.seconds, 1000)
        seen = opening(track(mouth(piece), piece.seconds, 25))
        moments = np.arange(len(seen)) / 25 - late
        pairs.append(np.stack([seen, np.interp(moments, np.arange(len(fine)) / 1000, fine, left=0, right=0)]))
    return float(np.corrcoef(np.concatenate(pairs, axis=1))[0, 1])


@pytest.mark.parametrize(("kind", "least"), [("en", 0.95), ("ar", 0.96), ("fast", 0.935)])
def test_the_mouth_opens_as_phonetics_expects(speech: dict[str, list[Speech]], kind: str, least: float) -> None:
    assert agreement(speech[kind], -LEAD) > least


@pytest.mark.parametrize("kind", ["en", "ar", "fast"])
def test_the_mouth_is_as_early_as_intended(speech: dict[str, list[Speech]], kind: str) -> None:
    by_lag = {lag: agreement(speech[kind], -LEAD + lag / 1000) for lag in range(-60, 61, 10)}
    assert abs(max(by_lag, key=lambda lag: by_lag[lag])) <= 20


def test_another_sentence_s_phonemes_agree_less(speech: dict[str, list[Speech]]) -> None:
    one, other = speech["en"][1], speech["ar"][1]
    wrong = Speech(one.samples, one.sample_rate, other.phonemes)
    fine = expected_opening(phonemes(wrong), 6.0, 25)
    assert np.corrcoef(opening(track(mouth(one), 6.0, 25)), fine)[0, 1] < 0.4


@pytest.mark.parametrize("kind", ["en", "ar", "fast"])
@pytest.mark.parametrize("fps", [15, 25, 30])
def test_every_closure_of_real_speech_is_seen(speech: dict[str, list[Speech]], kind: str, fps: int) -> None:
    """On a frame of its own, the mouth's lead taken off."""
    for piece in speech[kind]:
        frames = track(mouth(piece), piece.seconds, fps)
        moments = np.arange(len(frames)) / fps + LEAD
        for closing in closures(phonemes(piece)):
            if closing.middle < LEAD + 1 / fps:
                continue  # before the first frame, which is shut anyway
            slack = max(1 / fps - (closing.end - closing.start), 0) / 2 + 0.011
            near = frames[(moments >= closing.start - slack) & (moments <= closing.end + slack)]
            shut = near[:, JAW] + near[:, UPPER] + near[:, LOWER] + (near[:, WIDE] if closing.lips else 0)
            held = near[:, PRESS if closing.lips else TUCK]
            assert (held[shut < 0.12] > 0.6).any(), closing
