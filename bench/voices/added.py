"""What our side adds to the sentence of a voice that leaves it raw and tells no phonemes: a neural one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np

from bench.figures import Figures
from bench.flite import clips
from bench.voices.spent import Spent, spent
from core.kinds import Tone
from worker.engines.tts.base import Speech
from worker.timing.aligner import Aligner
from worker.voicing.faults import fault
from worker.voicing.finishing import at_rate, finished
from worker.voicing.lengths import Lengths

RATES = (24_000, 48_000)
"""Hertz: CosyVoice's and VoxCPM's. Each is resampled to the other."""
_BEFORE_S, _AFTER_S = 0.25, 0.4
"""Silence that a model leaves around a sentence."""
LEAD_S = 1.5
"""How long before its first sound is whole an engine has the aligner prepared; less than a sentence takes."""


def measure(said: Sequence[Speech] | None = None, times: int = 3, lead_s: float = LEAD_S) -> Figures:
    """said: clips at 48 kHz; Flite's. times: how often all but the alignment of later texts is tried."""
    said = clips() if said is None else said
    figures: Figures = {}
    with closing(Aligner()) as aligner:
        _align(aligner, said[0])  # what is computed once for a process is there afterwards
        for rate in RATES:
            figures |= _steps([_raw(each, rate) for each in said], aligner, times)
    return figures | _first(_raw(said[0], RATES[0]), times, lead_s)


def _raw(clip: Speech, rate: int) -> Speech:
    """As an engine would give it, whole."""
    speech = at_rate(replace(clip, phonemes=None), rate)
    return replace(speech, samples=np.pad(speech.samples, (round(_BEFORE_S * rate), round(_AFTER_S * rate))))


def _steps(said: list[Speech], aligner: Aligner, times: int) -> Figures:
    """Each step's ms for a second of sound; `all`: what every sentence goes through, which is not resampled where the
    answer has one voice."""
    rate = said[0].sample_rate
    done = [finished(each, each.text or "", Tone.NEUTRAL) for each in said]
    done = [replace(one, text=each.text, language=each.language) for one, each in zip(done, said, strict=True)]
    steps = {
        "fault": _of_all(said, _check, times),
        "finish": _of_all(said, lambda each: finished(each, each.text or "", Tone.NEUTRAL), times),
        "resample": _of_all(done, lambda each: at_rate(each, sum(RATES) - rate), times),
        "align": _of_all(done, partial(_align, aligner), 1),
    }
    steps["all"] = steps["fault"] + steps["finish"] + steps["align"]
    seconds = sum(each.seconds for each in done)
    name = f"speech_{rate // 1000}k"
    return {
        key: value
        for step, each in steps.items()
        for key, value in each.figures(f"{name}_{step}", "ms_a_s", seconds).items()
    }


def _of_all(said: Sequence[Speech], work: Callable[[Speech], object], times: int) -> Spent:
    """Of one time, on average."""
    total = spent(lambda: [work(each) for _ in range(times) for each in said])
    return Spent(total.wall / times, total.cpu / times)


def _check(speech: Speech) -> object:
    return fault(speech.samples, speech.sample_rate, Lengths.of(speech.text or "", speech.language or ""))


def _align(aligner: Aligner, speech: Speech) -> object:
    return aligner.align(speech, speech.text or "", speech.language or "")


def _first(speech: Speech, times: int, lead_s: float) -> Figures:
    """The same sentence as the first of a process' helper, which was started for it or before it, and once more: ms,
    medians."""
    tried: dict[str, list[Spent]] = {"cold": [], "prepared": [], "later": []}
    for _ in range(times):
        for kind in ("cold", "prepared"):
            with closing(Aligner()) as aligner:
                if kind == "prepared":
                    aligner.prepare()
                    time.sleep(lead_s)
                for each in (kind, "later"):
                    tried[each].append(spent(partial(_align, aligner, speech)))
    figures: Figures = {"align_sentence_s": speech.seconds}
    for kind, tries in tried.items():
        usual = Spent(statistics.median(one.wall for one in tries), statistics.median(one.cpu for one in tries))
        figures |= usual.figures(f"align_{kind}", "ms")
    return figures
