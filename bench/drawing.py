"""One measurement of the puppet, in a process of its own (`python -m bench.drawing CASE SPEECH SIDE FOLDER`), as JSON.

CASE `loop` draws and encodes through the writer that makes every answer: seconds, processor seconds and the most memory
the process ever held. CASE `ratio` does so in turn with encoding the very same frames, drawn before and kept.
SPEECH is what `save` wrote, SIDE the canvas in pixels; clips are written into FOLDER.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import numpy as np

from core.catalogue import Catalogue
from core.settings import HOME
from worker.engines.tts.base import Phoneme, Speech
from worker.engines.video.base import Canvas, Picture, Planes
from worker.engines.video.planes import blank, planes_of
from worker.engines.video.puppet import Puppet
from worker.media import Mp4Writer

AVATAR = "layla"
WARM_S = 1.0
"""Seconds of speech that are drawn before the clock runs: the rig is read and the painter built."""
ROUNDS = 3


def save(path: Path, speech: Speech) -> None:
    phonemes = speech.phonemes or ()
    times = np.array([(each.start, each.end) for each in phonemes])
    ipa = np.array([each.ipa for each in phonemes])
    with path.open("wb") as file:
        np.savez(file, samples=speech.samples, rate=speech.sample_rate, times=times, ipa=ipa)


def read(path: Path) -> Speech:
    with np.load(path, allow_pickle=False) as stored:
        timed = zip(stored["ipa"].tolist(), stored["times"].tolist(), strict=True)
        phonemes = tuple(Phoneme(ipa, start, end) for ipa, (start, end) in timed)
        return Speech(stored["samples"], int(stored["rate"]), phonemes)


class Drawing:
    """The puppet, warm, and what it says."""

    def __init__(self, speech: Speech, side: int, folder: Path) -> None:
        self._speech, self._canvas, self._path = speech, Canvas(side, side), folder / f"{side}.mp4"
        self._avatar = Catalogue(HOME).avatar(AVATAR)
        self._puppet = Puppet()
        self._puppet.load()
        self.loop(_beginning(speech, WARM_S))

    def frames(self, speech: Speech) -> Iterable[Picture]:
        return self._puppet.frames([speech], avatar=self._avatar, canvas=self._canvas)

    def loop(self, speech: Speech | None = None) -> dict[str, float]:
        """Sound and picture, as an answer is made."""
        said = speech or self._speech
        return self._written(self.frames(said), said)

    def kept(self) -> list[Picture]:
        return [_copy(frame) for frame in self.frames(self._speech)]

    def encoded(self, frames: list[Picture]) -> dict[str, float]:
        """x264 and the muxer alone: no sound."""
        return self._written(frames, None)

    def _written(self, frames: Iterable[Picture], said: Speech | None) -> dict[str, float]:
        canvas = self._canvas
        began, spent = time.perf_counter(), time.process_time()
        rate = said.sample_rate if said else None
        writer = Mp4Writer(self._path, canvas.width, canvas.height, canvas.fps, rate)
        try:
            if said:
                writer.add_sound(said.samples)
            for frame in frames:
                writer.add_frame(frame)
            clip = writer.close()
        finally:
            writer.abort()
        took, worked = time.perf_counter() - began, time.process_time() - spent
        return {"played_s": clip.seconds, "took_s": took, "cpu_ms_a_frame": 1000 * worked / clip.frames}


def _beginning(speech: Speech, seconds: float) -> Speech:
    phonemes = tuple(each for each in speech.phonemes or () if each.end <= seconds)
    return Speech(speech.samples[: round(seconds * speech.sample_rate)], speech.sample_rate, phonemes)


def _copy(frame: Picture) -> Planes:
    if not isinstance(frame, Planes):
        return planes_of(frame)
    height, width = frame.y.shape
    copy = blank(width, height)
    copy.y[:], copy.u[:], copy.v[:] = frame.y, frame.u, frame.v
    return copy


def loop(drawing: Drawing) -> dict[str, float]:
    """The middle round's; peak_mib since the process began, all libraries and the rig among it."""
    rounds = [drawing.loop() for _ in range(ROUNDS)]
    return {
        "times_real": median(each["played_s"] / each["took_s"] for each in rounds),
        "cpu_ms_a_frame": median(each["cpu_ms_a_frame"] for each in rounds),
        "peak_mib": peak_mib(),
    }


def ratio(drawing: Drawing) -> dict[str, float]:
    """Both by turns, so that whatever else runs meets both; each the middle round's."""
    frames = drawing.kept()
    pairs = [(drawing.loop(), drawing.encoded(frames)) for _ in range(ROUNDS)]
    whole, alone = (median(pair[which]["played_s"] / pair[which]["took_s"] for pair in pairs) for which in (0, 1))
    encoding_ms = median(pair[1]["cpu_ms_a_frame"] for pair in pairs)
    return {"encoding_times_real": alone, "whole_to_encoding": whole / alone, "encoding_cpu_ms_a_frame": encoding_ms}


def peak_mib() -> float:
    """The most that this process' memory ever was; unlike ru_maxrss it knows nothing of the parent before exec."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


CASES = {"loop": loop, "ratio": ratio}


def main(case: str, speech: str, side: str, folder: str) -> None:
    print(json.dumps(CASES[case](Drawing(read(Path(speech)), int(side), Path(folder)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
