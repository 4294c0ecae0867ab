"""What a log line holds, and what it must not."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from core.logging import Redactor, configure_logging, get_logger, log_context
from core.settings import Settings

TELEGRAM = "123456:AAbbCCddEEffGGhhIIjj"
Lines = Callable[[], list[dict[str, Any]]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, raising = logging.getLogger(), logging.raiseExceptions
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in ("httpx", "arq", "sqlalchemy", "uvicorn.access")}
    yield
    root.handlers, logging.raiseExceptions = handlers, raising
    root.setLevel(level)
    for name, value in levels.items():
        logging.getLogger(name).setLevel(value)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def configured(level: str = "info", stream: io.StringIO | None = None) -> Lines:
    stream = stream or io.StringIO()
    settings = Settings(_env_file=None, log_level=level, telegram_token=TELEGRAM, api_key="k-secret-1")
    configure_logging("bot", settings, stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_an_object_with_process_level_time_and_context() -> None:
    lines = configured()
    with log_context(turn_id="t1", conversation_id="c1", request_id="r1"):
        get_logger("bot.intake").info("turn stored", frames=3)
    (line,) = lines()
    assert list(line)[:4] == ["timestamp", "level", "process", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "event": "turn stored", "level": "info", "logger": "bot.intake", "process": "bot", "frames": 3,
        "turn_id": "t1", "conversation_id": "c1", "request_id": "r1",
    }  # fmt: skip


def test_the_standard_librarys_loggers_go_the_same_way() -> None:
    lines = configured()
    with log_context(turn_id="t1"):
        logging.getLogger("uvicorn.error").warning("port %d", 80)
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            logging.captureWarnings(True)
            warnings.warn_explicit("old", UserWarning, "file.py", 1)
    port, old = lines()
    assert (port["event"], port["level"], port["turn_id"]) == ("port 80", "warning", "t1")
    assert old["logger"] == "py.warnings"


def test_arabic_is_readable_and_a_line_stays_one() -> None:
    stream = io.StringIO()
    configured(stream=stream)
    get_logger("x").info("سطر\nوسطر")
    assert stream.getvalue().count("\n") == 1
    assert "سطر" in stream.getvalue()


@pytest.mark.parametrize("key", ["text", "transcript", "prompt", "answer"])
def test_words_are_hidden_above_debug(key: str) -> None:
    lines = configured("debug")
    log = get_logger("x")
    log.info("heard", **{key: "my secret wish"})
    log.warning("heard", message={key: "my secret wish"})
    log.debug("heard", **{key: "my secret wish"})
    info, warning, debug = lines()
    assert info[key] == warning["message"][key] == "<14 characters>"
    assert debug[key] == "my secret wish"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (f"GET https://api.telegram.org/bot{TELEGRAM}/getMe", "GET https://api.telegram.org/bot***/getMe"),
        ("https://api.telegram.org/file/bot99:ZZZZZZZZZZZZ/a.oga", "https://api.telegram.org/file/bot***/a.oga"),
        ("the key is k-secret-1.", "the key is ***."),
        ("Authorization: Bearer abcdef.ghij", "Authorization: Bearer ***"),
        ("postgresql+asyncpg://me:pass@host/db", "postgresql+asyncpg://me:***@host/db"),
        ("/media?access_token=abc&x=1", "/media?access_token=***&x=1"),
        ("failed [SQL: x]\n[parameters: ('my wish', [1])]\n(more)", "failed [SQL: x]\n[parameters: ***]\n(more)"),
        ("nothing to hide: 12:30, a robot12 and https://host:8080/x", None),
    ],
)  # fmt: skip
def test_secrets_are_taken_out_of_every_text(given: str, shown: str | None) -> None:
    assert Redactor([TELEGRAM, "k-secret-1"]).text(given) == (given if shown is None else shown)


def test_secrets_are_taken_out_of_keys_nested_values_and_tracebacks() -> None:
    lines = configured("debug")
    log = get_logger("x")
    log.info("sent", whatsapp_token="abc", headers={"X-Api-Key": "q"}, urls=[f"/bot{TELEGRAM}/x"], tokens=3)
    try:
        raise ValueError(f"no answer from bot{TELEGRAM}")
    except ValueError:
        log.exception("failed")
    sent, failed = lines()
    assert (sent["whatsapp_token"], sent["headers"], sent["urls"]) == ("***", {"X-Api-Key": "***"}, ["/bot***/x"])
    assert sent["tokens"] == 3  # a number is no secret
    assert "ValueError: no answer from bot***" in failed["exception"]


def test_what_libraries_say_for_every_request_is_heard_at_debug_alone() -> None:
    lines = configured("info")
    logging.getLogger("httpx").info("HTTP Request")
    get_logger("x").debug("detail")
    assert lines() == []
    louder = configured("debug")
    logging.getLogger("httpx").info("HTTP Request")
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT")
    assert [line["event"] for line in louder()] == ["HTTP Request"]


def test_on_a_terminal_lines_are_for_people_and_as_silent() -> None:
    stream = Terminal()
    configured(stream=stream)
    try:
        raise ValueError("k-secret-1")
    except ValueError:
        get_logger("x").exception("turn failed", turn_id="t1", text="wish")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
    assert re.match(r"\d\d:\d\d:\d\d \[error +\] bot +turn failed", shown)
    assert "turn_id=t1" in shown
    assert "k-secret-1" not in shown
    assert "wish" not in shown
