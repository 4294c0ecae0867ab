"""What runs in eSpeak's process: the library, and the vowels that Arabic needs first. Nothing of ours links to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.engines.tts.espeak.arabic import phonemes
from worker.engines.tts.espeak.library import Library, SynthesisFailed
from worker.engines.tts.espeak.tashkeel import Tashkeel
from worker.engines.tts.espeak.wire import Request
from worker.hosting.served import Progress, Refused


class Hosted:
    """worker.hosting.served.Served."""

    def __init__(self, progress: Progress) -> None:
        self._library, self._tashkeel = Library(), Tashkeel()

    def speak(self, **request: Any) -> Iterator[tuple[dict[str, Any], bytes]]:
        """request: the fields of a Request. One piece: {"sample_rate", "phonemes"} and 16-bit samples. Raises Refused
        for a voice or a text that the library does not take."""
        asked = Request(**request)
        try:
            if asked.language == "ar":
                sound, timed = self._library.speak(phonemes(self._tashkeel(asked.text)), asked, phonemes=True)
            else:
                sound, timed = self._library.speak(asked.text, asked)
        except SynthesisFailed as error:
            raise Refused(str(error)) from error
        yield {"sample_rate": self._library.sample_rate, "phonemes": timed}, sound.tobytes()
