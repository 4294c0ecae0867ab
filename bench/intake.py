"""POST to 202 at a fixed rate, from an open-loop load generator that is not in Python (bench/load.js)."""

from __future__ import annotations

import json

from bench.figures import Figures, spread
from bench.load import Asked, offer
from bench.stack import REAL, own_folder, running

SECONDS = 20
WARM_UP_S = 2
BODY = json.dumps({"text": "what are the clinic hours", "language": "en"})
"""Each POST begins a conversation: the dearest kind."""


def measure() -> Figures:
    """Raises SurroundingsError where Node lacks."""
    asked, figures = [Asked(BODY)], Figures()
    with own_folder() as folder, running(REAL, folder, ("bot", "courier")) as stack:
        url = f"{stack.address}/api/v1/messages"
        offer(url, 50, WARM_UP_S, asked)
        figures |= spread("intake_100", offer(url, 100, SECONDS, asked))
    with own_folder() as folder, running(REAL, folder) as stack:
        url = f"{stack.address}/api/v1/messages"
        # The render worker is busy with the first of these from then on.
        offer(url, 20, WARM_UP_S, asked)
        figures |= spread("intake_50_rendering", offer(url, 50, SECONDS, asked))
    return figures
