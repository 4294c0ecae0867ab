"""Hosts, with a small class of our own in them (tests/hosted.py)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core.embedded.process import alive, wait_until
from core.errors import ModelMissing, TTSError
from worker.frames import write_frame
from worker.hosting.host import HEED_S, Host, Piece
from worker.hosting.privacy import LEFT_OUT, Masker
from worker.hosting.process import HostProcess
from worker.hosting.program import Program

ROOT = Path(__file__).parents[2]
START_S = 20.0
WITHIN_S = 5.0
"""What is to come about does, at the latest."""
SECRET = "أشعر بحزن شديد منذ أن فقدت عملي في الشركة"


def host_of(load: str = "", memory_mb: int = 0, **arguments: Any) -> Host:
    program = Program(Path(sys.executable), "tests.hosted:Toy", {"load": load, **arguments}, memory_mb=memory_mb)
    return Host("toy", program, TTSError)


def calls(host: Host, method: str, patience_s: float = 5.0, private: tuple[str, ...] = (), **arguments: Any) -> Any:
    return host.stream(method, arguments, patience_s=patience_s, start_s=START_S, private=private)


def asks(host: Host, method: str, **arguments: Any) -> Piece:
    return host.ask(method, arguments, patience_s=5.0, start_s=START_S)


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    host = host_of()
    yield host
    host.stop()


@pytest.fixture
def host(shared: Host) -> Host:
    """Running, whatever the test before did to it."""
    shared.start(START_S)
    return shared


def test_pieces_come_as_they_are_made(host: Host) -> None:
    pid, times = host.pid, []
    for number, piece in enumerate(calls(host, "tones", count=4, hertz=500.0, each_s=0.1)):
        times.append(time.monotonic())
        sound = np.frombuffer(piece.payload, "<i2")
        assert piece.header == {"sample_rate": 8000, "number": number}
        assert np.abs(np.fft.rfft(sound)).argmax() == 50  # 500 Hz in a tenth of a second
    assert times[-1] - times[0] > 0.25
    assert host.pid == pid
    assert host.gpu_mb > 100
    assert 5 < host.ram_mb < 500


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
def test_any_size(host: Host, size: int) -> None:
    assert asks(host, "large", size=size).payload == bytes(size)


def test_progress_from_other_threads_stays_out_of_the_pieces(host: Host) -> None:
    assert [len(piece.payload) for piece in calls(host, "threads")] == [10_000] * 50


@pytest.mark.parametrize("text", ["hello", SECRET, "{}"])
def test_what_is_printed_is_no_frame(host: Host, text: str) -> None:
    piece = asks(host, "prints", text=text)
    assert piece == Piece({"read": ""}, b"printed")


def test_a_flood_of_errors_does_not_stop_it(host: Host) -> None:
    assert asks(host, "floods", lines=20_000).payload == b"done"


def test_what_it_sees_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMARTTALKER_API_KEY", "HF_TOKEN", "PYTHONPATH", "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES", "LC_TIME"):
        monkeypatch.setenv(name, "x")
    program = Program(Path(sys.executable), "tests.hosted:Toy", env={"HF_HUB_OFFLINE": "1"})
    state = asks(host := Host("toy", program, TTSError), "state").header
    host.stop()
    assert {"CUDA_VISIBLE_DEVICES", "LC_TIME", "HF_HUB_OFFLINE", "PATH"} <= set(state["env"])
    assert not {"SMARTTALKER_API_KEY", "HF_TOKEN", "PYTHONPATH", "VIRTUAL_ENV"} & set(state["env"])
    assert str(ROOT) not in state["path"]


FAULTS: dict[str, tuple[str, dict[str, Any], str, bool]] = {
    "exit": ("dies", {"how": "3"}, "toy: dies: the host ended with code 3.*last words", False),
    "kill -9": ("dies", {"how": "SIGKILL"}, "killed from outside; the next call starts it anew", False),
    "segmentation fault": ("dies", {"how": "SIGSEGV"}, "died of SIGSEGV; the next call starts it anew", False),
    "terminated": ("dies", {"how": "SIGTERM"}, "died of SIGTERM", False),
    "hang": ("silent", {"seconds": 30}, "said nothing for 0.3 s and was killed", False),
    "stopped": ("dies", {"how": "SIGSTOP"}, "said nothing for 0.3 s and was killed", False),
    "garbage": ("garbage", {"raw": "Downloading: 100%"}, "broke off and was killed: a frame of", False),
    "no JSON": ("garbage", {"raw": "\x00\x00\x00\x02\x00\x00\x00\x00{]"}, "broke off", False),
    "another's frame": ("garbage", {"raw": '\x00\x00\x00\x08\x00\x00\x00\x00{"a": 1}'}, "broke off", False),
    "half a frame": ("garbage", {"raw": "\x00\x00\x00\x08\x00\x00\x00\x00{"}, "said nothing for 0.3 s", False),
    "broken card": (
        "fails",
        {"text": "CUDA error: an illegal memory access was encountered", "kind": "RuntimeError"},
        "toy: RuntimeError: CUDA error: an illegal",
        False,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_host_that_breaks_is_told_and_started_anew(host: Host, fault: str) -> None:
    method, arguments, told, exhausted = FAULTS[fault]
    pid, got = host.pid, []
    assert pid is not None
    with pytest.raises(TTSError, match=f"(?s){told}") as caught:
        got.extend(calls(host, method, 0.3, **arguments))
    assert [piece.payload for piece in got] == [b"first"]
    assert caught.value.exhausted is exhausted
    assert not psutil.pid_exists(pid)
    assert host.pid is None
    assert len(list(calls(host, "tones"))) == 3
    assert host.pid not in (None, pid)


@pytest.mark.parametrize(
    ("kind", "exhausted", "permanent"),
    [("ValueError", False, False), ("MemoryError", True, False), ("Refused", False, True)],
)
def test_an_error_in_a_call_leaves_the_host(host: Host, kind: str, exhausted: bool, permanent: bool) -> None:
    pid, tidied = host.pid, asks(host, "state").header["tidied"]
    with pytest.raises(TTSError, match=r"toy: .*no such voice") as caught:
        list(calls(host, "fails", text="no such voice", kind=kind))
    assert (caught.value.exhausted, caught.value.permanent) == (exhausted, permanent)
    assert asks(host, "state").header["tidied"] == tidied + exhausted
    assert host.pid == pid


@pytest.mark.parametrize(
    ("method", "arguments", "told"),
    [
        ("nothing", {}, "nothing called 'nothing' in Toy"),
        ("_progress", {"what": "x"}, "nothing called '_progress'"),
        ("tones", {"no": 1}, "TypeError"),
        ("odd", {"what": "header"}, "TypeError|ValueError"),
        ("odd", {"what": "text"}, "TypeError"),
        ("tones", {"count": 2}, "more than one piece"),
        ("tones", {"count": 0}, "gave nothing"),
        ("tones", {"count": {1}}, "can't be asked so"),
        ("tones", {"count": "x" * 5_000_000}, "can't be asked so"),
    ],
)
def test_a_wrong_call_leaves_the_host(host: Host, method: str, arguments: dict[str, Any], told: str) -> None:
    pid = host.pid
    with pytest.raises(TTSError, match=told):
        asks(host, method, **arguments)
    assert len(list(calls(host, "tones", count=1))) == 1
    assert host.pid == pid


@pytest.mark.parametrize(
    ("load", "told", "exhausted"),
    [
        ("hang", "toy: starting: the host said nothing for 0.5 s", False),
        ("die", "toy: starting: the host ended with code 7.*before the end", False),
        ("fail", "toy: FileNotFoundError: no weights.*it printed last: ", False),
        ("memory", "toy: RuntimeError: CUDA out of memory", True),
    ],
)
def test_a_host_that_does_not_start(load: str, told: str, exhausted: bool) -> None:
    host = host_of(load)
    for _ in range(2):
        with pytest.raises(TTSError, match=f"(?s){told}") as caught:
            host.start(0.5 if load == "hang" else START_S)
        assert caught.value.exhausted is exhausted
        assert host.pid is None


def test_progress_makes_whoever_waits_patient() -> None:
    host = host_of(slowly_s=1.5)
    host.start(1.2)
    host.stop()
    host = host_of("hang", slowly_s=0.01)
    with pytest.raises(TTSError, match=r"starting \(part 4 of 5\): the host said nothing"):
        host.start(0.8)


@pytest.mark.parametrize("python", ["/no/such/python", "/etc/hostname"])
def test_an_environment_that_is_not_there(python: str) -> None:
    host = Host("toy", Program(Path(python), "tests.hosted:Toy"), TTSError)
    with pytest.raises(TTSError, match=r"does not run: .*models fetch"):
        host.start(1)


def test_the_program_is_asked_at_each_start() -> None:
    programs = [Program(Path(sys.executable), "tests.hosted:Toy")]

    def program() -> Program:
        if not programs:
            raise ModelMissing("no environment")
        return programs.pop()

    host = Host("toy", program, TTSError)
    host.start(START_S)
    host.start(START_S)
    host.stop()
    with pytest.raises(ModelMissing):
        host.start(START_S)
    assert host.pid is None


@pytest.mark.parametrize(
    ("how", "method", "arguments", "stays"),
    [
        ("close", "tones", {"count": 10_000}, True),
        ("close", "busy", {"seconds": 30}, True),
        ("close", "stubborn", {}, False),
        ("forget", "tones", {"count": 10_000}, True),
        ("another", "busy", {"seconds": 30}, True),
    ],
)
def test_a_call_that_is_left_is_cancelled(host: Host, how: str, method: str, arguments: Any, stays: bool) -> None:
    pid, start = host.pid, time.monotonic()
    pieces = calls(host, method, **arguments)
    next(pieces)
    match how:
        case "close":
            pieces.close()
        case "forget":
            del pieces
        case "another":
            assert asks(host, "large", size=1).payload == b"\0"
            with pytest.raises(TTSError, match="cut short"):
                next(pieces)
    assert len(list(calls(host, "tones", count=2))) == 2
    assert (host.pid == pid) is stays
    assert time.monotonic() - start < HEED_S + 1.0


@pytest.mark.parametrize(
    ("method", "arguments", "stays"), [("busy", {"seconds": 30}, True), ("silent", {"seconds": 30}, False)]
)
def test_a_call_is_interrupted(host: Host, method: str, arguments: Any, stays: bool) -> None:
    pid, start = host.pid, time.monotonic()
    host.interrupt()  # nothing is under way
    timer = threading.Timer(0.2, host.interrupt)
    timer.start()
    with pytest.raises(TTSError, match="was cancelled"):
        list(calls(host, method, **arguments))
    assert time.monotonic() - start < 0.2 + HEED_S + 0.7
    timer.join()
    assert asks(host, "large", size=1).payload == b"\0"
    assert (host.pid == pid) is stays


def test_a_cancel_does_not_wait_until_a_driver_lets_go(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def lingers(process: HostProcess, most_s: float) -> bool:
        time.sleep(1.0)
        return True

    pieces, process = calls(host, "silent", seconds=30), host._process
    next(pieces)
    assert process is not None
    with monkeypatch.context() as patched:
        patched.setattr(HostProcess, "ended_within", lingers)
        start = time.monotonic()
        pieces.close()
        assert time.monotonic() - start < HEED_S + 0.5
    assert wait_until(lambda: process._closed, WITHIN_S)
    assert wait_until(lambda: not psutil.pid_exists(process.pid), WITHIN_S)


def test_one_that_had_ended_is_closed_when_it_is_abandoned() -> None:
    host = host_of(memory_mb=1000)
    host.start(START_S)
    process = host._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: process._read_out, WITHIN_S)
    del host
    assert wait_until(lambda: process._closed, WITHIN_S)


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("how", ["interrupt", "stop"])
def test_a_start_is_interrupted(after_s: float, how: str) -> None:
    host, ended = host_of("hang"), threading.Event()

    def act() -> None:
        wait_until(lambda: host._work is not None, WITHIN_S)
        time.sleep(after_s)
        while not ended.wait(0.02):
            getattr(host, how)()

    thread = threading.Thread(target=act)
    thread.start()
    with pytest.raises(TTSError, match=r"cancelled|stopped"):
        host.start(10)
    ended.set()
    thread.join()
    assert host.pid is None


def test_a_stop_ends_a_call(host: Host) -> None:
    timer = threading.Timer(0.1, host.stop)
    timer.start()
    with pytest.raises(TTSError, match=r"stopped|cancelled"):
        list(calls(host, "silent", seconds=30))
    timer.join()
    assert host.pid is None
    host.stop()


def test_between_calls_it_may_go(host: Host) -> None:
    pid = host.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not psutil.pid_exists(pid), WITHIN_S)  # reaped, though nobody asks for it
    assert len(list(calls(host, "tones"))) == 3


def test_what_it_started_goes_with_it(host: Host) -> None:
    child = asks(host, "child").header["pid"]
    with pytest.raises(TTSError, match="code 5"):
        list(calls(host, "dies", how="5"))
    assert wait_until(lambda: not alive(child), WITHIN_S)


@pytest.mark.parametrize(("after", "exhausted"), [("oom_kill 3", False), ("oom_kill 4", True), ("", True)])
def test_the_kernel_is_asked_whether_it_killed_for_want_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str, exhausted: bool
) -> None:
    counters = tmp_path / "vmstat"
    counters.write_text("oom_kill_disable 0\noom_kill 3\n")
    monkeypatch.setattr("worker.hosting.memory._COUNTERS", counters)
    host = host_of()
    host.start(START_S)
    counters.write_text(f"nr_free_pages 7\n{after}\n")
    with pytest.raises(TTSError, match="killed by the kernel" if exhausted else "killed from outside") as caught:
        list(calls(host, "dies", how="SIGKILL"))
    assert caught.value.exhausted is exhausted
    host.stop()


def test_one_that_fills_memory_is_killed() -> None:
    host, got = host_of(memory_mb=120), []
    with pytest.raises(TTSError, match=r"grew to \d+ MB of memory, over the 120") as caught:
        got.extend(calls(host, "grows", mb=4000))
    assert caught.value.exhausted
    assert got == [Piece({}, b"first")]
    assert len(list(calls(host, "tones"))) == 3
    host.stop()


def test_one_at_a_time(host: Host) -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda size=size: results.append(len(asks(host, "large", size=size).payload)))
        for size in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(20))


def test_the_thread_that_started_it_may_end() -> None:
    """The kernel's "parent" of PR_SET_PDEATHSIG is a thread."""
    host = host_of()
    thread = threading.Thread(target=host.start, args=(START_S,))
    thread.start()
    thread.join()
    time.sleep(0.2)
    pid = host.pid
    assert pid is not None
    assert len(list(calls(host, "tones"))) == 3
    assert host.pid == pid
    host.stop()


_PARENT = """
import os, sys, time
from pathlib import Path
from core.errors import TTSError
from worker.hosting.host import Host
from worker.hosting.program import Program
host = Host("toy", Program(Path(sys.executable), "tests.hosted:Toy"), TTSError)
pieces = host.stream("silent", {"seconds": 60}, patience_s=5, start_s=20)
next(pieces)
print(host.pid, flush=True)
"""


@pytest.mark.parametrize("then", ["time.sleep(60)", "sys.exit(3)", "os._exit(0)"])
def test_it_dies_with_its_parent(then: str) -> None:
    """Killed or ended, in the middle of a call."""
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT + then], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        if "sleep" in then:
            parent.kill()
    assert wait_until(lambda: not alive(pid), WITHIN_S)


def test_a_forked_copy_of_us_has_no_host(host: Host) -> None:
    pid = host.pid
    copy = os.fork()
    if not copy:
        with suppress(BaseException):
            fine = host.pid is None
            host.stop()
            os._exit(0 if fine else 1)
        os._exit(2)
    assert os.waitpid(copy, 0)[1] == 0
    assert len(list(calls(host, "tones"))) == 3
    assert host.pid == pid


def test_nothing_is_left_open() -> None:
    def held() -> tuple[int, int, list[int]]:
        own = psutil.Process()
        return own.num_fds(), own.num_threads(), [each.pid for each in own.children()]

    with suppress(TTSError):
        host_of("die").start(5)  # whatever is opened once and kept
    time.sleep(0.3)
    before = held()
    for load in ("", "die"):
        host = host_of(load)
        with suppress(TTSError):
            list(calls(host, "dies", how="1"))
        host.stop()
        host.stop()
    forgotten = host_of()
    forgotten.start(START_S)
    del forgotten
    assert wait_until(lambda: held() <= before, WITHIN_S)


@pytest.mark.parametrize(
    ("load", "method", "arguments"),
    [
        ("die", "tones", {}),
        ("fail", "tones", {}),
        ("", "fails", {"text": f"can't say:\n{SECRET!r}"}),
        ("", "dies", {"how": "1", "words": SECRET}),
        ("", "dies", {"how": "1", "words": f"text: {SECRET[5:20]}"}),
        ("", "dies", {"how": "1", "words": ascii(SECRET)}),
    ],
)
def test_what_is_said_stays_private(load: str, method: str, arguments: dict[str, Any]) -> None:
    """Also where an earlier call said it."""
    host = host_of(load, words=SECRET)
    with pytest.raises(TTSError) as caught:  # noqa: PT012
        list(calls(host, "large", private=(SECRET,), size=1))
        list(calls(host, method, private=("what is said next",), **arguments))
    host.stop()
    told = str(caught.value)
    assert LEFT_OUT in told
    assert not any(SECRET[at : at + 8] in told for at in range(len(SECRET) - 8))
    assert "\\u06" not in told


@pytest.mark.parametrize(
    ("private", "line", "shown"),
    [
        ("Please call my doctor", "token: 'Please call my doctor'", False),
        ("Please call my doctor", "…ase call my do…", False),
        ("Please call my doctor", "PLEASE, CALL; MY DOCTOR", False),
        ("Please call my doctor", "pleasecallmydoctor", False),
        ("Please call my doctor", "my doctor", False),
        ("Please call my doctor", "please wait", True),
        ("Please call my doctor", "CUDA error: out of memory", True),
        ("Yes.", "text Yes. spoken", False),
        ("Yes.", "RuntimeError: bytes.", True),
        ("I", "an index I of 3", False),
        ("I", "IndexError", True),
        ("", "anything", True),
        ("مرحبًا بك في عيادتنا", "input: مرحبا بك في عيادتنا", False),
        ("مرحبًا بك في عيادتنا", json.dumps("مرحبًا بك في عيادتنا"), False),
        ("مرحبًا بك في عيادتنا", str("مرحبًا بك في عيادتنا".encode()), False),
    ],
)
def test_masks(private: str, line: str, shown: bool) -> None:
    assert Masker([private])(line) == (line if shown else LEFT_OUT)


PYTHONS = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in (10, 12)))]


@pytest.fixture(params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    """This one, and other versions that engines may bring."""
    if subprocess.run([request.param, "-c", ""], capture_output=True, check=False).returncode:
        pytest.skip("a name without a program behind it")
    return str(request.param)


_BARE = """
import json, socket, sys
sys.path.append({root!r})
import worker.hosting.boot, worker.hosting.served, worker.hosting.serving
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in ("worker", "core"))))
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names))))
"""


def test_the_other_side_needs_the_standard_library_alone(python: str) -> None:
    ours = ["core", "core.errors", "core.kinds", "worker", "worker.exhaustion", "worker.frames", "worker.hosting"]
    code = _BARE.format(root=str(ROOT))
    ran = subprocess.run([python, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    modules, foreign = map(json.loads, ran.stdout.splitlines())
    assert modules == [*ours, *(f"worker.hosting.{each}" for each in ("boot", "served", "serving"))]
    assert set(foreign) <= {"__main__", "core", "worker"}


def test_it_serves_in_other_pythons(python: str) -> None:
    host = Host("toy", Program(Path(python), "tests.hosted:Toy"), TTSError)
    assert len(list(calls(host, "tones"))) == 3
    host.stop()


def test_frames_that_come_after_the_host_has_died_are_heard(host: Host) -> None:
    """What it sent before it died is whole, and comes first."""
    assert host._process is not None
    pieces = calls(host, "dies", how="9")
    first = next(pieces)
    assert wait_until(lambda: host.pid is None, WITHIN_S)
    assert first.payload == b"first"
    with pytest.raises(TTSError, match="code 9"):
        next(pieces)


def test_an_order_that_is_none_ends_it(host: Host) -> None:
    assert host._process is not None
    pid = host.pid
    write_frame(host._process.channel._file, {"do": "call", "call": 99})
    assert wait_until(lambda: host.pid is None, WITHIN_S)
    assert pid is not None
    assert len(list(calls(host, "tones"))) == 3
