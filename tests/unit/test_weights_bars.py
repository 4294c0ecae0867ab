"""Progress: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress as RichProgress

from bot.cli.models import bars
from bot.cli.models.bars import Bar, Lines, shown


def test_a_bar_shows_what_is_under_way_alone() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with RichProgress(console=console) as rich:
        bar = Bar(rich)
        bar.begin("tiny/a", 100)
        bar.advance(100)
        bar.begin("tiny/b", 200, done=50)
        bar.advance(100)
        bar.advance(-50)
        (task,) = rich.tasks
        bar.note("[bold] is no style")
    assert (task.description, task.completed, task.total, task.visible) == ("tiny/b", 100, 200, True)
    assert "[bold] is no style" in console.file.getvalue()  # type: ignore[attr-defined]


def test_in_a_pipe_there_are_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: clock[0])
    with shown() as progress:
        assert isinstance(progress, Lines)
        progress.begin("tiny/model.pt", 2_000_000_000)
        for clock[0] in (101.0, 111.0, 112.0, 122.0):
            progress.advance(400_000_000)
        progress.begin("environment", None)
        clock[0] = 133.0
        progress.advance(5)
        progress.note("done")
    assert capsys.readouterr().out.splitlines() == [
        "tiny/model.pt: 800.0 MB of 2.0 GB, 40 %",
        "tiny/model.pt: 1.6 GB of 2.0 GB, 80 %",
        "environment: 5 bytes",
        "done",
    ]
