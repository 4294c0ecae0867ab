"""States and limits that are written into a statement instead of given with it.

PostgreSQL keeps the plan of a statement only where it can read in it that a partial index holds every row that is asked
for, and how few rows are wanted; with either as a parameter it plans each time, which takes longer than a claim itself.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, literal_column
from sqlalchemy.orm import InstrumentedAttribute


def is_in(column: InstrumentedAttribute[str], *states: StrEnum) -> ColumnElement[bool]:
    """The column is one of these."""
    return column.in_([literal_column(f"'{state}'") for state in states])


def at_most(rows: int) -> ColumnElement[int]:
    """For `limit`."""
    return literal_column(str(rows))
