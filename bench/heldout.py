"""The held-out tables: what engines and personas are measured with, and must not be fitted to.

A table is `tests/data/heldout/<name>.tsv`: UTF-8, a header line, cells between tabs, comments after `#` at a line's
start. What is measured over them tells rates and places, never the rows themselves.
"""

from __future__ import annotations

import csv

from core.settings import HOME

FOLDER = HOME / "tests" / "data" / "heldout"

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    """The table's rows in order, cells stripped, by column; raises ValueError where a row does not fit the header."""
    lines = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    reader = csv.reader((line for line in lines if not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    header, *cells = ([cell.strip() for cell in row] for row in reader)
    ragged = [place for place, row in enumerate(cells, start=1) if len(row) != len(header)]
    if ragged:
        raise ValueError(f"{name}.tsv: rows {ragged} do not have {len(header)} cells")
    return [dict(zip(header, row, strict=True)) for row in cells]
