"""The command line `smarttalker`. Each command imports what it needs when it is called."""

from __future__ import annotations

from bot.cli.app import app
from bot.cli.errors import one_line_errors

__all__ = ["app", "main"]


def main() -> None:
    """The console script."""
    with one_line_errors():
        app()
