from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.metrics import Metrics, clean

WORKER = """
import sys
from pathlib import Path
from core.metrics import Metrics
metrics = Metrics(Path(sys.argv[1]))
metrics.layer("tts", "espeak", 0.3)
metrics.turn("done", 2.0)
metrics.turn("failed")
metrics.sent("web", "video", "sent")
metrics.step("video")
metrics.choice("musetalk", "faster")
metrics.child_restart()
"""


def work(directory: Path) -> None:
    subprocess.run([sys.executable, "-c", WORKER, str(directory)], check=True)


def test_figures_of_several_processes_are_added_up(tmp_path: Path) -> None:
    work(tmp_path)
    work(tmp_path)
    metrics = Metrics(tmp_path)
    metrics.turn("done", 1.0)
    metrics.http("GET", "/healthz", 200, 0.002)
    text = metrics.exposition({"queued": 3}).decode()
    for line in (
        'smarttalker_turns_total{state="done"} 3.0',
        'smarttalker_turns_total{state="failed"} 2.0',
        "smarttalker_turn_seconds_count 3.0",
        'smarttalker_layer_seconds_bucket{engine="espeak",layer="tts",le="0.5"} 2.0',
        'smarttalker_outbox_total{channel="web",kind="video",state="sent"} 2.0',
        'smarttalker_steps_total{layer="video"} 2.0',
        'smarttalker_video_choices_total{engine="musetalk",why="faster"} 2.0',
        "smarttalker_child_restarts_total 2.0",
        'smarttalker_http_request_seconds_count{method="GET",route="/healthz",status="200"} 1.0',
        'smarttalker_queue_depth{state="queued"} 3.0',
    ):
        assert line in text


def test_what_is_kept_is_what_was_said_last(tmp_path: Path) -> None:
    work(tmp_path)
    metrics = Metrics(tmp_path)
    assert "\nsmarttalker_media_bytes " not in metrics.exposition().decode()
    saying = (
        "import sys; from pathlib import Path; from core.metrics import Metrics; Metrics(Path(sys.argv[1])).media(7)"
    )
    metrics.media(9)
    subprocess.run([sys.executable, "-c", saying, str(tmp_path)], check=True)
    assert "smarttalker_media_bytes 7.0" in metrics.exposition().decode()


def test_files_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    work(tmp_path)
    Metrics(tmp_path).turn("done")
    clean(tmp_path)
    assert len(list(tmp_path.glob("*.db"))) == 3
    assert 'smarttalker_turns_total{state="done"} 1.0' in Metrics(tmp_path).exposition().decode()


def test_without_a_place_for_files_a_process_counts_for_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics").write_text("a file where a folder should be")
    metrics = Metrics(tmp_path / "metrics")
    metrics.turn("done")
    assert 'smarttalker_turns_total{state="done"} 1.0' in metrics.exposition().decode()
    assert "metrics_not_shared" in capsys.readouterr().out
