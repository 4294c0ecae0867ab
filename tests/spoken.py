"""Recordings of speech, spoken by eSpeak."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from core.catalogue import Voice
from tests.recordings import KINDS
from worker.engines.tts.espeak.engine import SAMPLE_RATE, Espeak

Sound = NDArray[np.float32]

TEXTS = {
    "en": "Good morning and welcome. We are open from nine in the morning until five, every day except Friday.",
    "ar": "أهلا بك في عيادة الياسمين. نحن نعمل كل يوم من التاسعة صباحا حتى الخامسة مساء ما عدا يوم الجمعة.",
}


def spoken(engine: Espeak, language: str = "en", **settings: object) -> Sound:
    """At SAMPLE_RATE; settings: of [engines.espeak]."""
    voice = Voice("test", {}, Path(), {"espeak": settings})
    return np.concatenate([piece.samples for piece in engine.speak(TEXTS[language], language=language, voice=voice)])


def noisy(sound: Sound, snr_db: float) -> Sound:
    level = np.sqrt(np.square(sound).mean()) * 10 ** (-snr_db / 20)
    return (sound + np.random.default_rng(1).normal(0, level, sound.size)).astype(np.float32)


def alternating(one: Sound, other: Sound, turn_s: float = 1.0) -> Sound:
    """A conversation, three turns each."""
    turn = round(turn_s * SAMPLE_RATE)
    return np.concatenate([(one, other)[at % 2][at // 2 * turn : (at // 2 + 1) * turn] for at in range(6)])


def recorded(sound: Sound, path: Path) -> Path:
    """As its suffix says (tests.recordings.KINDS), at eSpeak's own rate where the codec can."""
    container_name, codec, rate = KINDS[path.suffix[1:]]
    with av.open(str(path), "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"  # type: ignore[union-attr]
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)  # type: ignore[union-attr]
        frame = AudioFrame.from_ndarray((sound.clip(-1, 1) * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        size = stream.codec_context.frame_size or 1024
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            fifo.write(part)
        while piece := fifo.read(size, partial=True):
            container.mux(stream.encode(piece))  # type: ignore[union-attr]
        container.mux(stream.encode(None))  # type: ignore[union-attr]
    return path
