"""What every attempt at a turn's clip shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.catalogue import Avatar
from core.kinds import Tone
from worker.deciding.budget import Budget
from worker.deciding.speeds import Speeds
from worker.engines.video.base import Canvas
from worker.job import Job, Report
from worker.lending import Lender
from worker.parts import Parts


@dataclass(frozen=True)
class Scene:
    """One turn's picture. `check` raises Cancelled."""

    lender: Lender
    job: Job
    report: Report
    check: Callable[[], None]
    parts: Parts
    avatar: Avatar
    language: str
    tone: Tone
    intensity: float
    budget: Budget
    speeds: Speeds

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.job.width, self.job.height, self.job.fps)
