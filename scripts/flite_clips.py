"""Makes tests/data/flite: English clips of a second synthesiser, with the times of their phonemes.

    .venv/bin/python scripts/flite_clips.py

It needs `flite` on the PATH (Debian's package of that name). The tests need only what it wrote.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import wave
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

TARGET = Path(__file__).parents[1] / "tests" / "data" / "flite"
BITS = 32_000
"""A second of Opus."""

SENTENCES = (
    ("rms", "The big brown map of Paris may be a poor bargain, but my brother bought five of them."),
    ("rms", "Please remember to bring your passport before the appointment tomorrow afternoon."),
    ("slt", "Welcome! My name is Emma, and I would be happy to help you with your problem."),
    ("slt", "The bus number seven stops in front of the museum, and it comes every ten minutes."),
    ("slt", "Perhaps we could move the meeting from Monday to a warm Wednesday in September."),
    ("awb", "A simple map above the lamp shows both beaches, the pub and the farm by the pump."),
    ("awb", "Good morning! We open at eight, and the doctor will be here for you until five."),
)
"""Voice and text; the voices are flite's own, recorded by people who gave them for this."""

IPA = {
    **{"aa": "ɑː", "ae": "æ", "ah": "ʌ", "ao": "ɔː", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "eh": "ɛ"},
    **{"er": "ɜː", "ey": "eɪ", "ih": "ɪ", "iy": "iː", "ow": "oʊ", "oy": "ɔɪ", "uh": "ʊ", "uw": "uː"},
    **{"b": "b", "ch": "tʃ", "d": "d", "dh": "ð", "dx": "ɾ", "f": "f", "g": "ɡ", "hh": "h", "jh": "dʒ", "k": "k"},
    **{"l": "l", "m": "m", "n": "n", "ng": "ŋ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ"},
    **{"v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ", "pau": ""},
}
"""flite's names (ARPAbet) to IPA; a pause is empty."""


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    clips = []
    for number, (voice, text) in enumerate(SENTENCES):
        sound, rate, phones = spoken(voice, text)
        name = f"{voice}-{number}.ogg"
        write(TARGET / name, sound, rate)
        clips.append({"file": name, "voice": voice, "text": text, "phones": phones})
    lines = ",\n".join(json.dumps(clip, ensure_ascii=False) for clip in clips)
    (TARGET / "clips.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def spoken(voice: str, text: str) -> tuple[NDArray[np.int16], int, list[tuple[str, float]]]:
    """Samples, their rate, and each phone's IPA and end in seconds, pauses among them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "-psdur", "-t", text, "-o", str(path)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        with wave.open(str(path)) as file:
            sound, rate = np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()
    marks = [mark.rsplit(":", 1) for mark in said.split()]
    phones = [(IPA[name], float(end)) for name, end in marks]
    if abs(phones[-1][1] - len(sound) / rate) > 0.02:
        raise SystemExit(f"flite's times of {voice} do not end with its sound")
    return sound, rate, phones


def write(path: Path, sound: NDArray[np.int16], rate: int) -> None:
    """Ogg Opus."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, options={"b": str(BITS), "application": "audio"})
        stream.layout = "mono"  # type: ignore[union-attr]
        frame = AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            fifo.write(part)
        while piece := fifo.read(960, partial=True):
            container.mux(stream.encode(piece))  # type: ignore[union-attr]
        container.mux(stream.encode(None))  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
