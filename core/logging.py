"""Logs: one JSON object a line on stderr, or lines for people where stderr is a terminal.

Each line carries the process and what is bound in the context: `turn_id`, `conversation_id`, `request_id`. structlog
and the standard library's loggers go the same way. No line holds a token; above debug none holds what somebody wrote
or said.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import structlog
from pydantic import SecretStr
from structlog.contextvars import bound_contextvars as log_context
from structlog.typing import EventDict, Processor

from core.settings import HOME, Settings

__all__ = ["Redactor", "configure_logging", "get_logger", "log_context", "where"]

_MASK = "***"
_WORDS = frozenset({"answer", "caption", "content", "prompt", "question", "text", "transcript"})
"""Keys under which somebody's words stand: shown at debug alone."""
_SECRETS = re.compile(r"token|secret|passw|authorization|api[_-]?key|admin[_-]?key|cookie", re.IGNORECASE)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"bot\d+:[A-Za-z0-9_-]{10,}"), f"bot{_MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {_MASK}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{_MASK}@"),
    (re.compile(r"(?i)([?&](?:[a-z_.]*token|api_?key|key|secret|signature|sig)=)[^&\s\"']+"), rf"\1{_MASK}"),
    (re.compile(r"\[parameters: .*?\](?=\n|\Z)", re.DOTALL), f"[parameters: {_MASK}]"),
    (re.compile(r"\b(DETAIL|CONTEXT): .*?(?=\n\[SQL|\n\n|\Z)", re.DOTALL), rf"\1: {_MASK}"),
    (re.compile(r"input_value=.*?, input_type=", re.DOTALL), f"input_value={_MASK}, input_type="),
)
"""Telegram's token in a URL; a header's credentials; a URL's password; keys in a query; a statement's values; the row
that PostgreSQL refused; the value that pydantic did."""
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line end, and those that turn a line's direction: in a terminal they would write over
other lines, or make a name read as another."""
_LINES = ("exception", "stack")
"""Keys under which several lines stand."""

_QUIET = ("arq", "httpcore", "httpx", "uvicorn.access", "websockets", "multipart", "asyncio", "PIL", "telegram", "pywa")
"""Loggers that say something for every request or job: heard at debug alone."""
_FIRST = ("timestamp", "level", "process", "event", "request_id", "conversation_id", "turn_id")
_COLOURS = {"bot": 36, "courier": 33, "render": 35, "child": 34, "up": 32}


def get_logger(name: str) -> Any:
    """A logger that takes key and value: `log.info("turn done", frames=250)`."""
    return structlog.stdlib.get_logger(name)


def configure_logging(process: str, settings: Settings, stream: TextIO | None = None) -> None:
    """Called once by a composition root. process: bot, courier, render, child or up; stream: stderr unless given."""
    stream = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        _process_name(process),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(shared, Redactor.of(settings), stream.isatty()))
    _install(handler, settings.log_level.upper())


class Redactor:
    """A processor that takes secrets out of every value, and people's words out of what is logged above debug."""

    def __init__(self, secrets: Sequence[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    @classmethod
    def of(cls, settings: Settings) -> Redactor:
        values = [getattr(settings, name) for name in type(settings).model_fields]
        return cls([value.get_secret_value() for value in values if isinstance(value, SecretStr)])

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        hide_words = event.get("level") != "debug"
        return {key: self._value(key, value, hide_words) for key, value in event.items()}

    def text(self, value: str) -> str:
        if self._known:
            value = self._known.sub(_MASK, value)
        for pattern, replacement in _PATTERNS:
            value = pattern.sub(replacement, value)
        return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", value)

    def _value(self, key: str, value: Any, hide_words: bool) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if _SECRETS.search(key):
            return _MASK
        if hide_words and key in _WORDS:
            return f"<{len(value)} characters>" if isinstance(value, str) else _MASK
        if isinstance(value, Mapping):
            return {str(name): self._value(str(name), inner, hide_words) for name, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", inner, hide_words) for inner in value]
        return self.text(value if isinstance(value, str) else str(value))


def _formatter(shared: list[Processor], redact: Redactor, terminal: bool) -> logging.Formatter:
    ending: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    ending += [structlog.processors.format_exc_info, redact, *(_pretty() if terminal else _json())]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=ending)


def _json() -> list[Processor]:
    return [_in_order, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _pretty() -> list[Processor]:
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback, pad_event_to=0)
    return [_prefix, structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False), renderer]


def _in_order(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """What every line has comes first, for those who read the lines as they are."""
    event.pop("color_message", None)  # uvicorn's event once more, for a terminal
    return {**{key: event[key] for key in _FIRST if key in event}, **event}


def _prefix(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Tells the processes' lines apart where they share a terminal; what came from outside stays on its line."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _LINES:
            event[key] = value.replace("\n", "\\n")
    name = str(event.pop("process", ""))
    event["event"] = f"\x1b[{_COLOURS.get(name, 37)}m{name:<7}\x1b[0m {event.get('event', '')}"
    for key in ("logger", "color_message"):
        event.pop(key, None)
    return event


def _process_name(process: str) -> Callable[[Any, str, MutableMapping[str, Any]], EventDict]:
    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> EventDict:
        event.setdefault("process", process)
        return event

    return add


def _install(handler: logging.Handler, level: str) -> None:
    """Makes the handler the only one: libraries that brought their own pass their records up."""
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.raiseExceptions = False  # a closed stderr must not end a turn
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "arq", "alembic"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name in _QUIET:
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    # A statement's log holds rows' values, and Alembic's tells of every start.
    for name in ("sqlalchemy", "alembic"):
        logging.getLogger(name).setLevel("WARNING")


def where(error: BaseException) -> list[str]:
    """The innermost frames of an error, without what the error says: that may hold a token or a message's text."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [f"{_short_path(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short_path(path: str) -> str:
    return str(Path(path).relative_to(HOME)) if Path(path).is_relative_to(HOME) else Path(path).name
