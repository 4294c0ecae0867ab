"""What the host has learnt of recordings, kept here because the host leaves whenever the card is wanted."""

from __future__ import annotations

import base64
from collections import OrderedDict
from pathlib import Path

from worker.engines.tts.cosyvoice.recordings import Recording, Stamp, stamp

MOST = 16
"""Recordings, those that were used last; one of 10 seconds takes 210 KB."""


class Learnt:
    """By the state of the file: one that was changed is learnt anew, and one that is gone is forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Stamp, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, recording: Recording) -> str | None:
        """Base64 of what was learnt of it, None if nothing was."""
        if recording.stamp in self._kept:
            self._kept.move_to_end(recording.stamp)
        return self._kept.get(recording.stamp)

    def keep(self, recording: Recording, learnt: bytes) -> None:
        self._kept[recording.stamp] = base64.b64encode(learnt).decode()
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)

    def forget_gone(self) -> None:
        """What belongs to files that are no more, or no more the same: a voice that is removed leaves nothing."""
        for known in [each for each in self._kept if not _is_there(each)]:
            del self._kept[known]


def _is_there(known: Stamp) -> bool:
    try:
        return stamp(Path(known[0])) == known
    except OSError:
        return False
