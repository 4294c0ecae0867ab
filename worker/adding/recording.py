"""A recording from outside, decoded, checked and made the clip that models imitate."""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.decoding import decode_voice
from core.errors import AudioInvalid, VoiceInvalid
from worker.adding.band import cleaned, narrow
from worker.adding.listening import HOP_S, Heard, Sound, clipped, listen
from worker.adding.music import musical
from worker.adding.refused import Refused
from worker.adding.speakers import several

RATE = 24_000
"""Hertz of a reference, as CosyVoice 3 and VoxCPM2 take it."""
SECONDS = (3.0, 30.0)
GOOD_S = 8.0
"""Shorter speech than that makes a voice, but a less like one."""
CLIPPED = 0.002
CREST_DB = 8.0
"""Where a platform has encoded it again no sample stands at the limit any more, but speech four times too loud still
has its peaks 6 to 9 dB above its level, twenty times 4 to 6, and speech as it should be 14 to 16."""
QUIET_DB, NOISY_DB = -42.0, 20.0
"""The least level of speech, dBFS, and the least distance of it from the quietest moments: 96 of 100 recordings by
readers at home have more, and half of them 40."""
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
    "music": "music or another steady tone sounds in the recording: record speech alone, with nothing else on",
    "noisy": "there is too much noise behind the voice: record it in a quiet room",
    "little_speech": "there is too little speech in the recording: speak without long pauses",
    "several_speakers": "more than one person seems to speak: record one person alone",
    "no_consent": "a voice needs the consent of who speaks: who, when, and in which words",
    "other_speaker": "the voice's other recordings have a very different pitch: record the same person",
    "transcript_unfit": "the words don't fit the recording: write exactly what is said in it",
}
NOTES = ("narrow", "short")
"""What is told of a recording that will do (`voice-note-narrow` …): it has a telephone's narrow band, which models
imitate along with the voice; it is short."""
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
    found = await asyncio.to_thread(_studied, load(target))
    if isinstance(found, Refused):
        raise refuse(found.reason)
    return found


def _studied(raw: Sound) -> Recording | Refused:
    """What is below the voice is taken out first; what was clipped shows before that alone."""
    sound = cleaned(raw, RATE)
    heard = replace(listen(sound, RATE), clipped=clipped(raw))
    try:
        check(sound, heard)
    except Refused as refused:
        return refused
    odd = {"narrow": narrow(sound, RATE), "short": heard.spoken_s < GOOD_S}
    return Recording(sound, heard, tuple(note for note in NOTES if odd[note]))


def check(sound: Sound, heard: Heard) -> None:
    """Raises Refused: quiet, clipped, music, noisy, little_speech or several_speakers."""
    for reason in _faults(sound, heard):
        raise Refused(reason)


def _faults(sound: Sound, heard: Heard) -> Iterator[str]:
    """What costs most to tell comes last."""
    if heard.level < QUIET_DB:
        yield "quiet"
    if heard.clipped > CLIPPED:
        yield "clipped"
    if musical(sound, RATE, heard):
        yield "music"
    if heard.snr < NOISY_DB:
        yield "noisy"
    voiced = len(heard.voiced) / max(int(heard.speech.sum()), 1)
    if heard.spoken_s < max(SPOKEN_S, SPOKEN_SHARE * heard.seconds) or voiced < VOICED_SHARE:
        yield "little_speech"
    if heard.crest < CREST_DB:
        yield "clipped"
    if several(sound, RATE, heard):
        yield "several_speakers"


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
