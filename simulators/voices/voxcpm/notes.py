"""Where the double of a folder reads its bad days and writes what it was asked."""

from __future__ import annotations

from pathlib import Path

from simulators.voices.faults import Faults
from simulators.voices.journal import Journal


class Notes:
    """Of the folder that the weights really lie in: callers may make another one that links to them."""

    def __init__(self, folder: Path) -> None:
        self.home = home = (folder / "model.safetensors").resolve().parent
        self.faults, self.journal = Faults(home), Journal(home)
