"""Names of commands: no alias belongs to two, every command has its line in both languages."""

from __future__ import annotations

import re

import pytest

from bot.commands.admin import ADMIN
from bot.commands.registry import ALIASES, PUBLIC, known
from core.i18n import t
from core.kinds import LANGUAGES
from core.text import fold


def test_no_name_means_two_commands() -> None:
    spelled = [(fold(alias) or alias, name) for name in PUBLIC for alias in {name, *ALIASES[name]}]
    assert {alias: {name for other, name in spelled if other == alias} for alias, _ in spelled} == {
        alias: {name} for alias, name in spelled
    }
    assert not {fold(name) for name in ADMIN} & {alias for alias, _ in spelled}
    assert set(ALIASES) == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_has_a_line_that_platforms_take(name: str, language: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]{1,32}", name)
    assert 3 <= len(t(f"command-{name}-short", language)) <= 100


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("/help", True),
        ("/Help me", True),
        ("/help@bot", True),
        ("/مساعدة", True),
        ("/delete_me yes", True),
        ("help", False),
        ("/", False),
        ("/ what is this", False),
        ("/admin stats", False),
        ("/tmp is a folder", False),
        ("", False),
    ],
)
def test_public_commands_are_known(line: str, is_one: bool) -> None:
    assert known(line) is is_one
