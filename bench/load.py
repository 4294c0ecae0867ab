"""Requests at a fixed rate, from an open-loop load generator that is not in Python (bench/load.js)."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.errors import SurroundingsError

LOAD = Path(__file__).with_name("load.js")
LINGER_S = 60.0
"""How long the last answers may take."""


@dataclass(frozen=True)
class Asked:
    """One POST of JSON."""

    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


def offer(url: str, rate: int, seconds: float, asked: Sequence[Asked], status: str = "202") -> list[float]:
    """Milliseconds from each request's intended time to its answer.

    Raises SurroundingsError where Node lacks, and unless all were answered with `status`.
    """
    if shutil.which("node") is None:
        raise SurroundingsError("the load generator needs Node 18 or newer: install it (Debian: apt install nodejs)")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(json.dumps(asdict(each)) + "\n" for each in asked)
        file.flush()
        command = ["node", str(LOAD), url, str(rate), str(seconds), file.name]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + LINGER_S, check=False)
    if ended.returncode:
        raise SurroundingsError(f"the load generator failed: {ended.stderr.strip()[-200:]}")
    said = json.loads(ended.stdout)
    if set(said["statuses"]) != {status}:
        raise SurroundingsError(f"not every POST was answered with {status}: {said['statuses']}")
    return [float(each) for each in said["ms"]]
