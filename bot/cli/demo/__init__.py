"""`smarttalker demo`: one message in by text and one by voice, two videos out, through everything that there is."""

from __future__ import annotations

from pathlib import Path


def main(output: Path | None = None) -> None:
    """output: the folder for the videos, outputs/demo unless given. Raises as `bot.cli.demo.run.main`."""
    from bot.cli.demo import run

    run.main(output or run.OUTPUT)
