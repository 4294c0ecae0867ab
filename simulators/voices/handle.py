"""What a test holds of a double."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulators.voices.faults import Fault, Faults
from simulators.voices.journal import Call, Journal


class Double:
    """A model's folder, whose double is a process of someone else's."""

    def __init__(self, model: Path) -> None:
        self.folder = model
        self._faults, self._journal = Faults(model), Journal(model)

    def fail(self, effect: str, **more: Any) -> None:
        """See simulators.voices.faults.Fault."""
        self._faults.add(Fault(effect, **more))

    def calm(self) -> None:
        """No more faults, and nothing asked."""
        self._faults.clear()
        self._journal.forget()

    @property
    def left(self) -> list[Fault]:
        """Faults that have not happened yet."""
        return self._faults.left()

    @property
    def calls(self) -> list[Call]:
        return self._journal.calls()

    @property
    def spoken(self) -> list[Call]:
        """The calls that were to say something."""
        return [call for call in self.calls if "text" in call.given]

    @property
    def oddities(self) -> list[str]:
        return [odd for call in self.calls for odd in call.oddities]
