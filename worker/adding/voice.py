"""A new voice from one recording, and its removal.

folder = await add_voice(recording, voice_id="mona", name={"ar": "منى", "en": "Mona"}, root=settings.data_dir,
                         consent={"who": "Mona K.", "when": "2026-11-22T10:00:00Z", "words": "I agree …"})
"""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.catalogue import ANY, Localised
from core.decoding import decode_voice
from core.errors import AudioInvalid, VoiceInvalid
from core.naming import checked_name
from core.storage import storage_errors
from worker.adding.folder import adding, remove, write_toml
from worker.adding.formant import fitted
from worker.adding.listening import HOP_S, Heard, Sound, listen
from worker.adding.refused import Refused
from worker.adding.speakers import several

RATE = 24_000
"""Hertz of a reference, as CosyVoice 3 and VoxCPM2 take it."""
SECONDS = (3.0, 30.0)
CLIPPED = 0.002
QUIET_DB, NOISY_DB = -42.0, 16.0
"""The least level of speech, dBFS, and the least distance of it from the noise."""
SPOKEN_S, SPOKEN_SHARE, VOICED_SHARE = 2.0, 0.35, 0.2
"""The least speech, its least share of the recording, and the least share of voiced sounds in it (speech has half)."""
REFERENCE_DB, PEAK = -20.0, 0.9
"""The reference's level while speaking, as the engines' own output has, and its highest peak."""
MARGIN_S = 0.15
"""What is left before the first word and after the last."""
FADE_S = 0.02
CONSENT = ("who", "when", "words")

REASONS = {
    "unreadable": "the recording can't be opened or broke off: record it again",
    "too_short": "the recording is too short: at least 3 seconds, best 10 to 20",
    "too_long": "the recording is too long: at most 30 seconds",
    "silent": "nothing can be heard in the recording",
    "quiet": "the voice is too quiet: speak closer to the microphone",
    "clipped": "the voice is overdriven: speak farther from the microphone",
    "noisy": "there is too much noise behind the voice: record it in a quiet room",
    "little_speech": "there is too little speech in the recording: speak without long pauses",
    "several_speakers": "more than one person seems to speak: record one person alone",
    "no_consent": "a voice needs the consent of who speaks: who, when, and in which words",
}
_DECODING = {"too_long": "too_long", "silent": "silent", "empty": "silent"}


@dataclass(frozen=True)
class Quality:
    """Seconds of recording and of speech in it, dBFS of speech, dB above the noise, and its median pitch in hertz."""

    seconds: float
    spoken_s: float
    level: float
    snr: float
    pitch: float


def refuse(reason: str) -> VoiceInvalid:
    """The error for a reason of REASONS; `args_for_user["reason"]` tells it to programs."""
    return VoiceInvalid(REASONS[reason], message_id=f"error-voice-{reason.replace('_', '-')}", reason=reason)


async def check_recording(recording: Path, scratch: Path) -> Quality:
    """What add_voice would say of it; scratch: an existing folder for the decoded sound, which is deleted again.

    Raises VoiceInvalid, StorageError.
    """
    target = scratch / f"{recording.name}.checked.wav"
    try:
        _, heard = await _heard(recording, target)
    finally:
        target.unlink(missing_ok=True)
    pitch = float(np.median(heard.voiced))
    return Quality(heard.seconds, heard.spoken_s, heard.level, heard.snr, pitch)


async def add_voice(
    recording: Path, *, voice_id: str, name: Localised, root: Path, consent: Mapping[str, str], added_by: str = ""
) -> Path:
    """Writes root/voices/voice_id, whole or not at all: reference.wav (mono, 24 kHz, trimmed, at -20 dBFS) and
    voice.toml with the settings of CosyVoice, VoxCPM and, fitted to the speaker's pitch and pace, of eSpeak.

    recording: any kind that voice notes have, hostile: it is decoded in a process with limits. consent: who agreed,
    when and in which words; kept in voice.toml. Raises VoiceInvalid (see REASONS), InputError for a wrong name or
    id, Conflict for an id that is or was in use, StorageError, and OSError where there is no such recording.
    """
    names = checked_name(name)
    if not all(consent.get(key, "").strip() for key in CONSENT):
        raise refuse("no_consent")
    with adding(root, "voices", voice_id) as draft:
        target = draft / "reference.wav"
        sound, heard = await _heard(recording, target)
        with storage_errors():
            _save(target, await asyncio.to_thread(reference, sound, heard))
            _describe(draft, names, consent, added_by, heard)
    return root / "voices" / voice_id


def remove_voice(root: Path, voice_id: str) -> None:
    """Deletes it from root/voices. Raises NotFound, Forbidden for a shipped one, StorageError."""
    remove(root, "voices", voice_id)


async def _heard(recording: Path, target: Path) -> tuple[Sound, Heard]:
    """The decoded sound and what it is like. Raises VoiceInvalid."""
    try:
        voice = await decode_voice(recording, target, limit_s=SECONDS[1], rate=RATE)
    except AudioInvalid as error:
        raise refuse(_DECODING.get(str(error.args_for_user.get("reason")), "unreadable")) from None
    if voice.seconds < SECONDS[0]:
        raise refuse("too_short")
    sound = _load(target)
    heard = await asyncio.to_thread(listen, sound, RATE)
    try:
        check(heard)
    except Refused as refused:
        raise refuse(refused.reason) from None
    return sound, heard


def check(heard: Heard) -> None:
    """Raises Refused: quiet, clipped, noisy, little_speech or several_speakers."""
    voiced = len(heard.voiced) / max(int(heard.speech.sum()), 1)
    little = heard.spoken_s < max(SPOKEN_S, SPOKEN_SHARE * heard.seconds) or voiced < VOICED_SHARE
    for reason, wrong in (
        ("quiet", heard.level < QUIET_DB),
        ("clipped", heard.clipped > CLIPPED),
        ("noisy", heard.snr < NOISY_DB),
        ("little_speech", little),
        ("several_speakers", several(heard)),
    ):
        if wrong:
            raise Refused(reason)


def reference(sound: Sound, heard: Heard) -> Sound:
    """The speech with a little room about it, at REFERENCE_DB as far as its peaks allow, faded at its ends."""
    spoken = np.flatnonzero(heard.speech) * HOP_S
    first, last = max(spoken[0] - MARGIN_S, 0), spoken[-1] + MARGIN_S
    cut = sound[round(first * RATE) : round(last * RATE)].copy()
    gain = 10 ** ((REFERENCE_DB - heard.level) / 20)
    cut *= min(gain, PEAK / max(float(np.abs(cut).max()), 1e-6))
    ramp = np.linspace(0, 1, round(FADE_S * RATE), dtype=np.float32)
    cut[: len(ramp)] *= ramp
    cut[-len(ramp) :] *= ramp[::-1]
    return np.asarray(cut, np.float32)


def _load(path: Path) -> Sound:
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return np.asarray(samples / 32768, np.float32)


def _save(path: Path, sound: Sound) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound * 32767).round().astype(np.int16).tobytes())


def _describe(draft: Path, names: dict[str, str], consent: Mapping[str, str], added_by: str, heard: Heard) -> None:
    write_toml(
        draft / "voice.toml",
        {
            "": {"name": names, "licence": "private", "added_by": added_by},
            "consent": {key: consent[key].strip() for key in CONSENT},
            f"references.{ANY}": {"clip": "reference.wav"},
            "engines.espeak": fitted(heard),
            "engines.cosyvoice": {"speed": 1.0},
            "engines.voxcpm": {},
        },
    )
