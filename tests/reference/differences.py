"""What two computations of the same yield, and how far they are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Results = Mapping[str, NDArray[Any]]
"""What was computed, by what it is called in the table. Whole numbers must be the same, uint8 (pictures) may differ by
rounding, broken numbers by `LIMIT`."""

LIMIT = 1e-4
ROUNDING = 1.0
_MOST = 600


@dataclass(frozen=True)
class Difference:
    """Of the numbers of one result, the largest; `scale` is the largest number itself."""

    name: str
    numbers: int
    scale: float
    largest: float
    limit: float

    @property
    def within(self) -> bool:
        return self.largest <= self.limit


def differences(ours: Results, theirs: Results, limits: Mapping[str, float] | None = None) -> list[Difference]:
    """limits: of results that may differ otherwise than is usual. Raises AssertionError where one side lacks a result,
    or shapes differ."""
    assert list(ours) == list(theirs), f"other results: {set(ours) ^ set(theirs)}"
    told = limits or {}
    return [_difference(name, ours[name], theirs[name], told.get(name)) for name in ours]


def table(title: str, rows: Sequence[Difference]) -> str:
    """Markdown."""
    lines = [f"| {title} | numbers | largest number | largest difference | limit |", "|---|---|---|---|---|"]
    lines += [f"| {row.name} | {row.numbers:,} | {row.scale:.3g} | {_number(row)} | {row.limit:g} |" for row in rows]
    return "\n".join(lines)


def thinned(results: Results) -> dict[str, NDArray[Any]]:
    """A few hundred numbers of each result, evenly chosen."""
    return {name: values.ravel()[:: max(1, -(-values.size // _MOST))] for name, values in results.items()}


def store(path: Path, results: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **thinned(results))


def stored(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def _difference(name: str, ours: NDArray[Any], theirs: NDArray[Any], limit: float | None) -> Difference:
    assert ours.shape == theirs.shape, f"{name} is {ours.shape} here and {theirs.shape} there"
    assert ours.dtype.kind == theirs.dtype.kind, f"{name} is {ours.dtype} here and {theirs.dtype} there"
    assert np.isfinite(theirs).all(), f"{name} is not finite"
    whole = ours.astype(np.float64)
    apart = float(np.abs(whole - theirs.astype(np.float64)).max())
    if limit is None:
        limit = LIMIT if ours.dtype.kind == "f" else ROUNDING if ours.dtype == np.uint8 else 0.0
    return Difference(name, ours.size, float(np.abs(theirs).max()), apart, limit)


def _number(row: Difference) -> str:
    told = f"{row.largest:.1e}" if 0 < row.largest < 0.01 else f"{row.largest:g}"
    return told if row.within else f"**{told}** (missed)"
