"""Limits that a process sets itself before it opens what others made."""

from __future__ import annotations

import os

from core import confining

LIMITS = confining.Limits(memory=4 << 30, cpu_s=60, wall_s=130, file=16 << 20, files=64)
"""Finding a face takes 0.8 GB of address space, a photo of 50 megapixels and its turned copy 0.3 GB more."""


def confine() -> None:
    """For the rest of the process' life; two processors at most."""
    confining.confine(LIMITS)
    # Libraries start a thread a core, each with its stack; two are enough, and leave the others to the answers.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
