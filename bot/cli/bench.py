"""`smarttalker bench`: the measurements live in the package `bench` beside the sources."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from core.errors import ConfigurationError, ModelMissing
from core.settings import HOME


def run_bench(groups: Sequence[str], *, gpu: bool) -> None:
    """groups: those to measure, none for the usual ones. Raises ModelMissing for the GPU's, ConfigurationError
    outside a checkout and for a group that is not there."""
    if gpu:
        raise ModelMissing("this version holds no GPU engine yet, so there is nothing to measure: run `make bench`")
    if str(HOME) not in sys.path:
        sys.path.insert(0, str(HOME))
    if find_spec("bench") is None:
        raise ConfigurationError("the measurements are part of the checkout: run `make bench` there")
    importlib.import_module("bench").main(groups)
