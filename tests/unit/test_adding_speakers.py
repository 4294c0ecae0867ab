"""One person's recordings are one person's, and no music, however they speak."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import soxr

from core.settings import HOME
from tests.spoken import Sound, spoken
from worker.adding.listening import listen
from worker.adding.music import musical
from worker.adding.recording import RATE
from worker.adding.speakers import several
from worker.engines.tts.espeak.engine import SAMPLE_RATE, Espeak

CLIPS = sorted([*HOME.glob("voices/*/*.wav"), *(HOME / "tests" / "data" / "flite").glob("*.ogg")])
VARIANTS = ("m1", "f5", "klatt", "belinda", "zac")


@pytest.fixture(scope="module")
def engine() -> Iterator[Espeak]:
    engine = Espeak()
    engine.load()
    yield engine
    engine.unload()


def clip(path: Path) -> Sound:
    """At RATE."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = [part for frame in (*container.decode(audio=0), None) for part in resampler.resample(frame)]
    return np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float32)


def verdict(sound: Sound) -> tuple[bool, bool]:
    """Music, several speakers."""
    heard = listen(sound, RATE)
    return musical(sound, RATE, heard), several(sound, RATE, heard)


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_short_clip_is_one_person_s(path: Path) -> None:
    assert verdict(clip(path)) == (False, False)


@pytest.mark.parametrize("folder", ["layla", "omar", "sara"])
def test_a_speaker_of_two_languages_is_one_person(folder: str) -> None:
    both = [clip(path) for path in sorted((HOME / "voices" / folder).glob("*.wav"))]
    assert verdict(np.concatenate(both)) == (False, False)


@pytest.mark.parametrize("speaker", ["rms", "slt"])
def test_two_moods_of_one_speaker_are_one_person_s(speaker: str) -> None:
    calm = np.concatenate([clip(path) for path in CLIPS if path.name.startswith(speaker)])
    lively = soxr.resample(calm, 1.12, 1)
    assert verdict(np.concatenate([calm, lively])) == (False, False)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_lively_speaker_is_one_person(engine: Espeak, variant: str) -> None:
    settings = {"variant": variant, "range": 95, "rate": 150}
    parts = [spoken(engine, **settings, pitch=pitch) for pitch in (45, 55)]
    assert verdict(soxr.resample(np.concatenate(parts), SAMPLE_RATE, RATE).astype(np.float32)) == (False, False)


@pytest.mark.parametrize("pair", [("rms", "slt"), ("awb", "slt")])
def test_a_man_and_a_woman_in_turns_are_two(pair: tuple[str, str]) -> None:
    lines = [[clip(path) for path in CLIPS if path.name.startswith(each)] for each in pair]
    turns = [sound for both in zip(*lines, strict=False) for sound in both]
    assert verdict(np.concatenate(turns))[1]
