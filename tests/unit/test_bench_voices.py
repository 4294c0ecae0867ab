"""The group `voices`: all its figures, from a little of everything, and its own arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from bench.figures import Figures
from bench.flite import clips
from bench.voices import added, alarms, hosts, times
from worker.engines.tts.base import Phoneme

HOSTS = {
    *("host_start_ms", "host_ram_mb", "host_stream_mb_a_s", "host_stream_times_real"),
    *(f"host_{what}_{share}_ms" for what in ("ask", "cancel") for share in ("p50", "p95", "p99", "max")),
    *("host_espeak_start_ms", "host_espeak_en_ms", "host_espeak_ar_ms"),
}
STEPS = ("fault", "finish", "resample", "align", "all")
SPENT = ("cpu", "wall")
ADDED = {
    "align_sentence_s",
    *(f"speech_{rate}_{step}_{spent}_ms_a_s" for rate in ("24k", "48k") for step in STEPS for spent in SPENT),
    *(f"align_{kind}_{spent}_ms" for kind in ("cold", "prepared", "later") for spent in SPENT),
}
TIMES = {
    *("times_clips_timed", "times_edges_compared", "times_edge_median_ms", "times_edge_p90_ms"),
    *(f"{which}_closures_{share}" for which in ("times", "ear") for share in ("found", "right")),
}
ALARMS = {
    *("alarms_flite", "alarms_espeak", "alarms_words", "alarms_sentences"),
    *(f"caught_{name}{of}" for name in ("runaways", "silences", "stops", "cuts") for of in ("", "_long", "_words")),
}


def checked(figures: Figures, names: set[str]) -> Figures:
    """Raises AssertionError where a name is missing, unknown, or no number."""
    assert set(figures) == names
    assert all(math.isfinite(value) and value >= 0 for value in figures.values())
    return figures


def test_figures_of_hosts() -> None:
    figures = checked(hosts.measure(times=1, seconds=1.6), HOSTS)
    assert figures["host_stream_mb_a_s"] == pytest.approx(0.192 * figures["host_stream_times_real"])


def test_figures_of_what_is_added() -> None:
    figures = checked(added.measure(clips()[:1], times=1, lead_s=0.0), ADDED)
    parts = [figures[f"speech_24k_{step}_wall_ms_a_s"] for step in ("fault", "finish", "align")]
    assert figures["speech_24k_all_wall_ms_a_s"] == pytest.approx(sum(parts))


def test_figures_of_times() -> None:
    figures = checked(times.measure(clips()[:1]), TIMES)
    assert figures["times_edge_median_ms"] <= figures["times_edge_p90_ms"]


def test_figures_of_alarms() -> None:
    figures = checked(alarms.measure(most=3), ALARMS)
    assert figures["alarms_sentences"] == 7 * len(alarms.SPEEDS) + 2 * 3 * len(alarms.PACES) + 10


def named(*phonemes: tuple[str, float, float]) -> list[Phoneme]:
    return [Phoneme(*each) for each in phonemes]


TRUE = named(("m", 0.0, 0.1), ("a", 0.1, 0.3), ("p", 0.3, 0.4))


@pytest.mark.parametrize(
    ("found", "away"),
    [
        (TRUE, [0.0] * 4),
        (named(("m", 0.02, 0.13), ("ˈaː", 0.13, 0.3), ("p", 0.3, 0.4)), [0.02, 0.03, 0.0, 0.0]),
        (named(("m", 0.0, 0.1), ("ə", 0.1, 0.2), ("p", 0.25, 0.4)), [0.0, 0.0, 0.05, 0.0]),
        ([], []),
    ],
    ids=["the same", "later, and marked otherwise", "another name", "nothing"],
)
def test_an_edge_is_compared_with_its_own(found: Sequence[Phoneme], away: list[float]) -> None:
    assert times.offsets(TRUE, found) == pytest.approx(away)


def test_a_closure_that_is_shown_stands_for_one_alone() -> None:
    shown = times.shut(named(("b", 0.14, 0.16), ("m", 2.0, 2.1)))
    met = times.compared(named(("m", 0.05, 0.15), ("p", 0.15, 0.25)), shown)
    assert (met.met, met.true, met.shown) == (1, 2, 2)
