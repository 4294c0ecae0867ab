"""A recording from outside, decoded, checked and made the clip that models imitate."""

from __future__ import annotations

import asyncio
import os
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.decoding import decode_voice
from core.errors import AudioInvalid, VoiceInvalid
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
    "other_speaker": "the voice's other recordings have a very different pitch: record the same person",
    "transcript_unfit": "the words don't fit the recording: write exactly what is said in it",
}
_DECODING = {"too_long": "too_long", "silent": "silent", "empty": "silent"}


@dataclass(frozen=True)
class Recording:
    """What was decoded, mono at RATE, and what it is like; notes: what is odd about it and does not forbid it."""

    sound: Sound
    heard: Heard
    notes: tuple[str, ...] = ()


def refuse(reason: str) -> VoiceInvalid:
    """The error for a reason of REASONS; `args_for_user["reason"]` tells it to programs."""
    return VoiceInvalid(REASONS[reason], message_id=f"error-voice-{reason.replace('_', '-')}", reason=reason)


async def read_recording(recording: Path, target: Path) -> Recording:
    """Decodes a recording of any kind that voice notes have, hostile, in a process with limits, and checks it.

    target: where the decoded sound is written, a WAV; its folder must exist. Raises VoiceInvalid (see REASONS),
    StorageError, and OSError where there is no such recording.
    """
    try:
        voice = await decode_voice(recording, target, limit_s=SECONDS[1], rate=RATE)
    except AudioInvalid as error:
        raise refuse(_DECODING.get(str(error.args_for_user.get("reason")), "unreadable")) from None
    if voice.seconds < SECONDS[0]:
        raise refuse("too_short")
    sound = load(target)
    heard = await asyncio.to_thread(listen, sound, RATE)
    try:
        check(heard)
    except Refused as refused:
        raise refuse(refused.reason) from None
    return Recording(sound, heard)


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


def load(path: Path) -> Sound:
    """A WAV of 16 bit, mono. Raises OSError, wave.Error."""
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return np.asarray(samples / 32768, np.float32)


def save(path: Path, sound: Sound) -> None:
    """A WAV of 16 bit at RATE, on the disk when this returns. Raises OSError."""
    with path.open("wb") as whole:
        with wave.open(whole, "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            file.writeframes((sound * 32767).round().astype(np.int16).tobytes())
        whole.flush()
        os.fsync(whole.fileno())
