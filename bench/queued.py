"""Intake at a fixed rate while 2,000 turns wait and rendering is paused: the page's POST and both webhooks."""

from __future__ import annotations

import asyncio

from bench import filling
from bench.figures import Figures, spread
from bench.intake import BODY
from bench.load import Asked, offer
from bench.stack import Stack
from bench.turns import connected
from bench.webhooks import ASKED, acquainted, repeated, talking
from core.errors import SurroundingsError
from db import switches
from db.sessions import Database

RATE, SECONDS = 100, 20
WARM_UP_S = 4
CONVERSATIONS, EACH = 500, 4
"""2,000 turns."""

_STARTED = "SELECT count(*) FROM turns WHERE attempts > 0"


def measure() -> Figures:
    """All processes run, render too, and hears every ring; an administrator has paused rendering, so that it claims
    nothing. On the platforms each person is told so. Each POST of the page begins a conversation.

    Raises SurroundingsError where Node lacks, or where a turn was claimed.
    """
    with talking(("bot", "courier", "render")) as (stack, platforms):
        asyncio.run(_pause(stack.settings.database_url))
        web, asked = f"{stack.address}/api/v1/messages", [Asked(BODY)]
        offer(web, RATE // 2, WARM_UP_S, asked)
        figures = spread("queued_web", offer(web, RATE, SECONDS, asked))
        for name, platform in platforms.items():
            url, chats = f"{stack.address}/webhooks/{name}", acquainted(platform, "hello")
            all_asked = list(repeated(ASKED[name], chats))
            figures |= spread(f"queued_{name}", offer(url, RATE, SECONDS, all_asked, "200"))
        asyncio.run(_check(stack))
    return figures


async def _pause(url: str) -> None:
    """As `/admin pause` does; then the turns that wait."""
    database = Database(url, size=1)
    async with database.begin() as connection:
        await switches.turn_on(connection, switches.PAUSED)
    await database.close()
    async with connected(url) as direct:
        chosen = await filling.conversations(direct, CONVERSATIONS)
        await filling.queue(direct, chosen, EACH)


async def _check(stack: Stack) -> None:
    async with connected(stack.settings.database_url) as direct:
        if started := await direct.fetchval(_STARTED):
            raise SurroundingsError(f"{started} turns were claimed while rendering was paused")
