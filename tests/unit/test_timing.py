"""Phoneme times of voices that give none: alignment of a known text, and the mouth from the sound alone.

The English clips are Flite's (tests/data/flite), from which nothing was learnt. The Arabic ones are eSpeak's too, in
voices that neither the twins nor the training use, with another throat length and noise: a second voice, not a second
synthesiser.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from structlog.testing import capture_logs

from core.catalogue import Catalogue, Voice
from core.embedded.process import alive, wait_until
from core.errors import TTSError
from core.kinds import Tone
from core.settings import HOME
from tests.flite import clips
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.tts.espeak import Espeak
from worker.engines.video.puppet.mouth.articulation import LEAD
from worker.engines.video.puppet.mouth.hearing import Hearing
from worker.engines.video.puppet.mouth.ipa import segments
from worker.engines.video.puppet.mouth.visemes import ARTICULATORS, JAW, LOWER, PRESS, UPPER
from worker.gpu import EngineSet
from worker.job import Job
from worker.lending import Lender
from worker.parts import Parts, load
from worker.speaking import Speaker
from worker.timing.aligner import GATE, Aligner
from worker.timing.dtw import warp
from worker.timing.estimator import REACH, WEIGHTS, Ear
from worker.timing.features import HOP, RATE, STEP
from worker.timing.training import goals
from worker.timing.twin import TwinSpeaker

FRAME = 1 / 25

ARABIC = (
    "من فضلك أرسل لي رقم الطلب واسم المنتج حتى أبحث عنه.",
    "نبيع الملابس والأحذية وكل ما يلزم البيت من أدوات المطبخ.",
    "يسعدنا ذلك، وسنؤكد لك الموعد خلال ساعة برسالة قصيرة.",
)
OTHERS = [("klatt4", 185, 35, 1.0), ("klatt5", 150, 60, 0.9), ("steph3", 165, 70, 1.12)]
"""Variant, pace, pitch and how much faster (and higher in every formant) it is played."""


@pytest.fixture(scope="module")
def aligner() -> Iterator[Aligner]:
    made = Aligner()
    yield made
    made.close()


@pytest.fixture(scope="module")
def espeak() -> Iterator[Espeak]:
    made = Espeak()
    made.load()
    yield made
    made.unload()


def other(espeak: Espeak, text: str, variant: str, pace: int, pitch: int, speed: float) -> Speech:
    """Another Arabic voice."""
    voice = Voice("test", {}, Path(), {"espeak": {"variant": variant, "rate": pace, "pitch": pitch}})
    (said,) = espeak.speak(text, language="ar", voice=voice)
    sound = soxr.resample(said.samples, said.sample_rate * speed, said.sample_rate)
    noise = np.random.default_rng(1).normal(0, 0.1 * np.sqrt(np.square(sound).mean()), len(sound))
    phones = tuple(Phoneme(each.ipa, each.start / speed, each.end / speed) for each in said.phonemes or ())
    return Speech((sound + noise).astype(np.float32), said.sample_rate, phones, text, "ar")


def closures(phonemes: tuple[Phoneme, ...]) -> NDArray[np.float64]:
    """The middles of what the lips shut for."""
    return np.array([(each.start + each.end) / 2 for each in phonemes if any(letter in each.ipa for letter in "pbm")])


def met(true: NDArray[np.float64], found: NDArray[np.float64], within: float = 0.06) -> int:
    """How many of `true` have one of `found` of their own near them."""
    left, count = list(found), 0
    for moment in true:
        near = [each for each in left if abs(each - moment) <= within]
        if near:
            left.remove(min(near, key=lambda each: abs(each - moment)))
            count += 1
    return count


def recall(pairs: list[tuple[Speech, tuple[Phoneme, ...]]]) -> float:
    true = [closures(speech.phonemes or ()) for speech, _ in pairs]
    return sum(met(one, closures(found)) for one, (_, found) in zip(true, pairs, strict=True)) / sum(map(len, true))


def aligned(aligner: Aligner, speech: Speech) -> tuple[Phoneme, ...]:
    found = aligner.align(speech, speech.text or "", speech.language or "")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def matched(aligner: Aligner) -> list[tuple[Phoneme, ...]]:
    """What is found in each clip."""
    return [aligned(aligner, clip) for clip in clips()]


def test_closures_of_another_synthesiser_are_found(matched: list[tuple[Phoneme, ...]]) -> None:
    assert recall(list(zip(clips(), matched, strict=True))) >= 0.9


def test_edges_are_near_the_true_ones(matched: list[tuple[Phoneme, ...]]) -> None:
    """Every true edge against the nearest of those found."""
    away = [
        np.abs(
            np.array([each.start for each in found])[None]
            - np.array([each.start for each in clip.phonemes or ()])[:, None]
        )
        for place, clip in enumerate(clips())
        for found in [matched[place]]
    ]
    assert np.mean(np.concatenate([each.min(axis=1) for each in away])) < 0.025


@pytest.mark.parametrize(("variant", "pace", "pitch", "speed"), OTHERS, ids=[each[0] for each in OTHERS])
def test_closures_of_other_arabic_voices_are_found(
    aligner: Aligner, espeak: Espeak, variant: str, pace: int, pitch: int, speed: float
) -> None:
    said = [other(espeak, text, variant, pace, pitch, speed) for text in ARABIC]
    assert recall([(speech, aligned(aligner, speech)) for speech in said]) >= 0.8


def test_phonemes_are_in_order_within_the_sound(matched: list[tuple[Phoneme, ...]]) -> None:
    for clip, found in zip(clips(), matched, strict=True):
        edges = [moment for each in found for moment in (each.start, each.end)]
        assert edges == sorted(edges)
        assert edges[0] >= 0
        assert edges[-1] <= clip.seconds + 2 * STEP


def test_another_text_is_refused(aligner: Aligner) -> None:
    said = clips()
    for place, clip in enumerate(said):
        assert aligner.align(clip, said[(place + 1) % len(said)].text or "", "en") is None
        assert aligner.align(clip, ARABIC[place % 3], "ar") is None


@pytest.mark.parametrize(
    ("sound", "text"),
    [
        (np.zeros(0, np.float32), "Hello."),
        (np.zeros(32_000, np.float32), "Hello."),
        (np.full(32_000, np.nan, np.float32), "Hello."),
        (np.random.default_rng(1).normal(0, 0.1, 32_000).astype(np.float32), "Good morning and welcome."),
        (np.sin(np.arange(32_000) * 0.06).astype(np.float32), "Good morning and welcome."),
        (np.sin(np.arange(32_000) * 0.06).astype(np.float32), "🙂"),
        (np.sin(np.arange(32_000) * 0.06).astype(np.float32), ""),
        (np.sin(np.arange(800) * 0.06).astype(np.float32), "A word."),
        (np.sin(np.arange(16_000) * 0.06).astype(np.float32), "A text far too long for a second. " * 12),
    ],
    ids=["nothing", "silence", "not numbers", "noise", "tone", "emoji", "no text", "a click", "too long a text"],
)
def test_where_no_text_can_be_heard(aligner: Aligner, sound: NDArray[np.float32], text: str) -> None:
    assert aligner.align(Speech(sound, 16_000, None), text, "en") is None


def test_a_language_that_cannot_be_spoken_is_an_error(aligner: Aligner) -> None:
    with pytest.raises(TTSError):
        aligner.align(clips()[0], "1234", "xx")


def narrow(sound: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    return np.asarray(soxr.resample(sound, 48_000, 8000), np.float32), 8000


def overloaded(sound: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    return np.clip(sound * 5, -1, 1).astype(np.float32), 48_000


def late(sound: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    return np.concatenate([sound, np.zeros(96_000, np.float32)]), 48_000


@pytest.mark.parametrize("spoil", [narrow, overloaded, late])
def test_spoiled_recordings(
    aligner: Aligner, spoil: Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], int]]
) -> None:
    """Each still has its closures found, and its jaw heard."""
    clip = clips()[0]
    sound, rate = spoil(clip.samples)
    spoiled = replace(clip, samples=sound, sample_rate=rate)
    assert recall([(clip, aligned(aligner, spoiled))]) >= 0.75
    assert jaws(spoiled) > 0.6


def test_two_thousand_letters_without_a_full_stop(aligner: Aligner, espeak: Espeak) -> None:
    """Two minutes of speech: the band, and so the memory, is that of a minute."""
    text = " and ".join(clip.text.rstrip(".").replace("!", "") for clip in clips() if clip.text)
    text = (f"{text} and " * 4)[:2000]
    voice = Voice("test", {}, Path(), {"espeak": {"variant": "klatt4", "rate": 180}})
    (said,) = espeak.speak(text, language="en", voice=voice)
    assert recall([(said, aligned(aligner, replace(said, text=text, language="en")))]) >= 0.9


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000])
def test_the_sample_rate_moves_no_phoneme(aligner: Aligner, matched: list[tuple[Phoneme, ...]], rate: int) -> None:
    clip = clips()[0]
    sound = np.asarray(soxr.resample(clip.samples, clip.sample_rate, rate), np.float32)
    found = aligned(aligner, replace(clip, samples=sound, sample_rate=rate))
    assert [each.ipa for each in found] == [each.ipa for each in matched[0]]
    away = [abs(one.start - other.start) for one, other in zip(found, matched[0], strict=True)]
    assert np.mean(away) < 0.012


@pytest.mark.parametrize("rate", [24_000, 48_000])
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "نعم."),
        ("en", "Yes."),
        ("en", "OK"),
        ("ar", "مرحبًا، أنا ليلى من iPhone Store في دبي."),
        ("ar", "الحافلة VIP تغادر الساعة ٦:٣٠ صباحًا."),
        ("en", "Welcome to عيادة الياسمين in Dubai."),
    ],
)
def test_a_word_and_a_sentence_in_two_scripts(
    aligner: Aligner, espeak: Espeak, language: str, text: str, rate: int
) -> None:
    voice = Voice("test", {}, Path(), {"espeak": {"variant": "klatt4", "rate": 150}})
    (said,) = espeak.speak(text, language=language, voice=voice)
    sound = np.asarray(soxr.resample(said.samples, said.sample_rate, rate), np.float32)
    found = aligned(aligner, Speech(sound, rate, None, text, language))
    assert len(found) >= 0.8 * len(said.phonemes or ())
    edges = [moment for each in found for moment in (each.start, each.end)]
    assert edges == sorted(edges)
    assert 0 <= edges[0] < edges[-1] <= said.seconds


def test_what_was_prepared_is_there() -> None:
    prepared = Aligner()
    prepared.prepare()
    prepared.prepare()
    assert [each.name for each in threading.enumerate()].count("twins") <= 1
    clip = clips()[0]
    assert prepared.align(clip, clip.text or "", "en")
    assert "twins" not in [each.name for each in threading.enumerate()]
    prepared.close()
    prepared.prepare()
    prepared.close()
    assert "twins" not in [each.name for each in threading.enumerate()]


def test_the_host_ends_with_whoever_holds_it() -> None:
    speaker = TwinSpeaker()
    assert len(list(speaker.twins("Hello.", "en", 40))) == 2
    pid = speaker._synthesiser.pid
    assert pid is not None
    assert alive(pid)
    del speaker
    assert wait_until(lambda: not alive(pid), 5)


def test_warping_finds_where_one_sequence_was_stretched() -> None:
    random = np.random.default_rng(1)
    other = random.normal(0, 1, (200, 6)).astype(np.float32)
    true = np.sort(np.concatenate([np.arange(200), random.integers(0, 200, 80)]))
    path, costs = warp(other[true], [other, other[::-1]], np.linspace(0, 199, len(true)), 60)
    np.testing.assert_array_equal(path, true)
    assert costs[0] < 0.2 * costs[1]


def test_warping_gives_up_where_no_way_leads_through() -> None:
    path, costs = warp(np.zeros((10, 2), np.float32), [np.ones((90, 2), np.float32)], np.linspace(0, 89, 10), 90)
    assert not np.isfinite(costs[0])
    assert len(path) == 10


class Dumb(Espeak):
    """eSpeak that keeps the phonemes to itself and speaks in pieces; `says`: what it says, whatever it is asked to."""

    says: str | None = None

    def speak(
        self,
        text: str,
        *,
        language: str,
        voice: Voice,
        tone: Tone = Tone.NEUTRAL,
        intensity: float = 0.0,
        take: int = 0,
    ) -> Iterator[Speech]:
        for whole in super().speak(self.says or text, language=language, voice=voice, tone=tone, intensity=intensity):
            for start in range(0, len(whole.samples), 9000):
                yield Speech(whole.samples[start : start + 9000], whole.sample_rate, None)


class Broken(Aligner):
    def align(self, speech: Speech, text: str, language: str) -> tuple[Phoneme, ...] | None:
        raise ValueError("of no text")


def silent(_kind: str, **_data: object) -> None:
    """Takes reports."""


def nothing() -> None:
    """Nobody cancels."""


def spoken(folder: Path, engine: Espeak, aligner: Aligner, *texts: str) -> list[Speech]:
    """What the Speaker saved."""
    job = Job("t", str(folder / "1"), "layla", ("voice", "video"), text="")
    job.path.mkdir()
    parts = Parts()
    engines = EngineSet(lambda _layer, _language: engine.name, make=lambda _layer, _name, _place: engine)
    lender = Lender(engines, silent, nothing)
    speaker = Speaker(job, silent, nothing, lender, parts, aligner)
    speaker.run(Catalogue(HOME).voice("omar"), iter(texts), "en", Tone.NEUTRAL, 0.0)
    parts.end()
    return list(parts.read(lambda: None))


@pytest.fixture(scope="module")
def dumb() -> Iterator[Dumb]:
    made = Dumb()
    made.load()
    yield made
    made.unload()


def test_what_a_voice_does_not_tell_is_found(tmp_path: Path, dumb: Dumb, aligner: Aligner) -> None:
    dumb.says = None
    one, two = spoken(tmp_path, dumb, aligner, "My brother may bring the map.", "صباح الخير يا باسم.")
    assert (one.text, one.language, two.language) == ("My brother may bring the map.", "en", "ar")
    assert all(len(each.phonemes or ()) > 10 for each in (one, two))


@pytest.mark.parametrize("wrong", [True, False], ids=["another text", "a broken aligner"])
def test_a_voice_that_cannot_be_timed_still_speaks(tmp_path: Path, dumb: Dumb, aligner: Aligner, wrong: bool) -> None:
    dumb.says = "Perhaps we could move the meeting to a warm Wednesday." if wrong else None
    with capture_logs() as logs:
        (said,) = spoken(tmp_path, dumb, aligner if wrong else Broken(), "The opening hours of the clinic are simple.")
    assert said.phonemes is None
    assert said.seconds > 2
    events = [log["event"] for log in logs if log["event"].startswith("alignment")]
    assert events == ["alignment_refused" if wrong else "alignment_failed"]
    assert not any(word in str(logs) for word in ("clinic", "Wednesday", "of no text"))


def test_text_and_language_are_kept(tmp_path: Path, aligner: Aligner, espeak: Espeak) -> None:
    (said,) = spoken(tmp_path, espeak, aligner, "Hello.")
    assert (said.text, said.language) == ("Hello.", "en")
    assert (load(tmp_path / "1" / "tts-000.npz").text, said.phonemes is None) == ("Hello.", False)


@cache
def truth(place: int, count: int) -> NDArray[np.float32]:
    """What our own articulation makes of a clip's true phones."""
    parts = [part for each in clips()[place].phonemes or () for part in segments(each.ipa, each.start, each.end)]
    return goals(parts, count)


def jaws(speech: Speech) -> float:
    """How well the jaw that is heard follows the true one of the first clip."""
    _, heard = Ear().hear(speech.samples, speech.sample_rate)
    true = truth(0, len(clips()[0].samples) // 480)
    count = min(len(heard), len(true))
    return float(np.corrcoef(heard[:count, JAW], true[:count, JAW])[0, 1])


def test_the_jaw_is_heard_in_another_synthesiser() -> None:
    right, shuffled = [], []
    for place, clip in enumerate(clips()):
        _, heard = Ear().hear(clip.samples, clip.sample_rate)
        true = truth(place, len(heard))[:, JAW]
        parts = heard[: len(heard) // 8 * 8, JAW].reshape(8, -1)[[3, 6, 1, 7, 4, 0, 5, 2]].ravel()
        right.append(np.corrcoef(heard[:, JAW], true)[0, 1])
        shuffled.append(np.corrcoef(parts, true[: len(parts)])[0, 1])
    assert np.mean(right) >= 0.7
    assert min(right) >= 0.6
    assert np.mean(shuffled) < 0.25


def test_the_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size <= 300_000


@pytest.mark.parametrize("piece", [160, 1000, 48_000])
def test_pieces_are_heard_as_the_whole_is(piece: int) -> None:
    """But for what the ear had not yet heard of the voice."""
    clip = clips()[0]
    _, whole = Ear().hear(clip.samples, clip.sample_rate)
    ear, heard = Ear(), np.zeros((0, whole.shape[1]), np.float32)
    for start in range(0, len(clip.samples), piece):
        first, estimates = ear.hear(clip.samples[start : start + piece], clip.sample_rate)
        assert len(heard) - first in range(REACH + 1)
        heard = np.concatenate([heard[:first], estimates])
    assert abs(len(heard) - len(whole)) <= 2
    count = min(len(heard), len(whole))
    assert np.corrcoef(heard[150:count, JAW], whole[150:count, JAW])[0, 1] > 0.95


@pytest.mark.parametrize(
    "sound",
    [np.zeros(0, np.float32), np.zeros(100, np.float32), np.zeros(RATE, np.float32), np.full(RATE, np.nan, np.float32)],
    ids=["nothing", "less than a frame", "silence", "not numbers"],
)
def test_silence_is_rest(sound: NDArray[np.float32]) -> None:
    hearing = Hearing()
    assert hearing.add(Speech(sound, RATE, None), 0.0) == []
    for moment in np.arange(0, 1.2, 0.1):
        assert hearing.at(float(moment), FRAME).max() < 0.08


def heard(place: int) -> tuple[Hearing, list[Any]]:
    clip, hearing = clips()[place], Hearing()
    return hearing, hearing.add(clip, 0.0)


def test_the_mouth_rests_outside_of_what_was_added() -> None:
    hearing = Hearing()
    hearing.add(clips()[0], 2.0)
    assert hearing.at(1.9, FRAME).max() < 0.1
    assert hearing.at(2.0 + clips()[0].seconds + 0.1, FRAME).max() == 0
    assert max(hearing.at(2.0 + moment, FRAME)[JAW] for moment in np.arange(0, 5, 0.04)) > 0.4


def test_closures_that_are_heard_are_shut() -> None:
    """Half of them at least; each that is shown lets nothing part."""
    shut, true = 0, 0
    for place, clip in enumerate(clips()):
        hearing, _ = heard(place)
        moments = np.arange(0, clip.seconds, 0.01)
        shapes = np.stack([hearing.at(float(moment) - LEAD, 0.01) for moment in moments])
        pressed = shapes[:, PRESS] > 0.6
        assert np.median(shapes[pressed][:, [JAW, UPPER, LOWER]].max(axis=1)) < 0.15
        middles = closures(clip.phonemes or ())
        shut += sum(bool((np.abs(moments[pressed] - middle) <= 0.06).any()) for middle in middles)
        true += len(middles)
    assert shut / true >= 0.5


def shown(hearing: Hearing) -> NDArray[np.float64]:
    """The middles of the closures of the lips that it heard."""
    found = [each for run in hearing._runs for each in run.closures if each.viseme.closed]
    return np.array([(each.start + each.end) / 2 for each in found])


@pytest.mark.parametrize("language", ["en", "ar"])
def test_most_closures_that_are_heard_were_said(espeak: Espeak, language: str) -> None:
    arabic = [other(espeak, text, *voice) for voice in OTHERS for text in ARABIC] if language == "ar" else []
    hit, found = 0, 0
    for clip in arabic or clips():
        hearing = Hearing()
        hearing.add(clip, 0.0)
        moments = shown(hearing)
        hit, found = hit + met(closures(clip.phonemes or ()), moments), found + len(moments)
    assert found >= 20
    assert hit / found >= 0.5


def test_stress_and_pauses_are_told() -> None:
    """The face gets them from the loudness."""
    _, parts = heard(2)
    assert 1 <= sum(part.stressed for part in parts) <= len(parts) / 2
    assert sum(part.end - part.start for part in parts) < clips()[2].seconds


def test_memory_is_flat_and_what_is_forgotten_stays_so() -> None:
    clip, hearing, start = clips()[0], Hearing(), 0.0
    for _ in range(20):
        hearing.add(clip, start)
        start += clip.seconds
        before = hearing.at(start - 0.5, FRAME)
        hearing.forget(start - 0.5)
        np.testing.assert_allclose(hearing.at(start - 0.5, FRAME), before, atol=1e-3)
    assert sum(len(run.heard) for run in hearing._runs) < 2.5 / STEP
    assert threading.active_count() < 20


def test_pieces_at_other_rates_and_after_gaps_are_heard_anew() -> None:
    clip, hearing = clips()[0], Hearing()
    hearing.add(clip, 0.0)
    slow = np.asarray(soxr.resample(clip.samples, 48_000, 8000), np.float32)
    hearing.add(Speech(slow, 8000, None), clip.seconds)
    hearing.add(clip, 3 * clip.seconds)
    assert len(hearing.at(2.5 * clip.seconds, FRAME)) == len(ARTICULATORS)
    assert hearing.at(2.5 * clip.seconds, FRAME).max() == 0
    moments = np.arange(0.2, clip.seconds - 0.2, 0.04)
    tracks = [np.array([hearing.at(float(at + start), FRAME)[JAW] for at in moments]) for start in (0, clip.seconds)]
    assert np.corrcoef(*tracks)[0, 1] > 0.8


def test_the_gate_stands_between() -> None:
    assert 0.88 < GATE < 0.92
    assert HOP / RATE == STEP
