"""Watches a clip while it is drawn: what turns out far too slow is given up, enlarging is dropped in time."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.errors import VideoError
from worker.deciding.choosing import Candidate
from worker.deciding.pace import Pace

SEEN_S = 5.0
"""Of drawing before an engine may be given up: the first calls of a network are slow."""
FAR = 2.0
"""So many times its budget a clip must be heading for: an engine that is a little late is let finish."""
ENLARGED_S = 1.0
"""Of enlarging before its measured pace counts more than the one that was known."""


class TooSlow(VideoError):
    """An engine would take far too long; another draws. No failure: nobody is told.

    pace_s: seconds of work a second of video that it was heading for; None where nothing was measured."""

    code = "video_too_slow"

    def __init__(self, engine: str, pace_s: float | None, seconds: float) -> None:
        super().__init__(f"{engine} would take {seconds:.0f} s", refused=True)
        self.pace_s = pace_s
        self.seconds = seconds


class Guard:
    """Of one clip. Its budget runs from its making."""

    def __init__(
        self,
        candidate: Candidate,
        budget_s: float | None,
        length: Callable[[], float],
        others_s: Callable[[float], float | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """length: of the clip in seconds, as far as it is known. others_s: the seconds that the quickest of the other
        engines would take for so many of video; None: there is none."""
        self._candidate = candidate
        self._budget_s = budget_s
        self._length = length
        self._others_s = others_s
        self._clock = clock
        self._began = clock()
        self.called, self.drawn, self.enlarged = Pace(), Pace(), Pace()

    def on_call(self, share: float, spent_s: float) -> None:
        """The engine has done a share of its work. spent_s: seconds that it has drawn for. Raises TooSlow."""
        self.called.mark(share, spent_s)
        self._judge(self.called.rest(1.0), spent_s)

    def on_frame(self, video_s: float, spent_s: float) -> None:
        """So many seconds of video are drawn. Raises TooSlow."""
        self.drawn.mark(video_s, spent_s)
        self._judge(self.drawn.rest(self._length()), spent_s)

    def _judge(self, rest_s: float | None, spent_s: float) -> None:
        if self._budget_s is None or rest_s is None or spent_s < SEEN_S:
            return
        whole_s, length_s = spent_s + rest_s, self._length()
        if whole_s <= FAR * self._budget_s:
            return
        others_s = self._others_s(length_s)
        if others_s is not None and others_s < rest_s:
            pace_s = (whole_s - self.once_s) / max(length_s, 1.0)
            raise TooSlow(self._candidate.video, pace_s, whole_s)

    @property
    def once_s(self) -> float:
        """Seconds of drawing that no later clip takes again."""
        return (self.called if self.called.seconds is not None else self.drawn).once_s

    def enlarging_is_late(self, video_s: float, enlarging_s: float) -> bool:
        """Whether the clip, of which so many seconds are there, would be late if the rest were enlarged as these were.
        enlarging_s: what that took."""
        self.enlarged.mark(video_s, enlarging_s)
        if self._budget_s is None:
            return False
        measured = self.enlarged.seconds if enlarging_s >= ENLARGED_S else None
        pace_s = self._candidate.upscale_s if measured is None else measured
        rest_s = max(self._length() - video_s, 0.0) * (pace_s + (self.drawn.seconds or 0.0))
        return rest_s > 0 and self._clock() - self._began + rest_s > self._budget_s
