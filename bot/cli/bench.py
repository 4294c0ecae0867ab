"""`smarttalker bench`: the measurements live in the package `bench` beside the sources."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from core.errors import ConfigurationError
from core.settings import HOME


def run_bench(groups: Sequence[str], *, gpu: bool, device: str = "") -> None:
    """groups: those to measure, none for the usual ones; with `gpu` layers whose engines run on a card. device: as
    SMARTTALKER_DEVICE, only with `gpu`. Raises ConfigurationError outside a checkout and for a group that is not
    there, and what the measurements raise."""
    if device and not gpu:
        raise ConfigurationError("--device goes with --gpu: the other measurements need no card")
    if str(HOME) not in sys.path:
        sys.path.insert(0, str(HOME))
    if find_spec("bench") is None:
        raise ConfigurationError("the measurements are part of the checkout: run `make bench` there")
    if gpu:
        importlib.import_module("bench.gpu").main(groups, device or "auto")
    else:
        importlib.import_module("bench").main(groups)
