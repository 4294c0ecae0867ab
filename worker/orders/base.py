"""What an order is given, and what every order has."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from core.catalogue import Catalogue
from worker.gpu import EngineSet
from worker.job import Report
from worker.pipeline import SmartTalkerPipeline


@dataclass(frozen=True)
class Bench:
    """What the child works with."""

    engines: EngineSet
    pipeline: SmartTalkerPipeline
    catalogue: Catalogue


class Order(Protocol):
    """One thing to do, read from a frame; everything in it is JSON."""

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Raises KeyError or TypeError where something is missing or too much."""

    @property
    def names(self) -> Mapping[str, str]:
        """What its lines in the log are known by."""

    @property
    def language(self) -> str | None:
        """The language of the engines that are likely needed next."""

    def carry_out(self, bench: Bench, report: Report, stop: threading.Event) -> Mapping[str, Any]:
        """What came of it (JSON). Raises Cancelled soon after `stop` is set, and SmartTalkerError; any other error
        counts as transient."""
