"""{"do": "run", "job": worker.job.Job}: a turn through the pipeline, whose results are all in its reports."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from worker.job import Job, Report
from worker.orders.base import Bench


@dataclass(frozen=True)
class Turn:
    """A turn."""

    job: Job

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        return cls(Job.unpacked(told["job"]))

    @property
    def names(self) -> Mapping[str, str]:
        return {"turn_id": self.job.turn_id}

    @property
    def language(self) -> str | None:
        return self.job.language or self.job.known_language

    def carry_out(self, bench: Bench, report: Report, stop: threading.Event) -> Mapping[str, Any]:
        bench.pipeline.run(self.job, report, stop)
        return {}
