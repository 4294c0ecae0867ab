"""POST to 202 at a fixed rate, from an open-loop load generator that is not in Python (bench/load.js)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bench.figures import Figures, spread
from bench.stack import REAL, own_folder, running
from core.errors import SurroundingsError

LOAD = Path(__file__).with_name("load.js")
SECONDS = 20
WARM_UP_S = 2
BODY = json.dumps({"text": "what are the clinic hours", "language": "en"})
"""Each POST begins a conversation: the dearest kind."""


def measure() -> Figures:
    """Raises SurroundingsError where Node lacks."""
    if shutil.which("node") is None:
        raise SurroundingsError("the load generator needs Node 18 or newer: install it (Debian: apt install nodejs)")
    figures: Figures = {}
    with own_folder() as folder, running(REAL, folder, ("bot", "courier")) as stack:
        offer(stack.address, 50, WARM_UP_S)
        figures |= spread("intake_100", offer(stack.address, 100, SECONDS))
    with own_folder() as folder, running(REAL, folder) as stack:
        # The render worker is busy with the first of these from then on.
        offer(stack.address, 20, WARM_UP_S)
        figures |= spread("intake_50_rendering", offer(stack.address, 50, SECONDS))
    return figures


def offer(address: str, rate: int, seconds: int) -> list[float]:
    """Milliseconds from each request's intended time to its answer. Raises SurroundingsError unless all were 202."""
    command = ["node", str(LOAD), f"{address}/api/v1/messages", str(rate), str(seconds), BODY]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if ended.returncode:
        raise SurroundingsError(f"the load generator failed: {ended.stderr.strip()[-200:]}")
    said = json.loads(ended.stdout)
    if set(said["statuses"]) != {"202"}:
        raise SurroundingsError(f"not every POST was answered with 202: {said['statuses']}")
    return [float(each) for each in said["ms"]]
