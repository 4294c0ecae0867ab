"""What the fakes are told to do, so that tests can make any layer slow, silent, wrong or dead.

A text that holds `#<what> <layer>` is a directive for the fake engine of that layer: `#fail tts` raises the layer's
error, `#crash llm` kills the process, `#hang tts` never returns, `#sleep 1.5 emotion` waits so many seconds. No other
engine reads them.
"""

from __future__ import annotations

import os
import re
import signal
import time

from core.errors import LayerError
from core.kinds import Layer

_DIRECTIVE = re.compile(r"#(?P<what>fail|crash|hang|sleep +(?P<seconds>\d+(?:\.\d+)?)) +(?P<layer>[a-z]+)")
_FOREVER_S = 3600.0


def obey(text: str, layer: Layer, error: type[LayerError]) -> None:
    """Carries out, in order, the directives of the text that name the layer."""
    for found in _DIRECTIVE.finditer(text):
        if found["layer"] != layer:
            continue
        if found["what"] == "fail":
            raise error(f"the {layer} fake was told to fail")
        if found["what"] == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(found["seconds"] or _FOREVER_S))
