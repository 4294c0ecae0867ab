"""The benchmarks' own arithmetic, load generator and memory meter."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import psutil
import pytest

from bench import GROUPS, growth, main, page, recovery
from bench.figures import TARGETS, Target, keep, percentile, spread
from bench.intake import BODY
from bench.load import Asked, offer
from bench.memory import Watch, pss_mib
from bench.run import measurement
from bench.speakers import AVATAR, LONG, SHORT, make
from core.catalogue import Catalogue
from core.errors import ConfigurationError, SurroundingsError


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.5, 7.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([4.0, 3.0, 2.0, 1.0], 1.0, 4.0),
        (list(map(float, range(1, 101))), 0.99, 99.0),
        (list(map(float, range(1, 1001))), 0.95, 950.0),
        ([1.0, 2.0], 0.0, 1.0),
    ],
)
def test_percentiles_are_nearest_ranks(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_spread_names_its_figures() -> None:
    assert spread("post", [1.0, 9.0]) == {
        "post_p50_ms": 1.0,
        "post_p95_ms": 9.0,
        "post_p99_ms": 9.0,
        "post_max_ms": 9.0,
    }


@pytest.mark.parametrize(
    ("target", "measured", "met"),
    [(Target(5), 5.0, True), (Target(5), 5.1, False), (Target(5, least=True), 5.0, True)],
)
def test_targets(target: Target, measured: float, met: bool) -> None:
    assert target.met(measured) is met


def test_figures_of_other_groups_stay(tmp_path: Path) -> None:
    path = tmp_path / "outputs" / "bench.json"
    keep(path, {"b_ms": 2.0, "a_s": 1.0})
    keep(path, {"b_ms": 3.00004})
    assert json.loads(path.read_text()) == {"a_s": 1.0, "b_ms": 3.0}


def test_a_broken_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    path.write_text("[1")
    keep(path, {"a_s": 1.0})
    assert json.loads(path.read_text()) == {"a_s": 1.0}


def test_every_group_can_be_measured() -> None:
    assert all(callable(measurement(name)) for name in GROUPS)


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such group: nonesuch"):
        main(["nonesuch"], tmp_path / "bench.json")


def test_targets_are_as_the_project_set_them() -> None:
    assert str(TARGETS["turns_per_s"]) == "≥ 20"
    assert str(TARGETS["intake_100_p99_ms"]) == "≤ 100"


def test_the_page_says_what_was_measured_and_what_was_missed() -> None:
    said = "\n".join(page.lines({"queued_web_p50_ms": 7.04, "queued_web_p99_ms": 151.26, "restart_stop_s": 1234.5}))
    assert "| ≤ 150 ms | 7.04 ms; **151 ms** (missed) | `queued_web_p50_ms`, `queued_web_p99_ms` |" in said
    assert "| – | 1,230 s; – | `restart_stop_s`, `restart_stop_worst_s` |" in said
    assert "| ≥ 1.1; ≥ 1.1 | –; – |" in said


def test_every_row_of_the_page_is_measured_by_a_name_of_its_own() -> None:
    names = [name for row in page.ROWS.values() for name in row]
    assert len(set(names)) == len(names)


def test_rates_are_means_over_all_runs_and_times_are_against_one_process() -> None:
    assert growth.table("growth", {1: [10.0, 10.0], 4: [4.0, 6.0]}, 20) == {
        "growth_1_turns_per_s": 2.0,
        "growth_4_turns_per_s": 4.0,
        "growth_4_times": 2.0,
    }


def test_medians_and_the_worst_of_recoveries() -> None:
    assert recovery.table({"recovery_bot": [3.0, 1.0, 2.0]}) == {"recovery_bot_s": 2.0, "recovery_bot_worst_s": 3.0}


class Server(http.server.ThreadingHTTPServer):
    """Answers every POST with one status, and stalls once; runs inside `with`."""

    def __init__(self, status: int, stall_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.stall_s = status, stall_s
        self.gate = threading.Lock()
        self.bodies: list[bytes] = []

    def __enter__(self) -> Server:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.gate:
            self.server.bodies.append(body)
            stall, self.server.stall_s = self.server.stall_s, 0.0
            threading.Event().wait(stall)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.mark.skipif(shutil.which("node") is None, reason="the load generator is written for Node")
@pytest.mark.parametrize(
    ("stall_s", "slow"), [(0.0, 0), (0.5, 15)], ids=["at the rate", "a stall is charged to all who would have come"]
)
def test_the_load_generator(stall_s: float, slow: int) -> None:
    with Server(202, stall_s) as server:
        ms = offer(f"http://127.0.0.1:{server.server_port}", 50, 1, [Asked(BODY, {"X-Other": "yes"}), Asked("{}")])
    assert len(ms) == len(server.bodies) == 50
    assert {body.decode() if isinstance(body, bytes) else body for body in server.bodies} == {BODY, "{}"}
    # 500 ms at 50/s: 25 requests fall into the stall, and those of its first 0.3 s wait for 0.2 s or more.
    assert sum(each > 200 for each in ms) >= slow


@pytest.mark.skipif(shutil.which("node") is None, reason="the load generator is written for Node")
def test_anything_but_202_is_an_error() -> None:
    with Server(500) as server, pytest.raises(SurroundingsError, match="500"):
        offer(f"http://127.0.0.1:{server.server_port}", 20, 1, [Asked(BODY)])


def test_memory_is_seen_at_its_peak() -> None:
    me = psutil.Process(os.getpid())
    before = pss_mib(me)
    with Watch(me) as watch:
        held = bytearray(os.urandom(64 * 1024 * 1024))
        threading.Event().wait(0.5)
        del held
    assert 55 < watch.peak_mib - before < 120


def test_a_speaker_of_ten_and_of_sixty_seconds(tmp_path: Path) -> None:
    spoken = make(tmp_path)
    persona = Catalogue(tmp_path).avatar(AVATAR).persona
    assert spoken[SHORT] == pytest.approx(10, abs=2.5)
    assert spoken[LONG] == pytest.approx(60, abs=2.5)
    assert [answer.questions["en"] for answer in persona.answers] == [(SHORT,), (LONG,)]


def test_a_group_that_lacks_something_is_left_out_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SurroundingsError, match="not measured: intake"):
        main(["intake"], tmp_path / "bench.json")
