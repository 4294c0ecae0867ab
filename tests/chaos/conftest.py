"""What the chaos runs measured, for `make chaos`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sized
from pathlib import Path

import pytest

Recovery = Callable[[str, Sized], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", type=Path, help="write what was measured to this file, as flat JSON")


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Iterator[dict[str, float]]:
    """Figure name → number."""
    collected: dict[str, float] = {"turns_answered_once": 0}
    yield collected
    path = request.config.getoption("--figures", default=None)
    if path is not None and not request.session.testsfailed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(collected, indent=2) + "\n")


@pytest.fixture
def recovered(figures: dict[str, float]) -> Recovery:
    """Called with a name and the turns when each of them is answered once; the seconds since the test began count."""
    began = time.monotonic()

    def note(name: str, turns: Sized) -> None:
        figures["turns_answered_once"] += len(turns)
        figures[f"answered_after_{name}_s"] = round(time.monotonic() - began, 2)

    return note
