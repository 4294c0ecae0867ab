"""A simulated server's state."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from simulators.clock import Clock
from simulators.faults import Faults
from simulators.ollama.config import Config
from simulators.ollama.faults import faults
from simulators.ollama.models import Model
from simulators.ollama.names import parse
from simulators.ollama.replies import Script
from simulators.ollama.requests import Request
from simulators.ollama.runners import Runners


@dataclass
class OllamaSimulator:
    """models: what is pulled, by `Name.key`, with when. fetched: bytes of each blob that pulls have got so far.
    ending: set when the simulator stops, so that nobody waits for an answer any more."""

    config: Config = field(default_factory=Config)
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=faults)
    script: Script = field(default_factory=Script)
    requests: list[Request] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)
    fetched: dict[str, int] = field(default_factory=dict)
    ending: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.models: dict[str, tuple[Model, float]] = {}
        self.runners = Runners(self.config, self.clock)
        for model in self.config.models:
            self.keep(model)

    def keep(self, model: Model) -> None:
        """It is pulled from now on."""
        self.models[model.full_name.key] = (model, self.clock.now())

    def model(self, name: str) -> Model | None:
        """The pulled model of that name."""
        found = self.models.get(parse(name).key)
        return found[0] if found else None

    def offered(self, name: str) -> Model | None:
        """The model of that name that can be pulled."""
        key = parse(name).key
        return next((each for each in self.config.library if each.full_name.key == key), None)

    def asked(self, **request: Any) -> Request:
        """A new request, remembered."""
        made = Request(len(self.requests) + 1, at=time.time(), **request)
        self.requests.append(made)
        return made
