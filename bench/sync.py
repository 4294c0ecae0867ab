"""How well the puppet's lips follow Arabic and English, and how still the picture is elsewhere; on decoded clips."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figures
from bench.lipsync.verdict import Judged, Verdict, judged, off_neutral


def measure() -> Figures:
    """Three takes of each language, each avatar in both. Raises SurroundingsError where mediapipe is missing."""
    with TemporaryDirectory(prefix="smarttalker-") as folder:
        clips = judged(Path(folder))
        return _lips(Verdict(clips)) | _stillness(clips)


def _lips(verdict: Verdict) -> Figures:
    fit, quiet = verdict.fit(), verdict.silence()
    rounded, spread = verdict.widths()
    opened, lowered = verdict.open_vowels()
    return {
        "sync_r": fit.r,
        "sync_lag_ms": 1000 * fit.lag,
        "sync_lag_size_ms": 1000 * abs(fit.lag),
        "sync_area_r": verdict.fit("opening").r,
        "sync_worst_clip_r": min(verdict.fit_of(each).r for each in verdict.clips),
        "sync_other_sentence_r": verdict.shuffled().r,
        "sync_wrong_moment_r": verdict.rolled().r,
        "sync_loudness_r": verdict.loudness_r(),
        "closures_shut_share": verdict.closures(lips=True),
        "open_vowels_open_share": opened,
        "lip_on_teeth_share": verdict.closures(lips=False),
        "open_vowels_lip_off_teeth_share": lowered,
        "silence_gap_mean_share": quiet[0],
        "silence_gap_std_share": quiet[1],
        "rounded_to_spread_width": rounded / spread,
        "blinks_per_minute": verdict.blinks_per_minute(),
    }


def _stillness(clips: list[Judged]) -> Figures:
    """The worst clip's."""
    off = [off_neutral(each) for each in clips]
    return {
        "flicker_rim": max(each.decoded.rim for each in clips),
        "flicker_background": max(each.decoded.background for each in clips),
        "first_frame_off_neutral": max(each[0] for each in off),
        "last_frame_off_neutral": max(each[-1] for each in off),
        "sound_picture_apart_ms": 1000 * max(abs(each.decoded.picture_s - each.decoded.sound_s) for each in clips),
    }
