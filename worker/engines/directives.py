"""What the fakes are told to do, so that tests can make any layer slow, silent, wrong or dead.

A text that holds `#<what> <layer>` is a directive for the fake engine of that layer: `#fail tts` raises the layer's
error, `#crash llm` kills the process, `#hang tts` never returns, `#oom video` finds no memory, `#sleep 1.5 emotion`
waits so many seconds. `#once crash llm` does it the first time alone that the layer meets this text, whichever process
met it: what has happened is kept below DATA_DIR/run. No other engine reads them.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import time
from pathlib import Path

from core.errors import LayerError
from core.kinds import Layer
from core.settings import Settings

_DIRECTIVE = re.compile(
    r"#(?P<once>once +)?(?P<what>fail|crash|hang|oom|sleep +(?P<seconds>\d+(?:\.\d+)?)) +(?P<layer>[a-z]+)"
)
_FOREVER_S = 3600.0


def obey(text: str, layer: Layer, error: type[LayerError]) -> None:
    """Carries out, in order, the directives of the text that name the layer."""
    for found in _DIRECTIVE.finditer(text):
        if found["layer"] != layer or (found["once"] and _was(text, found)):
            continue
        if found["what"] == "fail":
            raise error(f"the {layer} fake was told to fail")
        if found["what"] == "oom":
            raise MemoryError(f"the {layer} fake was told to find no memory")
        if found["what"] == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(float(found["seconds"] or _FOREVER_S))


def _was(text: str, found: re.Match[str]) -> bool:
    """Whether this directive of this text has happened already; from now on it has."""
    folder = Settings().data_dir / "run" / "once"
    folder.mkdir(parents=True, exist_ok=True)
    sign = Path(folder, hashlib.sha256(f"{found.start()} {text}".encode()).hexdigest())
    try:
        sign.open("x").close()
    except FileExistsError:
        return True
    return False
