"""`smarttalker bench --gpu`: the engines of models at full size, with random weights, on the card at hand."""

from __future__ import annotations

from bench.gpu.run import ENGINES, main

__all__ = ["ENGINES", "main"]
