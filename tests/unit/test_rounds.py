"""What runs beside a worker's jobs ends when it is told to."""

from __future__ import annotations

import asyncio

import pytest

from worker import rounds
from worker.rounds import Rounds, beside


@pytest.mark.timeout(20)
async def test_who_swallows_a_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "AGAIN_S", 0.05)
    told = 0

    async def deaf() -> None:
        nonlocal told
        while told < 3:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told += 1

    async with beside(deaf()):
        await asyncio.sleep(0.01)
    assert told == 3


async def test_a_part_that_takes_long_keeps_no_other_from_its_rounds() -> None:
    looks = 0

    async def look() -> None:
        nonlocal looks
        looks += 1

    async def long() -> None:
        await asyncio.sleep(60)

    async with beside(Rounds(long, look).run(0.01)):
        await asyncio.sleep(0.2)
    assert looks > 3
