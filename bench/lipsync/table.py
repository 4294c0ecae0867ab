"""The phoneme table that the tests keep: how open and how round each phoneme is, and which ones shut the lips.

It is no part of the engine that is judged by it, so it is read from the tests' folder.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from core.errors import SurroundingsError
from core.settings import HOME
from worker.engines.tts.base import Phoneme

PLACE = HOME / "tests" / "phoneme_table.py"


class Closing(Protocol):
    """Seconds of sound. lips: they meet; otherwise the lower lip touches the teeth."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def lips(self) -> bool: ...


class Table(Protocol):
    """The module `tests/phoneme_table.py`."""

    def expected_opening(self, phonemes: Sequence[Phoneme], seconds: float, fps: float) -> NDArray[np.float64]:
        """(frames,): 0 shut, as open as the phonemes ask; the mouth's lead is not in it."""
        ...

    def closures(self, phonemes: Sequence[Phoneme]) -> Sequence[Closing]: ...


@cache
def read(place: Path = PLACE) -> Table:
    """Raises SurroundingsError outside a checkout."""
    if not place.is_file():
        raise SurroundingsError(f"{place} is missing: the phoneme table is part of the checkout's tests")
    spec = importlib.util.spec_from_file_location(f"_{place.stem}", place)
    if spec is None or spec.loader is None:
        raise SurroundingsError(f"{place} can't be read")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return cast(Table, module)
