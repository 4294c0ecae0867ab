"""How much of a clip is drawn, as one bar that never goes back."""

from __future__ import annotations

from core.kinds import Layer
from worker.job import Report

CALLED = 0.8
"""Of the bar, for what an engine does before its frames come, where it does anything: sampling takes most of the time,
and decoding what was sampled little."""


class Bar:
    """Of one turn: an engine that starts over does not set it back."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._shown = 0.0
        self._called = False

    def begin(self) -> None:
        """Another engine draws from here on."""
        self._called = False

    def call(self, share: float) -> None:
        """An engine that draws no frames yet has done so much of what comes before."""
        self._called = True
        self._show(CALLED * share)

    def frame(self, share: float) -> None:
        """So much of the clip is drawn."""
        self._show(CALLED + (1 - CALLED) * share if self._called else share)

    def _show(self, share: float) -> None:
        self._shown = max(self._shown, min(share, 1.0))
        self._report("layer", layer=Layer.VIDEO, progress=round(self._shown, 3))
