"""docs/security.md: every line names tests that exist."""

from __future__ import annotations

import re

import pytest

from core.settings import HOME

PAGE = (HOME / "docs" / "security.md").read_text()
LINES = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| from ", "| who "))]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def test_every_line_of_the_table_names_a_test() -> None:
    assert len(LINES) > 25
    assert [line for line in LINES if "`tests/" not in line] == []


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    source = (HOME / file).read_text()
    assert re.search(rf"^ *(async )?def {name}\(", source, re.MULTILINE), f"{file} has no {name}"
