"""Minds the thread in which upstream's language model says the tokens of a text. Runs in the host.

Left alone that thread goes on after whoever wanted the speech has gone; where it fails, its caller waits for ever, or
trips over an empty tensor; and what it said stays in tables of the model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

RATE = 25
"""Tokens in a second of speech (`token_frame_rate` in cosyvoice3.yaml)."""

_TABLES = ("tts_speech_token_dict", "llm_end_dict", "hift_cache_dict")
"""Of upstream's model, each by request; one that ends early leaves its rows there."""
_TOLD_EVERY_S = 0.5


class Minder:
    """Stands between the model (upstream's CosyVoice3Model) and its language model; one text at a time."""

    def __init__(self, model: Any, progress: Callable[[str], None]) -> None:
        """progress: told that tokens come, from the model's thread too; what it raises ends the text."""
        self._model = model
        self._progress = progress
        self._job, self._infer, self._decode = model.llm_job, model.llm.inference, model.token2wav
        self._hop = model.token_hop_len
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._most = 0
        self.tokens = 0
        model.llm_job, model.llm.inference, model.token2wav = self._run, self._say, self._sound

    @contextmanager
    def minding(self, most_tokens: int) -> Iterator[None]:
        """While a text is spoken. It is cut after so many tokens; at the end, however it comes, the thread has ended
        and nothing is left of it."""
        self._model.token_hop_len = self._hop  # upstream doubles it while it streams, and keeps it so
        self._stop.clear()
        self._thread, self._error, self._most, self.tokens = None, None, most_tokens, 0
        try:
            yield
        finally:
            self._stop.set()
            if self._thread is not None:
                self._thread.join()
            self._error = None  # raised by now; it holds on to whatever was being computed, and so to the card's memory
            for name in _TABLES:
                getattr(self._model, name).clear()

    def watched(self, pieces: Iterator[Any]) -> Generator[Any, None, None]:
        """The pieces that upstream makes of the tokens, for as long as the language model is well. Raises its error in
        place of what that led to, and RuntimeError where it said nothing."""
        try:
            for piece in pieces:
                self._check()
                yield piece
        except Exception as error:
            self._check()
            if not self.tokens:
                raise RuntimeError("the language model said nothing") from error
            raise
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, *arguments: Any, **named: Any) -> None:
        """In place of upstream's llm_job, in its thread."""
        self._thread = threading.current_thread()
        try:
            self._job(*arguments, **named)
        except BaseException as error:  # its caller, in another thread, raises it
            self._error = error
        finally:
            for request in self._model.llm_end_dict:
                self._model.llm_end_dict[request] = True

    def _sound(self, *arguments: Any, **named: Any) -> Any:
        """In place of the model's token2wav, in its caller's thread: up to a second's work of a card, minutes' of a
        processor, not begun where the tokens failed or nobody wants them."""
        self._check()
        self._progress(f"the sound of {self.tokens} tokens")
        return self._decode(*arguments, **named)

    def _say(self, *arguments: Any, **named: Any) -> Iterator[int]:
        """In place of the language model's inference, in the same thread."""
        told = time.monotonic()
        with closing(self._infer(*arguments, **named)) as tokens:
            for token in tokens:
                if self._stop.is_set() or self.tokens >= self._most:
                    return
                self.tokens += 1
                yield token
                if (now := time.monotonic()) - told > _TOLD_EVERY_S:
                    told = now
                    self._progress(f"{self.tokens} tokens")
