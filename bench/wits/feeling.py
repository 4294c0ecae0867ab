"""`keywords` on sentences whose words it was not made from."""

from __future__ import annotations

import time

from bench.figures import Figures
from bench.heldout import rows
from bench.wits.rates import Rates, rates
from worker.engines.emotion.keywords import Keywords


def read_right(engine: Keywords) -> Rates:
    """By language, and by the first emotion that a row allows."""
    return rates(
        (
            (row["language"], row["emotion"].partition("|")[0]),
            engine.read(row["text"], language=row["language"]).emotion.value in row["emotion"].split("|"),
        )
        for row in rows("emotion")
    )


def measure() -> Figures:
    engine = Keywords()
    shares = {f"emotion_{group}": share for group, share in read_right(engine).items()}
    table = rows("emotion")
    began = time.perf_counter()
    for row in table:
        engine.read(row["text"], language=row["language"])
    return {**shares, "emotion_ms": (time.perf_counter() - began) / len(table) * 1000}
