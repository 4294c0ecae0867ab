"""The pipes between the render process and its child, and how long it waits for the child's engines."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import ChildDied, ConfigurationError
from core.settings import HOME
from worker import child_process
from worker.child_process import STOP_MOST_S, STOP_S, Child
from worker.frames import read_frame, write_frame

CHATTER = """
import os, subprocess, sys
from worker.child import own_pipes
from worker.frames import read_frame, write_frame

orders, reports = own_pipes()
print("a library's chatter")
sys.stdout.flush()
os.write(1, b"a C library's chatter\\n")
subprocess.run(["cat"], check=True)
subprocess.run(["echo", "a program's chatter"], check=True)
while (frame := read_frame(orders)) is not None:
    write_frame(reports, frame[0])
"""
SLOW = """#!{python} -S
import sys, time
sys.path.insert(0, {home!r})
from worker.frames import write_frame
for kind in {kinds!r}:
    time.sleep({pause})
    write_frame(sys.stdout.buffer, {{"kind": kind, "detail": "X: because", **{told!r}}})
time.sleep(60)
"""

LOADED = {"layer": "llm", "engine": "fake"}

OBEDIENT = """#!{python} -S
import select, sys
sys.path.insert(0, {home!r})
from worker.frames import read_frame, write_frame
orders = open(0, "rb", buffering=0)
write_frame(sys.stdout.buffer, {{"kind": "ready"}})
while (frame := read_frame(orders)) is not None:
    stopped = select.select([orders], [], [], frame[0]["for"])[0] and read_frame(orders)
    write_frame(sys.stdout.buffer, {{"kind": "cancelled" if stopped else "done", "worn": False}})
"""


TELLING = """#!{python} -S
import sys, time
sys.path.insert(0, {home!r})
from worker.frames import write_frame
for report in {told!r}:
    write_frame(sys.stdout.buffer, report)
time.sleep(60)
"""


def test_what_libraries_and_programs_print_and_read_does_not_touch_the_frames() -> None:
    sent = io.BytesIO()
    for number in range(3):
        write_frame(sent, {"do": number})
    told = subprocess.run(
        [sys.executable, "-c", CHATTER], cwd=HOME, input=sent.getvalue(), capture_output=True, timeout=30, check=True
    )
    assert told.stdout == sent.getvalue()
    assert read_frame(io.BytesIO(told.stdout)) == ({"do": 0}, b"")
    for whose in ("a library's", "a C library's", "a program's"):
        assert f"{whose} chatter" in told.stderr.decode()


@pytest.mark.parametrize(
    ("kinds", "error"),
    [
        (["engine_loaded"] * 4 + ["ready"], None),
        (["unload_failed", "failed"], ConfigurationError),
        ([], ChildDied),
        (["engine_loaded"], ChildDied),
    ],
    ids=["one engine after another", "refused", "nothing happens", "stuck"],
)
async def test_a_child_may_take_long_as_long_as_it_goes_on(
    kinds: list[str], error: type[Exception] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text(
        SLOW.format(python=sys.executable, home=str(HOME), kinds=kinds, pause=0.3, told={**LOADED, "seconds": 0.1})
    )
    program.chmod(0o755)
    monkeypatch.setattr(child_process.sys, "executable", str(program))
    monkeypatch.setattr(child_process, "START_S", 1.0)
    child = Child({})
    if error is None:
        await child.start()
        assert child.alive
        await child.kill()
    else:
        with pytest.raises(error, match=r"because|nothing happened"):
            await child.start()
    assert not child.alive


@pytest.mark.parametrize(
    ("loads", "evicted", "stop_s"),
    [
        ({}, [], STOP_S),
        ({"a": 0.4, "b": 0.9}, [], STOP_S),
        ({"a": 3.0, "b": 9.0}, [], 12.0),
        ({"a": 3.0, "b": 9.0}, ["b"], 3.0),
        ({"a": 3.0}, ["a", "b"], STOP_S),
        ({"a": 30.0, "b": 90.0}, [], STOP_MOST_S),
    ],
    ids=["nothing is loaded", "small engines", "large ones", "one left", "all left", "more than anybody waits"],
)
async def test_a_child_is_given_as_long_to_stop_as_another_would_take_to_be_where_it_is(
    loads: dict[str, float], evicted: list[str], stop_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [{"kind": "engine_loaded", "layer": "tts", "engine": name, "seconds": s} for name, s in loads.items()]
    told += [{"kind": "engine_evicted", "layer": "tts", "engine": name, "why": ""} for name in evicted]
    program, python = tmp_path / "python", sys.executable
    program.write_text(TELLING.format(python=python, home=str(HOME), told=[*told, {"kind": "ready"}]))
    program.chmod(0o755)
    monkeypatch.setattr(child_process.sys, "executable", str(program))
    child = Child({})
    await child.start()
    assert child.stop_s == pytest.approx(stop_s)
    await child.kill()
    program.write_text(TELLING.format(python=python, home=str(HOME), told=[{"kind": "ready"}]))
    await child.start()
    assert child.stop_s == STOP_S, "another one holds nothing yet"
    await child.kill()


async def test_what_was_stopped_may_be_done_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "python"
    program.write_text(OBEDIENT.format(python=sys.executable, home=str(HOME)))
    program.chmod(0o755)
    monkeypatch.setattr(child_process.sys, "executable", str(program))
    child = Child({})
    ends = []
    for seconds in (10, 0.2):
        if seconds == 10:
            asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(child.stop("a")))
        ends += [report["kind"] async for report in child.run("a", {"for": seconds})]
    await child.kill()
    assert ends == ["cancelled", "done"]
