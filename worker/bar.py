"""How much of a turn's clip is drawn, as one bar that never goes back."""

from __future__ import annotations

from core.kinds import Layer
from worker.job import Report


class Bar:
    """Of one turn: an engine that starts over does not set it back."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._shown = 0.0
        self._before = 0.0

    def begin(self) -> None:
        """Another engine draws from here on."""
        self._before = 0.0

    def call(self, share: float) -> None:
        """The engine tells what share of its work is done, before its first frame."""
        self._before = min(max(share, self._before), 1.0)
        self._show(self._before)

    def frame(self, share: float) -> None:
        """So much of the clip is drawn: it fills what the work before it has left of the bar."""
        self._show(self._before + (1 - self._before) * min(share, 1.0))

    def _show(self, share: float) -> None:
        self._shown = max(self._shown, share)
        self._report("layer", layer=Layer.VIDEO, progress=round(self._shown, 3))
