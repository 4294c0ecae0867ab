"""The process that decodes one recording: `python -m core.decoder SOURCE TARGET LIMIT_S RATE`, started by
core.decoding.

It confines itself before it opens anything, knows only the containers and codecs below, and opens no other file and no
network (a playlist can't make it read what it should not). It prints one JSON object, {"seconds", "rms_db", "peak_db"}
or {"reason"}, and imports next to nothing of this project, so that it starts fast.
"""

from __future__ import annotations

import json
import math
import struct
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import DecoderNotFoundError, FFmpegError

from core.confining import Limits, confine

PADDING_S = 0.5
"""What codecs may add to a recording of exactly the longest length."""
CONTAINERS = "ogg,mp3,mov,mp4,m4a,3gp,3g2,wav,w64,matroska,webm,flac,amr,aac"
CODECS = "opus,libopus,vorbis,mp3,mp3float,aac,aac_latm,flac,alac,amrnb,amrwb,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le"
CODECS += ",pcm_f32le,pcm_f64le,pcm_u8,pcm_alaw,pcm_mulaw"
LIMITS = Limits(memory=512 << 20, cpu_s=20, wall_s=40, file=32 << 20, files=32)
"""Five minutes of any kind take 220 MB of address space, 50 MB of them in memory, and about a second."""
RATES = (4_000, 384_000)
"""Hertz; the memory of a resampler grows with its ratio, and none of our recorders is outside."""
SHORTEST_S = 0.2
STREAMED = 0x7FFF0000
"""WAV sizes from here on are written by recorders that did not know the length beforehand."""
SILENCE_DB = -50.0
"""A peak below it is no speech: the noise of a muted phone microphone lies around −70 dBFS."""
MISSING_S, MISSING_SHARE = 0.25, 0.05
"""A recording lacks its end when more than both are missing of what its container declares (padding is less)."""


class Refused(Exception):
    """Its argument is the reason."""


def decode(source: Path, target: Path, limit_s: float, rate: int) -> dict[str, float]:
    """Raises Refused, and OSError where the target can't be written."""
    torn = ends_in_a_torn_page(source)
    try:
        container = av.open(
            f"file:{source}",
            options={"protocol_whitelist": "file", "format_whitelist": CONTAINERS, "codec_whitelist": CODECS},
        )
    except FFmpegError:
        raise Refused("truncated" if torn or looks_like_mp4(source) else "not_audio") from None
    with container:
        stream = audio_stream(container)
        declared = max(declared_seconds(container, stream), wav_seconds(source))
        loudness, damaged = write(container, stream, target, limit_s, rate)
    seconds = loudness.samples / rate
    missing = declared - seconds
    if torn or (missing > MISSING_S and missing > MISSING_SHARE * declared):
        raise Refused("truncated")
    if seconds < SHORTEST_S:
        raise Refused("truncated" if damaged or loudness.samples or declared else "empty")
    if loudness.peak_db < SILENCE_DB:
        raise Refused("silent")
    return {"seconds": seconds, "rms_db": loudness.rms_db, "peak_db": loudness.peak_db}


def audio_stream(container: InputContainer) -> AudioStream:
    """The first stream of sound; raises Refused."""
    if not container.streams.audio:
        raise Refused("not_audio")
    stream = container.streams.audio[0]
    try:
        known = stream.codec_context.codec.name in CODECS.split(",")
    except (DecoderNotFoundError, AttributeError):
        known = False
    if not known:
        raise Refused("unknown_codec")
    return stream


def declared_seconds(container: InputContainer, stream: AudioStream) -> float:
    """0 where the container says nothing."""
    own = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    whole = container.duration / av.time_base if container.duration and len(container.streams) == 1 else 0.0
    return max(own, whole, 0.0)


class Loudness:
    """Sums up 16-bit samples."""

    def __init__(self) -> None:
        self.samples = 0
        self._squares = 0.0
        self._peak = 0

    def add(self, samples: np.ndarray) -> None:
        wide = samples.astype(np.int32)
        self.samples += wide.size
        self._squares += float(np.dot(wide.astype(np.float64), wide))
        self._peak = max(self._peak, int(np.abs(wide).max(initial=0)))

    @property
    def rms_db(self) -> float:
        return decibels(math.sqrt(self._squares / self.samples) if self.samples else 0.0)

    @property
    def peak_db(self) -> float:
        return decibels(self._peak)


def decibels(amplitude: float) -> float:
    """dBFS of an amplitude of 16-bit samples; −120 for silence."""
    return max(-120.0, 20 * math.log10(amplitude / 32768)) if amplitude else -120.0


def write(
    container: InputContainer, stream: AudioStream, target: Path, limit_s: float, rate: int
) -> tuple[Loudness, bool]:
    """Writes the WAV; True where packets were damaged. Raises Refused as soon as it is too long."""
    loudness, damage = Loudness(), Damage()
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        for samples in resampled(bounded(frames(container, stream, damage), limit_s), rate):
            loudness.add(samples)
            if loudness.samples > (limit_s + PADDING_S) * rate:
                raise Refused("too_long")
            file.writeframes(samples.tobytes())
    return loudness, damage.packets > 0


class Damage:
    """Counts packets that could not be decoded."""

    packets = 0


def frames(container: InputContainer, stream: AudioStream, damage: Damage) -> Iterator[AudioFrame]:
    """The stream's frames; a damaged packet is left out, a broken container ends it."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except FFmpegError:
            damage.packets += 1
            return
        try:
            yield from packet.decode()
        except FFmpegError:
            damage.packets += 1


def bounded(source: Iterator[AudioFrame], limit_s: float) -> Iterator[AudioFrame]:
    """Raises Refused for a rate that none of ours has, and too_long before a single frame becomes too much sound."""
    for frame in source:
        if not RATES[0] <= frame.sample_rate <= RATES[1]:
            raise Refused("not_audio")
        if frame.samples > (limit_s + PADDING_S) * frame.sample_rate:
            raise Refused("too_long")
        yield frame


def resampled(source: Iterator[AudioFrame], rate: int) -> Iterator[np.ndarray]:
    """Mono at `rate`; a stream that changes its rate or layout in the middle starts a new resampler."""
    resampler, kind = None, None
    for frame in source:
        if kind != (frame.format.name, frame.layout.name, frame.sample_rate):
            yield from drained(resampler)
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            resampler = AudioResampler(format="s16", layout="mono", rate=rate)
        assert resampler is not None
        frame.pts = None
        yield from (each.to_ndarray().reshape(-1) for each in resampler.resample(frame))
    yield from drained(resampler)


def drained(resampler: AudioResampler | None) -> Iterator[np.ndarray]:
    if resampler is not None:
        yield from (each.to_ndarray().reshape(-1) for each in resampler.resample(None))


def ends_in_a_torn_page(path: Path) -> bool:
    """Ogg (RFC 3533) declares no length, but each page its own: a file that ends inside a page was cut."""
    size = path.stat().st_size
    position = 0
    with path.open("rb") as file:
        while position < size:
            file.seek(position)
            header = file.read(27)
            if header[:4] != b"OggS"[: len(header)]:
                return False
            lacing = file.read(header[26]) if len(header) == 27 else b""
            if len(header) < 27 or len(lacing) < header[26]:
                return True
            position += 27 + len(lacing) + sum(lacing)
    return position > size


def wav_seconds(path: Path) -> float:
    """What a RIFF/WAVE header declares, which libavformat cuts down to the file's size; 0 for one that says nothing."""
    byte_rate, position = 0, 12
    with path.open("rb") as file:
        start = file.read(12)
        while start[:4] == b"RIFF" and start[8:] == b"WAVE" and position < 1 << 20:
            file.seek(position)
            chunk = file.read(24)
            if len(chunk) < 8:
                break
            size = struct.unpack("<I", chunk[4:8])[0]
            if chunk[:4] == b"fmt " and len(chunk) == 24:
                byte_rate = struct.unpack("<I", chunk[16:20])[0]
            if chunk[:4] == b"data":
                return size / byte_rate if byte_rate and size < STREAMED else 0.0
            position += 8 + size + size % 2
    return 0.0


def looks_like_mp4(path: Path) -> bool:
    """An MP4 whose index lies at its end can't be opened when that end is missing."""
    with path.open("rb") as file:
        start = file.read(12)
    return len(start) == 12 and start[4:8] == b"ftyp" and 8 <= struct.unpack(">I", start[:4])[0] <= 4096


def main(source: str, target: str, limit_s: str, rate: str) -> int:
    confine(LIMITS)
    av.logging.set_level(None)
    try:
        answer: dict[str, object] = dict(decode(Path(source), Path(target), float(limit_s), int(rate)))
    except Refused as refused:
        answer = {"reason": str(refused)}
    except (FFmpegError, MemoryError, ValueError, ArithmeticError):
        answer = {"reason": "not_audio"}
    except OSError:
        answer = {"reason": "storage"}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
