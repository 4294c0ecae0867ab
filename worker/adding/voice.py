"""A new voice from one recording, more recordings of it, and its removal.

made = await add_voice(recording, voice_id="mona", name={"ar": "منى", "en": "Mona"}, root=settings.data_dir,
                       consent={"who": "Mona K.", "when": "2026-11-22T10:00:00Z", "words": "I agree …"})
await add_reference(english, voice_id="mona", root=settings.data_dir, consent={…}, language="en")
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.catalogue import Localised
from core.errors import NotFound
from core.naming import checked_name
from core.storage import storage_errors
from core.wording import checked_language, checked_words
from worker.adding import described, words
from worker.adding.folder import added, adding, drafting, locked, remove, write_whole
from worker.adding.formant import fitted
from worker.adding.recording import Recording, read_recording, reference, refuse, save
from worker.adding.resembling import check_same

KIND = "voices"


@dataclass(frozen=True)
class Quality:
    """Seconds of recording and of speech in it, dBFS of speech, dB above the noise, and its median pitch in hertz."""

    seconds: float
    spoken_s: float
    level: float
    snr: float
    pitch: float


@dataclass(frozen=True)
class Added:
    """A recording that is part of a voice now. clip: its WAV file in the voice's folder. language: "und" where nobody
    told. notes: keys of `recording.NOTES`: what is odd about it."""

    folder: Path
    clip: Path
    language: str
    transcript: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Told:
    """What people say of a recording, checked."""

    consent: dict[str, str]
    added_by: str
    language: str
    transcript: str | None


async def check_recording(recording: Path, scratch: Path) -> Quality:
    """What add_voice would say of it; scratch: an existing folder for the decoded sound, which is deleted again.

    Raises VoiceInvalid, StorageError.
    """
    target = scratch / f"{recording.name}.checked.wav"
    try:
        heard = (await read_recording(recording, target)).heard
    finally:
        target.unlink(missing_ok=True)
    pitch = float(np.median(heard.voiced))
    return Quality(heard.seconds, heard.spoken_s, heard.level, heard.snr, pitch)


async def add_voice(
    recording: Path,
    *,
    voice_id: str,
    name: Localised,
    root: Path,
    consent: Mapping[str, str],
    added_by: str = "",
    language: str | None = None,
    transcript: str | None = None,
) -> Added:
    """Writes root/voices/voice_id, whole or not at all: the clip (mono, 24 kHz, trimmed, at -20 dBFS), its transcript
    and voice.toml with the settings of CosyVoice, VoxCPM and, fitted to the speaker's pitch and pace, of eSpeak.

    recording: any kind that voice notes have, hostile: it is decoded in a process with limits. consent: who agreed,
    when and in which words; kept in voice.toml. language, transcript: what is said in the recording, where known.
    Raises VoiceInvalid (see recording.REASONS), InputError for a wrong name or id, Conflict for an id that is or was in
    use, StorageError, and OSError where there is no such recording.
    """
    names, told = checked_name(name), _told(consent, added_by, language, transcript)
    with adding(root, KIND, voice_id) as draft:
        heard, entry = await _made(recording, draft, told)
        engines = {"espeak": fitted(heard.heard), "cosyvoice": {"speed": 1.0}, "voxcpm": {}}
        table = {"name": names, "licence": "private", "added_by": added_by, "references": {}, "engines": engines}
        described.put(draft, table, told.language, entry)
        described.write(draft, table)
    return _result(root / KIND / voice_id, told, entry, heard)


async def add_reference(
    recording: Path,
    *,
    voice_id: str,
    root: Path,
    consent: Mapping[str, str],
    added_by: str = "",
    language: str | None = None,
    transcript: str | None = None,
) -> Added:
    """One more recording of an added voice; one of the same language takes the place of the one before.

    The voice can be spoken with at every moment: voice.toml changes at once, when all else is there. Raises as
    add_voice; NotFound, Forbidden for a shipped voice.
    """
    folder = added(root, KIND, voice_id, shipped="error-voice-shipped-recording")
    told = _told(consent, added_by, language, transcript)
    with drafting(folder) as draft:
        heard, entry = await _made(recording, draft, told)
        await asyncio.to_thread(check_same, heard.heard, folder)
        with locked(folder.parent), storage_errors():
            table = described.read(added(root, KIND, voice_id, shipped="error-voice-shipped-recording"))
            for name in (entry[key] for key in ("clip", "transcript") if key in entry):
                (draft / name).rename(folder / name)
            described.put(folder, table, told.language, entry)
            described.write(folder, table)
            described.tidy(folder)
    return _result(folder, told, entry, heard)


def tell_words(root: Path, voice_id: str, clip: str, *, language: str, transcript: str | None) -> None:
    """What is said in a recording of an added voice whose language nobody knew. clip: its file's name.

    A recording that the voice has in this language already gives way. Raises VoiceInvalid for words or a language that
    are none, NotFound where voice or clip are no longer there, StorageError.
    """
    known, said = checked_language(language), checked_words(transcript)
    folder = added(root, KIND, voice_id, shipped="error-voice-shipped-recording")
    with locked(folder.parent), storage_errors():
        table = described.read(added(root, KIND, voice_id, shipped="error-voice-shipped-recording"))
        before = next((key for key, entry in table["references"].items() if entry["clip"] == clip), None)
        if before is None:
            raise NotFound(f"the voice {voice_id} has no recording {clip}", message_id="error-no-voice")
        entry = table["references"].pop(before)
        described.put(folder, table, known, entry | _written(folder, clip, said))
        described.write(folder, table)


def recording_of(root: Path, voice_id: str, consent: Mapping[str, str]) -> Added | None:
    """The voice's recording that was agreed to so: what was begun twice is done once. None where there is none."""
    try:
        folder = added(root, KIND, voice_id, shipped="error-voice-shipped-recording")
    except NotFound:
        return None
    wanted = {key: consent[key].strip() for key in described.CONSENT}
    for language, entry in described.read(folder)["references"].items():
        if entry.get("consent") == wanted:
            said = (folder / entry["transcript"]).read_text(encoding="utf-8").strip() if "transcript" in entry else None
            return Added(folder, folder / entry["clip"], language, said, tuple(entry.get("notes", ())))
    return None


def remove_voice(root: Path, voice_id: str) -> None:
    """Deletes it from root/voices, with what is left of attempts to add to it. Raises NotFound, Forbidden for a shipped
    one, StorageError."""
    remove(root, KIND, voice_id)


def _told(consent: Mapping[str, str], added_by: str, language: str | None, transcript: str | None) -> _Told:
    """Raises VoiceInvalid."""
    if not all(consent.get(key, "").strip() for key in described.CONSENT):
        raise refuse("no_consent")
    agreed = {key: consent[key].strip() for key in described.CONSENT}
    said, known = checked_words(transcript), checked_language(language)
    return _Told(agreed, added_by, known if said is None else words.language_of(said, known), said)


async def _made(recording: Path, draft: Path, told: _Told) -> tuple[Recording, dict[str, Any]]:
    """Clip and transcript in the draft's folder, and their entry in voice.toml. Raises VoiceInvalid, StorageError."""
    clip = described.clip_name()
    heard = await read_recording(recording, draft / clip)
    if told.transcript is not None:
        words.check_fit(told.transcript, told.language, heard.heard.spoken_s)
    with storage_errors():
        save(draft / clip, await asyncio.to_thread(reference, heard.sound, heard.heard))
        entry: dict[str, Any] = {"clip": clip, **_written(draft, clip, told.transcript), "added_by": told.added_by}
    return heard, entry | {"notes": list(heard.notes), "consent": told.consent}


def _written(folder: Path, clip: str, transcript: str | None) -> dict[str, str]:
    """The transcript's file and key; nothing where nobody knows the words."""
    if transcript is None:
        return {}
    name = described.transcript_name(clip)
    write_whole(folder / name, f"{transcript}\n")
    return {"transcript": name}


def _result(folder: Path, told: _Told, entry: Mapping[str, Any], heard: Recording) -> Added:
    return Added(folder, folder / entry["clip"], told.language, told.transcript, heard.notes)
