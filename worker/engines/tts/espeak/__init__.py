"""eSpeak NG: speech with phoneme times, Arabic and English, on any CPU.

libespeak-ng is GPL-3, so it runs in a host (worker.hosting), a process that is spoken to through a socket; nothing in
our own processes links to it.
"""

from __future__ import annotations

from worker.engines.tts.espeak.engine import Espeak

__all__ = ["Espeak"]
