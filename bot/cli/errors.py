"""What a person sees when a command fails: one line that says what to do."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import ConfigurationError, SmartTalkerError, StorageError
from core.settings import Settings
from core.supervisor import EX_CONFIG, PARENT


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Exit status 1 after an error of ours or a bug; 78 for wrong settings under a supervisor, which then gives up."""
    try:
        yield
    except SmartTalkerError as error:
        report(error, str(error))
        sys.exit(EX_CONFIG if isinstance(error, ConfigurationError) and PARENT in os.environ else 1)
    except OSError as error:
        named = f": {error.filename}" if error.filename else ""
        report(error, f"{error.strerror or error}{named}. {StorageError.__doc__}")
        sys.exit(1)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        report(error, f"something went wrong inside SmartTalker ({what}); SMARTTALKER_LOG_LEVEL=debug shows where")
        sys.exit(1)


def report(error: BaseException, message: str) -> None:
    from core.logging import Redactor

    settings = _settings()
    redactor = Redactor.of(settings) if settings else Redactor()
    if settings and settings.log_level == "debug":
        print(redactor.text("".join(traceback.format_exception(error))), end="", file=sys.stderr)
    print(f"error: {redactor.text(' '.join(message.split()))}", file=sys.stderr, flush=True)


def _settings() -> Settings | None:
    try:
        return Settings()
    except ValueError:
        return None
