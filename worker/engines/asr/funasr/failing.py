"""Errors of torch and funasr as our own."""

from __future__ import annotations

from contextlib import AbstractContextManager

from core.errors import ASRError
from worker.networks.failing import failing


def asr_errors(doing: str, remedy: str) -> AbstractContextManager[None]:
    """Whatever is not ours becomes ASRError; its text holds nothing of the speech."""
    return failing(ASRError, "funasr", doing, remedy)
