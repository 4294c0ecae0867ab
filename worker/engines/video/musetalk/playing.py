"""Which frame of the film of an avatar that waits is shown when.

The film joins on to itself, and its first frame is the face at rest. It may be played either way, so it is turned round
once in a stretch of speech, at the place from which it comes to rest just when the speech ends.
"""

from __future__ import annotations


class Playing:
    """Gives one frame's number after the other; the first is 0."""

    def __init__(self, frames: int) -> None:
        """frames: of the film."""
        self._frames = frames
        self._place: int | None = None
        self._way = 1
        self._before_turn = self._held = 0
        self._turns = False

    def plan(self, left: int) -> None:
        """left: how many more frames will be shown, as far as is known. Called again when more becomes known."""
        moves = left if self._place is not None else left - 1
        if moves <= 0:
            return
        past = (self._way * (self._place or 0)) % self._frames
        nearest = past + moves - (past + moves) % self._frames  # the last rest that lies within reach on the way
        beyond = past + moves - nearest
        back = beyond // 2
        before = moves - back - beyond % 2
        if before < 0:  # rest is out of reach on this way: go where it is nearer
            before, back, beyond = (moves, 0, 0) if self._frames - past <= past else (0, moves, 0)
        self._before_turn, self._held, self._turns = before, beyond % 2, back > 0

    def next(self) -> int:
        if self._place is None:
            self._place = 0
            return 0
        if self._before_turn > 0:
            self._before_turn -= 1
        elif self._held:
            self._held = 0
            return self._place
        elif self._turns:
            self._turns = False
            self._way = -self._way
        self._place = (self._place + self._way) % self._frames
        return self._place
