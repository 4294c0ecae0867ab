"""Recordings through the real decoding process, to voices that speak."""

from __future__ import annotations

import tomllib
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr

from core.catalogue import Catalogue
from core.errors import Conflict, Forbidden, InputError, NotFound, VoiceInvalid
from core.settings import HOME
from tests import musical
from tests.spoken import SAMPLE_RATE, Sound, alternating, noisy, recorded, spoken
from worker.adding.listening import listen
from worker.adding.recording import RATE
from worker.adding.voice import Added, add_voice, check_recording, recording_of, remove_voice
from worker.engines.tts.espeak.engine import Espeak

NAME = {"ar": "منى", "en": "Mona"}
CONSENT = {"who": "Mona K.", "when": "2026-11-22T10:00:00+00:00", "words": 'I said "yes",\nof my own will.'}


@pytest.fixture(scope="module")
def engine() -> Iterator[Espeak]:
    engine = Espeak()
    engine.load()
    yield engine
    engine.unload()


async def added(recording: Path, root: Path, new: str = "mona") -> Added:
    return await add_voice(recording, voice_id=new, name=NAME, root=root, consent=CONSENT, added_by="telegram:7")


def read(path: Path) -> tuple[Sound, int]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return (samples / 32768).astype(np.float32), file.getframerate()


@pytest.mark.parametrize("kind", ["ogg", "m4a", "wav"])
async def test_a_good_recording_becomes_a_voice(tmp_path: Path, engine: Espeak, kind: str) -> None:
    quiet = 0.4 * spoken(engine, "ar", variant="f4")
    padded = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), quiet, np.zeros(2 * SAMPLE_RATE, np.float32)])
    made = await added(recorded(padded, tmp_path / f"in.{kind}"), tmp_path)
    folder = made.folder
    assert sorted(folder.iterdir()) == [made.clip, folder / "voice.toml"]
    reference, rate = read(made.clip)
    assert rate == RATE == 24_000
    heard = listen(reference, rate)
    assert heard.level == pytest.approx(-20, abs=1.5)
    assert heard.seconds == pytest.approx(quiet.size / SAMPLE_RATE, abs=0.6)
    table = tomllib.loads((folder / "voice.toml").read_text(encoding="utf-8"))
    assert (table["name"], table["added_by"]) == (NAME, "telegram:7")
    kept = {"clip": made.clip.name, "added_by": "telegram:7", "notes": [], "consent": CONSENT}
    assert table["references"] == {"und": kept}
    assert set(table["engines"]) == {"espeak", "cosyvoice", "voxcpm"}


@pytest.mark.parametrize(
    "settings",
    [
        {"variant": "m7", "pitch": 30, "rate": 130, "range": 40},
        {"variant": "m2", "pitch": 65, "rate": 190, "range": 60},
        {"variant": "f2", "pitch": 40, "rate": 150, "range": 80},
        {"variant": "f3", "pitch": 85, "rate": 175, "range": 30},
    ],
)
async def test_the_cpu_voice_resembles_the_speaker(tmp_path: Path, engine: Espeak, settings: dict[str, object]) -> None:
    original = spoken(engine, "ar", **settings)
    await added(recorded(original, tmp_path / "in.ogg"), tmp_path)
    fitted = Catalogue(tmp_path).voice("mona").engines["espeak"]
    one, other = listen(original, SAMPLE_RATE), listen(spoken(engine, "ar", **fitted), SAMPLE_RATE)
    semitones = 12 * np.log2(np.median(other.voiced) / np.median(one.voiced))
    assert abs(semitones) < 2.5
    assert other.syllables == pytest.approx(one.syllables, rel=0.2)


def tone() -> Sound:
    return (0.3 * np.sin(2 * np.pi * 220 * np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.float32)


def in_turns(engine: Espeak, one: str, other: str) -> Sound:
    """A conversation of 18 s."""
    lines = [np.concatenate([spoken(engine, variant=each, rate=rate) for rate in (150, 175)]) for each in (one, other)]
    return alternating(*lines, turn_s=3)


def overdriven(sound: Sound) -> Sound:
    """Twenty times too loud where it was recorded, at half the rate here and less loud: no sample is at the limit."""
    half = soxr.resample((20 * sound).clip(-1, 1), SAMPLE_RATE, SAMPLE_RATE // 2)
    return np.asarray(0.7 * soxr.resample(half, SAMPLE_RATE // 2, SAMPLE_RATE), np.float32)


def hiss() -> Sound:
    return np.random.default_rng(0).normal(0, 0.1, 5 * SAMPLE_RATE).astype(np.float32)


def with_pauses(engine: Espeak) -> Sound:
    sound = spoken(engine)
    return np.concatenate([sound[:SAMPLE_RATE], np.zeros(6 * SAMPLE_RATE, np.float32), sound[:SAMPLE_RATE]])


TUNES = ("chords", "plucked", "flute", "sung", "drums")
REFUSED: dict[str, tuple[str, Callable[[Espeak], Sound]]] = {
    "short": ("too_short", lambda engine: spoken(engine)[: 2 * SAMPLE_RATE]),
    "long": ("too_long", lambda engine: np.tile(spoken(engine), 6)[: 32 * SAMPLE_RATE]),
    "silent": ("silent", lambda engine: 0.0001 * spoken(engine)),
    "quiet": ("quiet", lambda engine: 0.02 * spoken(engine)),
    "two minutes": ("too_long", lambda engine: np.tile(spoken(engine), 24)[: 120 * SAMPLE_RATE]),
    "clipped": ("clipped", lambda engine: (8 * spoken(engine)).clip(-1, 1)),
    "clipped, then resampled": ("clipped", lambda engine: overdriven(spoken(engine))),
    "noisy": ("noisy", lambda engine: noisy(spoken(engine), 5)),
    "hiss": ("noisy", lambda _: hiss()),
    "tone": ("music", lambda _: tone()),
    **{tune: ("music", lambda _, tune=tune: getattr(musical, tune)()) for tune in TUNES},
    "over music": ("music", lambda engine: musical.beneath(spoken(engine), musical.chords(), 3)),
    "over soft music": ("noisy", lambda engine: musical.beneath(spoken(engine), musical.chords(), 12)),
    "pauses": ("little_speech", with_pauses),
    "two": ("several_speakers", lambda engine: in_turns(engine, "m3", "f2")),
    "two men": ("several_speakers", lambda engine: in_turns(engine, "m7", "steph")),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_bad_recording_is_refused_with_its_reason_and_leaves_nothing(
    tmp_path: Path, engine: Espeak, kind: str
) -> None:
    reason, make = REFUSED[kind]
    recording, root = recorded(make(engine), tmp_path / "in.wav"), tmp_path / "data"
    with pytest.raises(VoiceInvalid) as caught:
        await added(recording, root)
    assert caught.value.args_for_user == {"reason": reason}
    assert caught.value.user_message_id == f"error-voice-{reason.replace('_', '-')}"
    assert list((root / "voices").iterdir()) == []


def humming(sound: Sound) -> Sound:
    """Rumble as loud as the voice, the mains' hum 30 dB below it, and a direct current."""
    at = np.arange(len(sound)) / SAMPLE_RATE
    level = np.sqrt(2 * np.square(sound).mean())
    hum = sum(np.sin(2 * np.pi * 50 * part * at) / part for part in (1, 2, 3))
    return np.asarray(sound + level * (np.sin(2 * np.pi * 30 * at) + 0.03 * hum) + 0.05, np.float32)


async def test_what_lies_below_the_voice_is_taken_out(tmp_path: Path, engine: Espeak) -> None:
    sound = 0.5 * spoken(engine, "ar")
    made = await added(recorded(humming(sound), tmp_path / "in.wav"), tmp_path)
    reference, rate = read(made.clip)
    power = np.abs(np.fft.rfft(reference)) ** 2
    hertz = np.arange(len(power)) * rate / len(reference)
    assert 10 * np.log10(power[hertz < 45].sum() / power.sum()) < -40
    assert abs(float(reference.mean())) < 1e-4
    assert listen(reference, rate).level == pytest.approx(-20, abs=1.5)


@pytest.mark.parametrize(
    ("notes", "make"),
    [
        ((), lambda engine: np.concatenate([spoken(engine), spoken(engine, "ar")])),
        (("short",), spoken),
        (("narrow", "short"), lambda engine: soxr.resample(soxr.resample(spoken(engine), 3, 1), 1, 3)),
    ],
)
async def test_what_is_odd_and_will_do_is_noted(
    tmp_path: Path, engine: Espeak, notes: tuple[str, ...], make: Callable[[Espeak], Sound]
) -> None:
    made = await added(recorded(make(engine), tmp_path / "in.wav"), tmp_path)
    assert made.notes == notes
    again = recording_of(tmp_path, "mona", CONSENT)
    assert again == made


@pytest.mark.parametrize("data", [b"", b"hello" * 100, b"OggS" + bytes(200)])
async def test_what_is_no_recording_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.ogg").write_bytes(data)
    with pytest.raises(VoiceInvalid) as caught:
        await added(tmp_path / "in.ogg", tmp_path)
    assert caught.value.args_for_user["reason"] in ("unreadable", "silent")


@pytest.mark.parametrize("snr", [30, 20])
async def test_an_ordinary_room_is_quiet_enough(tmp_path: Path, engine: Espeak, snr: float) -> None:
    recording = recorded(noisy(spoken(engine), snr), tmp_path / "in.ogg")
    quality = await check_recording(recording, tmp_path)
    assert quality.snr == pytest.approx(snr + 5, abs=6)
    assert 80 < quality.pitch < 125
    assert [path.name for path in tmp_path.iterdir()] == ["in.ogg"]


@pytest.mark.parametrize("consent", [{}, {"who": "x", "when": "now"}, {**CONSENT, "words": " "}])
async def test_no_voice_without_consent(tmp_path: Path, consent: dict[str, str]) -> None:
    with pytest.raises(VoiceInvalid) as caught:
        await add_voice(tmp_path / "none.ogg", voice_id="mona", name=NAME, root=tmp_path, consent=consent)
    assert caught.value.args_for_user == {"reason": "no_consent"}


async def test_a_removed_voice_is_gone_and_its_id_never_comes_back(tmp_path: Path, engine: Espeak) -> None:
    recording, catalogue = recorded(spoken(engine), tmp_path / "in.wav"), Catalogue(tmp_path, HOME)
    await added(recording, tmp_path)
    assert catalogue.find_voice("منى").id == "mona"
    with pytest.raises(Conflict):
        await added(recording, tmp_path)
    remove_voice(tmp_path, "mona")
    assert [path.name for path in (tmp_path / "voices").iterdir()] == [".removed"]
    with pytest.raises(NotFound):
        catalogue.voice("mona")
    with pytest.raises(Conflict):
        await added(recording, tmp_path)


@pytest.mark.parametrize(("old", "error"), [("layla", Forbidden), ("nobody", NotFound), ("..", NotFound)])
def test_what_is_not_there_or_shipped_is_not_removed(tmp_path: Path, old: str, error: type[InputError]) -> None:
    with pytest.raises(error):
        remove_voice(tmp_path, old)
