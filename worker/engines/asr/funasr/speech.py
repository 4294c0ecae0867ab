"""Voice activity detection with Silero's model, which comes with its package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.engines.asr.base import SAMPLE_RATE
from worker.engines.asr.funasr.segments import FRAME, Probabilities, Segment, Span, segments_of
from worker.networks.quiet import quiet

_THRESHOLD = 0.5
_LEAST_SPEECH_MS = 250
_LEAST_PAUSE_MS = 100
"""The model's own defaults. Speech of eSpeak is at 0.9 and more down to a signal-to-noise ratio of 0 dB; noise of any
colour, hum, clicks, knocks and chords stay below 0.2."""


class SpeechFinder:
    """About 2 MB, on the CPU; takes 6 ms for a second of sound. Not safe for threads."""

    def __init__(self) -> None:
        with _one_thread(), quiet():  # importing it leaves torch with one thread, for everyone
            import silero_vad

            self._model: Any = silero_vad.load_silero_vad()

    def segments(self, audio: NDArray[np.float32]) -> list[Segment]:
        """Where somebody speaks in (n,) finite samples at 16 kHz; empty for silence, noise and music."""
        if audio.size < FRAME:
            return []
        probabilities = self._probabilities(audio)
        return segments_of(_spans(probabilities, audio.size), probabilities, audio.size)

    def _probabilities(self, audio: NDArray[np.float32]) -> Probabilities:
        import torch

        with _one_thread(), torch.inference_mode():
            found: Probabilities = self._model.audio_forward(torch.tensor(audio)[None], SAMPLE_RATE)[0].numpy()
        return found


@contextmanager
def _one_thread() -> Iterator[None]:
    """The model's steps are so small that several threads take forty times as long, waiting for one another."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _spans(probabilities: Probabilities, size: int) -> list[Span]:
    from silero_vad import get_speech_timestamps_from_probs

    found = get_speech_timestamps_from_probs(
        probabilities.tolist(),
        sampling_rate=SAMPLE_RATE,
        threshold=_THRESHOLD,
        min_speech_duration_ms=_LEAST_SPEECH_MS,
        min_silence_duration_ms=_LEAST_PAUSE_MS,
        speech_pad_ms=0,
        audio_length_samples=size,
    )
    return [Span(int(span["start"]), int(span["end"])) for span in found]
