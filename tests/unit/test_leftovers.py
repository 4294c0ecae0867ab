"""What stays of a turn's files when it has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.leftovers import sweep

FILES = ("1/tts-000.npz", "1/voice.ogg", "2/tts-000.npz", "2/voice.ogg", "2/video.mp4")


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (("2/voice.ogg", "2/video.mp4"), {"2/voice.ogg", "2/video.mp4"}),
        (("2/voice.ogg",), {"2/voice.ogg"}),
        ((), set()),
    ],
)
def test_only_the_answers_own_files_stay(tmp_path: Path, keep: tuple[str, ...], left: set[str]) -> None:
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    sweep(tmp_path, [tmp_path / name for name in keep])
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == left


def test_a_turn_without_files_is_no_error(tmp_path: Path) -> None:
    sweep(tmp_path / "nothing", [])
