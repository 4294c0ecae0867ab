"""`make chaos` in short: everything runs, one trouble of each family happens, and every promise is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.plan import FAMILIES, SHORT, family_of
from tests.chaos.report import report
from tests.chaos.run import run

SEED = 1


@pytest.mark.timeout(230)
async def test_a_short_run_keeps_every_promise(tmp_path: Path) -> None:
    outcome = await run(SEED, SHORT, tmp_path)
    assert not outcome.broken, "\n".join(report(outcome, tmp_path))
    assert outcome.figures["turns"] >= SHORT.turns
    families = {family_of(trouble.name) for trouble in outcome.record.troubles}
    assert families >= set(FAMILIES) - {"clock"}
