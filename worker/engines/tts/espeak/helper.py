"""The helper process: `python -m worker.engines.tts.espeak.helper`, frames on its standard input and output.

It ends when its input is closed, and so with its parent, however that ends.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import IO, Any

from worker.engines.tts.espeak.arabic import phonemes
from worker.engines.tts.espeak.library import Library, SynthesisFailed
from worker.engines.tts.espeak.tashkeel import Tashkeel
from worker.engines.tts.espeak.wire import Request
from worker.frames import read_frame, write_frame


def main() -> None:
    """Answers one frame for each that comes: `{}` once it is ready, then speech or an error for each request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = _take_pipes()
    library, tashkeel = Library(), Tashkeel()
    write_frame(sink, {})
    while (frame := read_frame(source)) is not None:
        try:
            header, sound = _speech(library, tashkeel, Request(**frame[0]))
        except SynthesisFailed as error:
            header, sound = {"error": str(error)}, b""
        write_frame(sink, header, sound)


def _speech(library: Library, tashkeel: Tashkeel, request: Request) -> tuple[dict[str, Any], bytes]:
    if request.language == "ar":
        sound, timed = library.speak(phonemes(tashkeel(request.text)), request, phonemes=True)
    else:
        sound, timed = library.speak(request.text, request)
    return {"sample_rate": library.sample_rate, "phonemes": timed}, sound.tobytes()


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for frames alone: what a library prints goes to standard error."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, sink


if __name__ == "__main__":
    main()
