"""Recordings as the model hears them. Imported in the model's own environment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worker.hosting.served import Progress

_MOST = 16
"""Of 30 s each, 0.2 MiB."""


class Prompts:
    """Keeps the last ones: upstream would listen anew before each sentence. To a file that was written anew it does."""

    def __init__(self, build: Callable[..., Any], progress: Progress) -> None:
        """build: the model's build_prompt_cache."""
        self._build, self._progress = build, progress
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def __call__(
        self,
        prompt_text: str | None = None,
        prompt_wav_path: str | None = None,
        reference_wav_path: str | None = None,
        trim_silence_vad: bool = False,
    ) -> Any:
        """As build_prompt_cache. Raises OSError where a file is missing, and what that raises."""
        clips = [each for each in (prompt_wav_path, reference_wav_path) if each is not None]
        written = [(each, state.st_mtime_ns, state.st_size) for each in clips for state in [Path(each).stat()]]
        key = (prompt_text, prompt_wav_path is None, reference_wav_path is None, trim_silence_vad, *written)
        if key not in self._kept:
            self._progress("listening to the recording")
            self._kept[key] = self._build(prompt_text, prompt_wav_path, reference_wav_path, trim_silence_vad)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return self._kept[key]

    def clear(self) -> None:
        self._kept.clear()
