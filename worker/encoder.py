"""A thread that encodes frames while the next ones are drawn."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import av

from worker.engines.video.base import HELD


class Encoder:
    """Takes frames in order. Of those that were put, HELD at most are still in use: one under way and the others
    waiting, so that memory stays flat and whoever draws them knows which may be drawn over. The two threads rarely wait
    for each other: a wake-up costs as much as a tenth of a frame."""

    def __init__(self, encode: Callable[[av.VideoFrame], None]) -> None:
        """encode: called in the thread, one frame at a time."""
        self._encode = encode
        self._frames: queue.SimpleQueue[av.VideoFrame | None] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(HELD):
            self._room.put(None)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="encoding", daemon=True)
        self._thread.start()

    def put(self, frame: av.VideoFrame) -> None:
        """Waits for room; raises what ended the encoding."""
        self._raise()
        self._room.get()
        self._frames.put(frame)

    def drain(self) -> None:
        """Returns when every frame is encoded; raises what ended the encoding. Idempotent."""
        self._end()
        self._raise()

    def stop(self) -> None:
        """Ends the thread after the frame under way; harmless after `drain`."""
        if self._error is None:
            self._error = RuntimeError("the encoder was stopped")
        self._end()

    def _end(self) -> None:
        """Whoever encodes usually holds this encoder: letting go of it frees both at once, and megabytes with them."""
        if self._thread.is_alive():
            self._frames.put(None)
            self._thread.join()
        self._encode = _nothing

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        """After an error frames are taken and dropped, so that nobody waits for room."""
        while (frame := self._frames.get()) is not None:
            if self._error is None:
                try:
                    self._encode(frame)
                except BaseException as error:
                    self._error = error
            self._room.put(None)


def _nothing(_: av.VideoFrame) -> None:
    """What an encoder that has ended does."""
