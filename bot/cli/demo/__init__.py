"""`smarttalker demo`: one message in by text and one by voice, two videos out, through everything that there is."""

from __future__ import annotations

from bot.cli.demo.run import main

__all__ = ["main"]
