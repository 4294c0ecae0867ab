"""Why a photo or a recording can't become an avatar or a voice."""

from __future__ import annotations


class Refused(Exception):
    """Its argument is the reason: a key of `avatar.REASONS` or of `recording.REASONS`."""

    @property
    def reason(self) -> str:
        return str(self.args[0])
