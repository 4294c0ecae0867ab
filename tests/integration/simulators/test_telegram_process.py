"""The simulator as a process."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest


@pytest.mark.parametrize("options", [[], ["--local", "--no-rates", "--no-privacy", "--username", "other_bot"]])
def test_a_process_says_when_it_is_ready_and_ends_when_told(options: list[str]) -> None:
    command = [sys.executable, "-W", "error", "-m", "simulators", "telegram", "--token", "7:x", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            word, url = process.stdout.readline().split()
            assert word == "ready"
            told = httpx.get(f"{url}/bot7:x/getMe", trust_env=False).json()["result"]
            assert told["username"] == ("other_bot" if options else "smarttalker_bot")
            assert told["can_read_all_group_messages"] is bool(options)
        finally:
            process.terminate()
        _, errors = process.communicate(timeout=10)
    assert errors == ""


def test_a_wrong_platform_is_refused() -> None:
    ended = subprocess.run([sys.executable, "-m", "simulators", "signal"], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "telegram" in ended.stderr
