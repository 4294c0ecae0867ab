"""What a voice's process of its own finds around it."""

from __future__ import annotations

import os

START_S = 200.0
"""The longest that such a process may say nothing while it starts: 5 GB from a disk of 30 MB/s. A turn waits longer for
an engine that loads, and a worker for one at its own start (worker.lending, worker.child_process), so that a voice that
hangs is one that failed, and not a worker that is ended."""

_VISIBLE = "CUDA_VISIBLE_DEVICES"
"""CUDA C++ Programming Guide, "CUDA Environment Variables"."""
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "PYTHONUNBUFFERED": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""No hub is asked, no bar is drawn, and threads that wait for each other leave the processor to others: where it is
busy, as while a video is drawn, those that spin take three times as long."""
_THREADS = "4"
"""Beside a card the processor reads recordings and waits; more threads would only take it from the video."""


def surroundings(device: str) -> dict[str, str]:
    """Variables for a host whose models work on `device` ("cpu", or torch's name of a card in this process, "cuda:1").
    It sees that card alone and calls it "cuda"; of "cpu" it sees none."""
    if device == "cpu":
        return {**_QUIET, _VISIBLE: ""}
    found = {**_QUIET, _VISIBLE: _seen(int(device.partition(":")[2] or 0))}
    return found if "OMP_NUM_THREADS" in os.environ else {**found, "OMP_NUM_THREADS": _THREADS}


def _seen(place: int) -> str:
    """The card of that place among those that this process sees, as the driver is told it: a number or a name."""
    seen = [each.strip() for each in os.environ.get(_VISIBLE, "").split(",") if each.strip()]
    return seen[place] if place < len(seen) else str(place)
