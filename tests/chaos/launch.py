"""`smarttalker` with two differences: the embedded servers, which get an environment of their own, see the clock of
`tests.chaos.clock` too; and it ends, in order, when the process that started it does, however that ends."""

from __future__ import annotations

import os
import signal

from bot.cli import main
from core.embedded import process
from core.lifeline import die_with_parent
from tests.chaos.clock import PRELOAD, VARIABLE

PARENT = "CHAOS_PARENT"
_plain = process.clean_environment
_clock = {name: os.environ[name] for name in (PRELOAD, VARIABLE) if name in os.environ}


def environment() -> dict[str, str]:
    return _plain() | _clock


if __name__ == "__main__":
    die_with_parent(int(os.environ[PARENT]), signal.SIGTERM)
    process.clean_environment = environment
    main()
