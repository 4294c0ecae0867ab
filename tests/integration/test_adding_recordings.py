"""More recordings of a voice that was added, their languages and words, and what is left of them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soxr

from core.catalogue import Catalogue, Reference
from core.errors import Forbidden, NotFound, SmartTalkerError, VoiceInvalid
from core.settings import HOME
from tests.spoken import TEXTS, Sound, recorded, spoken
from worker.adding import described
from worker.adding.folder import DRAFT, STALE_S
from worker.adding.tidying import Tidier, tidy
from worker.adding.voice import Added, add_reference, add_voice, remove_voice, tell_words
from worker.engines.tts.espeak.engine import Espeak

NAME = {"ar": "منى", "en": "Mona"}
CONSENT = {"who": "Mona K.", "when": "2026-11-22T10:00:00+00:00", "words": "yes"}
ENGLISH = CONSENT | {"words": "yes again"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Espeak]:
    engine = Espeak()
    engine.load()
    yield engine
    engine.unload()


@pytest.fixture(scope="module")
def clips(engine: Espeak, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A woman's, the same person's a little higher, and a man's."""
    folder = tmp_path_factory.mktemp("clips")
    sounds: dict[str, Sound] = {"woman": spoken(engine, variant="f2")}
    sounds["higher"] = soxr.resample(sounds["woman"], 1.1, 1)
    sounds["man"] = spoken(engine, variant="m7", pitch=30)
    return {name: recorded(sound, folder / f"{name}.wav") for name, sound in sounds.items()}


async def added(clip: Path, root: Path, **said: Any) -> Added:
    return await add_voice(clip, voice_id="mona", name=NAME, root=root, consent=CONSENT, **said)


async def more(clip: Path, root: Path, new: str = "mona", **said: Any) -> Added:
    return await add_reference(clip, voice_id=new, root=root, consent=ENGLISH, **said)


@pytest.mark.parametrize(
    ("said", "language", "words"),
    [
        ({}, "und", None),
        ({"language": "en"}, "en", None),
        ({"language": "EN-gb", "transcript": f"  {TEXTS['en']}\n\x07 "}, "en", TEXTS["en"]),
        ({"transcript": TEXTS["en"]}, "und", TEXTS["en"]),
        ({"transcript": TEXTS["ar"]}, "ar", TEXTS["ar"]),
        ({"language": " ", "transcript": "\u202e \u0000"}, "und", None),
    ],
)
async def test_what_is_said_is_kept_with_the_recording(
    tmp_path: Path, clips: dict[str, Path], said: dict[str, str], language: str, words: str | None
) -> None:
    made = await added(clips["woman"], tmp_path, **said)
    assert (made.language, made.transcript) == (language, words)
    reference = Reference(made.clip, language, words)
    assert Catalogue(tmp_path).voice("mona").references == {language: reference}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"language": "arabic"}, "language"),
        ({"language": "../en"}, "language"),
        ({"language": "a\nb"}, "language"),
        ({"language": "٢٢"}, "language"),
        ({"language": "en", "transcript": "word " * 121}, "transcript"),
        ({"language": "en", "transcript": "12 34 !!"}, "transcript"),
        ({"language": "en", "transcript": "Yes."}, "transcript_unfit"),
        ({"language": "en", "transcript": "We are open from nine until five. " * 14}, "transcript_unfit"),
        ({"language": "ar", "transcript": TEXTS["en"]}, "transcript_unfit"),
    ],
)
async def test_words_that_can_t_be_the_recording_s_are_refused(
    tmp_path: Path, clips: dict[str, Path], said: dict[str, str], reason: str
) -> None:
    with pytest.raises(VoiceInvalid) as caught:
        await added(clips["woman"], tmp_path, **said)
    assert caught.value.args_for_user == {"reason": reason}
    assert caught.value.user_message_id == f"error-voice-{reason.replace('_', '-')}"
    assert not list(tmp_path.glob("voices/*"))


async def test_a_second_recording_speaks_another_language(tmp_path: Path, clips: dict[str, Path]) -> None:
    first = await added(clips["woman"], tmp_path, language="ar")
    catalogue = Catalogue(tmp_path, HOME)
    assert catalogue.voice("mona").reference("en") == Reference(first.clip, "ar")
    second = await more(clips["higher"], tmp_path, language="en", transcript=TEXTS["en"], added_by="api")
    voice = catalogue.voice("mona")
    assert voice.reference("ar") == Reference(first.clip, "ar")
    assert voice.reference("en") == Reference(second.clip, "en", TEXTS["en"])
    entries = described.read(voice.folder)["references"]
    assert (entries["ar"]["consent"], entries["en"]["consent"]) == (CONSENT, ENGLISH)
    assert entries["en"]["added_by"] == "api"
    assert voice.name == NAME
    assert set(voice.engines) == {"espeak", "cosyvoice", "voxcpm"}


async def test_a_recording_of_the_same_language_takes_the_place(tmp_path: Path, clips: dict[str, Path]) -> None:
    first = await added(clips["woman"], tmp_path, language="en", transcript=TEXTS["en"])
    os.utime(first.clip, (1, 1))
    second = await more(clips["higher"], tmp_path, language="en")
    assert Catalogue(tmp_path).voice("mona").references == {"en": Reference(second.clip, "en")}
    # A sentence that is being spoken may still need the one before; later it goes.
    assert first.clip.is_file()
    long_ago = time.time() - described.GRACE_S - 1
    for path in first.folder.iterdir():
        os.utime(path, (long_ago, long_ago))
    tidy(tmp_path)
    assert sorted(first.folder.iterdir()) == [second.clip, first.folder / "voice.toml"]


async def test_a_voice_can_be_spoken_with_at_every_moment(tmp_path: Path, clips: dict[str, Path]) -> None:
    await added(clips["woman"], tmp_path, language="en", transcript=TEXTS["en"])
    task, looks = asyncio.create_task(more(clips["higher"], tmp_path, language="en", transcript=TEXTS["en"])), 0
    while not task.done():
        reference = Catalogue(tmp_path).voice("mona").reference("en")
        assert reference is not None
        assert reference.clip.is_file()
        assert reference.transcript == TEXTS["en"]
        looks += 1
        await asyncio.sleep(0)
    await task
    assert looks > 10


@pytest.mark.parametrize(
    ("new", "clip", "error", "sentence"),
    [
        ("mona", "man", VoiceInvalid, "error-voice-other-speaker"),
        ("layla", "woman", Forbidden, "error-voice-shipped-recording"),
        ("nobody", "woman", NotFound, "error-no-voice"),
        ("../mona", "woman", NotFound, "error-no-voice"),
    ],
)
async def test_not_every_recording_becomes_one_more(
    tmp_path: Path, clips: dict[str, Path], new: str, clip: str, error: type[SmartTalkerError], sentence: str
) -> None:
    made = await added(clips["woman"], tmp_path, language="ar")
    before = (made.folder / "voice.toml").read_bytes()
    with pytest.raises(error) as caught:
        await more(clips[clip], tmp_path, new, language="en")
    assert caught.value.user_message_id == sentence
    assert (made.folder / "voice.toml").read_bytes() == before
    assert [path.name for path in (tmp_path / "voices").iterdir()] == ["mona"]


@pytest.mark.parametrize("known", [None, "en"])
async def test_words_that_are_heard_later_are_told_then(
    tmp_path: Path, clips: dict[str, Path], known: str | None
) -> None:
    first = await added(clips["woman"], tmp_path, language="ar")
    second = await more(clips["higher"], tmp_path, language=known)
    tell_words(tmp_path, "mona", second.clip.name, language="en", transcript=TEXTS["en"])
    found = Catalogue(tmp_path).voice("mona").references
    assert found == {"ar": Reference(first.clip, "ar"), "en": Reference(second.clip, "en", TEXTS["en"])}
    assert described.read(first.folder)["references"]["en"]["consent"] == ENGLISH
    with pytest.raises(NotFound):
        tell_words(tmp_path, "mona", "reference-0.wav", language="en", transcript="x")


OLD = """name = { ar = "منى", en = "Mona" }
licence = "private"
added_by = "telegram:7"

[consent]
who = "Mona K."
when = "2026-11-22T10:00:00+00:00"
words = "yes"

[engines.espeak]
variant = "f4"
rate = 150
pitch = 40
range = 40

[engines.cosyvoice]
languages = ["en", "zh"]
reference = "reference.wav"
speed = 1.0

[engines.voxcpm]
languages = ["ar", "en"]
reference = "reference.wav"
"""
"""A voice from when voices had one recording, told by the engines' settings."""


async def test_a_voice_from_before_is_usable_and_takes_more_recordings(tmp_path: Path, clips: dict[str, Path]) -> None:
    folder = tmp_path / "voices" / "mona"
    folder.mkdir(parents=True)
    (folder / "voice.toml").write_text(OLD, encoding="utf-8")
    (folder / "reference.wav").write_bytes(clips["woman"].read_bytes())
    catalogue = Catalogue(tmp_path)
    assert catalogue.voice("mona").reference("ar") == Reference(folder / "reference.wav", "und")
    tidy(tmp_path)
    second = await more(clips["higher"], tmp_path, language="en")
    voice = catalogue.voice("mona")
    assert voice.reference("en") == Reference(second.clip, "en")
    assert voice.reference("ar") == Reference(folder / "reference.wav", "und")
    assert described.read(folder)["references"]["und"] == {"clip": "reference.wav", "consent": CONSENT}
    assert voice.engines["espeak"]["rate"] == 150
    tell_words(tmp_path, "mona", "reference.wav", language="ar", transcript=TEXTS["ar"])
    assert catalogue.voice("mona").reference("ar") == Reference(folder / "reference.wav", "ar", TEXTS["ar"])


async def test_removal_leaves_nothing_of_any_recording(tmp_path: Path, clips: dict[str, Path]) -> None:
    first = await added(clips["woman"], tmp_path, language="ar")
    await more(clips["higher"], tmp_path, language="en", transcript=TEXTS["en"])
    for owner in ("mona", "monas"):
        draft = tmp_path / "voices" / f"{DRAFT}{owner}.0123"
        draft.mkdir()
        (draft / "reference-0.wav").write_bytes(first.clip.read_bytes())
    remove_voice(tmp_path, "mona")
    assert sorted(path.name for path in (tmp_path / "voices").iterdir()) == [f"{DRAFT}monas.0123", ".removed"]
    (tmp_path / "voices" / f"{DRAFT}mona.4567").mkdir()
    with pytest.raises(NotFound):
        remove_voice(tmp_path, "mona")
    assert not list((tmp_path / "voices").glob(f"{DRAFT}mona.*"))


@pytest.mark.parametrize(("age_s", "left"), [(STALE_S - 60, True), (STALE_S + 60, False)])
async def test_what_died_half_made_goes_after_a_day(tmp_path: Path, age_s: float, left: bool) -> None:
    drafts = [tmp_path / kind / f"{DRAFT}mona.01" for kind in ("avatars", "voices")]
    for draft in drafts:
        draft.mkdir(parents=True)
        os.utime(draft, (time.time() - age_s,) * 2)
    (tmp_path / "voices" / "broken").mkdir()
    (tmp_path / "voices" / "broken" / "voice.toml").write_text("= wrong")
    await Tidier(tmp_path).reconcile()
    assert [draft.exists() for draft in drafts] == [left, left]
