"""Layer 6 in the pipeline: drawn frames at the size that is wanted, stepping down from engine to engine in the middle
of a clip."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Generic, TypeVar

import cv2
import numpy as np

from core.errors import UpscaleError
from core.kinds import Layer
from worker.engines.video.base import Frame, Picture, as_rgb
from worker.guard import closed, failing_as
from worker.job import Report
from worker.lending import Lender

UNSCALED = "unscaled"
"""What an answer goes on with where no engine enlarges."""

T = TypeVar("T")


class Timed(Generic[T]):
    """An iterator that counts the seconds spent in the one behind it."""

    def __init__(self, source: Iterator[T]) -> None:
        self._source = source
        self.seconds = 0.0

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        began = time.perf_counter()
        try:
            return next(self._source)
        finally:
            self.seconds += time.perf_counter() - began

    def close(self) -> None:
        if close := getattr(self._source, "close", None):
            close()


def shrunk(pictures: Iterator[Picture], width: int, height: int) -> Iterator[Frame]:
    """Smaller, by averaging."""
    for picture in pictures:
        smaller = cv2.resize(as_rgb(picture), (width, height), interpolation=cv2.INTER_AREA)
        yield smaller.astype(np.uint8, copy=False)


class Enlarging:
    """One clip's frames on their way to a larger size. Its engines report what they took, and their failures.

    What an engine has taken and not given back yet when it fails, or makes way, is given to the next.
    """

    def __init__(
        self,
        lender: Lender,
        report: Report,
        names: Sequence[str],
        drawn: Timed[Picture],
        size: tuple[int, int],
        make_room: Callable[[str], None],
        late: Callable[[str, int, float], str | None],
    ) -> None:
        """names: engines, the best first. make_room: frees memory for one of them. late: given an engine, the frames
        that it enlarged and the seconds that it took, the engine that is to go on in its place, if any."""
        self._lender = lender
        self._report = report
        self._names = list(names)
        self._drawn = drawn
        self._size = size
        self._make_room = make_room
        self._late = late
        self._held: deque[Frame] = deque()
        self._roomy = False
        self.spent: dict[str, tuple[int, float]] = {}
        """Of each engine, the frames that it enlarged and the seconds that it took."""

    def frames(self) -> Iterator[Frame]:
        """Raises UpscaleError where no engine is left, and what drawing raises."""
        while self._names:
            error = yield from self._tried(self._names[0])
            if error is None:
                continue
            if error.exhausted and not self._roomy:
                self._make_room(self._names[0])
                self._roomy = True
            else:
                self._step(error)

    def _step(self, error: UpscaleError) -> None:
        """To the next engine."""
        name = self._names.pop(0)
        self._roomy = False
        self._lender.step(name, error, self._names[0] if self._names else UNSCALED)
        if not self._names:
            raise error

    def _tried(self, name: str) -> Generator[Frame, None, UpscaleError | None]:
        """Returns what went wrong, without the frames of the stack that it went through: they hold memory of the
        card."""
        try:
            self._names = yield from self._by(name)
        except UpscaleError as error:
            error.__cause__ = error.__context__ = None
            return error.with_traceback(None)
        return None

    def _by(self, name: str) -> Generator[Frame, None, list[str]]:
        """Returns who goes on: nobody once all is enlarged."""
        (width, height), lender, before = self._size, self._lender, self._drawn.seconds
        goes_on: list[str] = []
        with lender.costs(Layer.UPSCALE, name) as costs, lender.lent(Layer.UPSCALE, name) as engine:
            with failing_as(UpscaleError, name):
                larger = engine.upscale(self._fed(), width=width, height=height)
            timed = Timed(lender.pieces(Layer.UPSCALE, larger, engine))
            with closed(timed):
                for number, frame in enumerate(timed, 1):
                    self._held.popleft()
                    yield frame
                    self.spent[name] = (number, timed.seconds - self._drawn.seconds + before)
                    if other := self._late(name, *self.spent[name]):
                        goes_on = [other]
                        break
        self._report("time", **costs.shared(self.spent.get(name, (0, 0.0))[1]))
        return goes_on

    def _fed(self) -> Iterator[Frame]:
        """The frames that another engine has left, then those that are drawn: copies, since they wait here."""
        yield from tuple(self._held)
        for picture in self._drawn:
            frame = as_rgb(picture)
            self._held.append(frame.copy() if frame is picture else frame)
            yield self._held[-1]
