"""Whether more than one person speaks, as far as pitch can tell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.adding.listening import HOP_S, Heard

BLOCK_S = 0.4
"""Medians over a block follow the speaker rather than the melody."""
APART = 5.5
"""Semitones between two speakers' medians: a man's and a woman's voice are about 10 apart, one person's words 3."""
DISTINCT = 3.0
"""Ashman's D: from 2 on two distributions part cleanly (Ashman, Bird and Zepf 1994)."""
MINORITY = 0.18
"""The least share of the second speaker's blocks."""


def several(heard: Heard) -> bool:
    """Two clusters of pitch, each narrow and far apart. Two people of one pitch are not told apart."""
    blocks = _blocks(heard)
    if len(blocks) < 5:
        return False
    low, high = _two(blocks)
    if min(len(low), len(high)) < max(2, MINORITY * len(blocks)):
        return False
    gap = float(high.mean() - low.mean())
    spread = np.sqrt((low.var() + high.var()) / 2)
    return bool(gap > APART and gap > DISTINCT * max(float(spread), 0.3))


def _blocks(heard: Heard) -> NDArray[np.float64]:
    """The median pitch of each block with enough voiced frames, in semitones."""
    size = round(BLOCK_S / HOP_S)
    blocks = [heard.pitch[at : at + size] for at in range(0, len(heard.pitch), size)]
    voiced = [block[block > 0] for block in blocks]
    return np.array([12 * np.log2(np.median(block)) for block in voiced if len(block) >= size // 4])


def _two(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The split with the least spread within both sides."""
    ordered = np.sort(values)
    cut = min(range(1, len(ordered)), key=lambda at: at * ordered[:at].var() + (len(ordered) - at) * ordered[at:].var())
    return ordered[:cut], ordered[cut:]
