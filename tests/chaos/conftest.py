"""What the chaos runs measured, for `make chaos`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sized
from pathlib import Path

import pytest

Recovery = Callable[[str, Sized], None]
FIGURES = pytest.StashKey[dict[str, float]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", type=Path, help="write what was measured to this file, as flat JSON, and print it")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = {"turns_answered_once": 0}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    path = config.getoption("--figures", default=None)
    if path is None:
        return
    figures = config.stash[FIGURES]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")
    terminalreporter.section("figures")
    for name, value in figures.items():
        terminalreporter.write_line(f"{name:<36}{value:>8}")


@pytest.fixture
def recovered(pytestconfig: pytest.Config) -> Recovery:
    """Called with a name and the turns when each of them is answered once; the seconds since the test began count."""
    began = time.monotonic()

    def note(name: str, turns: Sized) -> None:
        figures = pytestconfig.stash[FIGURES]
        figures["turns_answered_once"] += len(turns)
        figures[f"answered_after_{name}_s"] = round(time.monotonic() - began, 2)

    return note
