"""What uv and pip say while they install, as progress."""

from __future__ import annotations

import pytest

from core.weights.packages import Packages
from tests.weights_told import Told

UV = """\
Resolved 3 packages in 196ms
Downloading numpy (17.4MiB)
Downloading torch (846.5MiB)
 Downloaded numpy
 Downloaded torch
Prepared 3 packages in 35.21s
 + numpy==1.26.4
"""
PIP = """\
Collecting numpy==1.26.4 (from -r voice.lock (line 1))
  Downloading numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (18.3 MB)
Collecting torch==2.8.0 (from -r voice.lock (line 2))
  Downloading torch-2.8.0-cp311-cp311-manylinux_2_28_x86_64.whl (887.9 MB)
  Using cached wget-3.2.tar.gz (10 kB)
Successfully installed numpy-1.26.4
"""


@pytest.mark.parametrize(
    ("said", "bytes_", "note"),
    [
        (UV, round(17.4 * 2**20) + round(846.5 * 2**20), "voice-env: torch is coming, 888 MB"),
        (PIP, 906_200_000, "voice-env: torch is coming, 888 MB"),
        ("Downloading nvidia-cublas (400MiB)", 400 * 2**20, "voice-env: nvidia-cublas is coming, 419 MB"),
        ("Resolved 1 package in 1ms\nAudited 1 package in 2ms\n", 0, None),
    ],
    ids=["uv", "pip", "a name of parts", "nothing"],
)
def test_what_comes_is_counted(said: str, bytes_: int, note: str | None) -> None:
    told = Told()
    coming = Packages("voice-env", told)
    for line in said.splitlines():
        coming.line(line.strip())
    coming.end()
    assert told.count == {"voice-env: packages": bytes_}
    assert told.notes == ([note] if note else [])


def test_a_package_counts_when_it_has_come() -> None:
    told = Told()
    coming = Packages("voice-env", told)
    coming.line("Downloading scipy (33.7MiB)")
    assert told.count == {"voice-env: packages": 0}
    coming.line("Downloaded scipy")
    assert told.count == {"voice-env: packages": round(33.7 * 2**20)}
