"""Whether more than one person speaks, as far as timbre and pitch tell.

Two people of like voices, or who take turns more quickly than every second or two, are not told apart; one person who
is refused because of a lively reading would be worse. The limits were set on recordings of 250 readers, alone and
joined in pairs who take turns of 3 s: of one reader's clips 1 in 100 is taken for two people's; of pairs far apart
in pitch 3 in 4 are found, of pairs of nearly one pitch 1 in 5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.adding.cepstrum import cepstra
from worker.adding.listening import Heard, Sound

Values = NDArray[np.float64]

BLOCK = 100
"""Voiced frames whose mean tells the speaker more than the sounds that were said: about two seconds of speech."""
FEWEST = 6
"""Blocks, 10 seconds or so: in fewer one person's are too unlike each other."""
MINORITY = 0.25
"""The least share of the second speaker's blocks."""
EVENED = 0.1
"""Of the variance, added to that within the blocks."""
APART = 4.0
"""The squared distance of two speakers' means, in variances within a block."""
NEAR, SEMITONES, DISTINCT = 2.6, (7.0, 16.0), 3.0
"""A smaller distance does where the pitch differs too: between how many semitones, and by which of Ashman's D (from 2
on two distributions part cleanly: Ashman, Bird and Zepf 1994). More than 16 semitones are errors of the measure."""


def several(sound: Sound, rate: int, heard: Heard) -> bool:
    """sound, rate: what was heard."""
    voiced = heard.speech & (heard.pitch > 0)
    timbre = cepstra(sound, rate, len(voiced))[voiced]
    features = np.column_stack([timbre, 12 * np.log2(heard.pitch[voiced] / 100)])
    blocks = [features[at : at + BLOCK] for at in range(0, len(features) - BLOCK // 2, BLOCK)]
    if len(blocks) < FEWEST:
        return False
    apart = _distance(_whitened(blocks, features))
    return apart > APART or (apart > NEAR and _two_pitches([block[:, -1] for block in blocks]))


def _whitened(blocks: list[Values], features: Values) -> Values:
    """The blocks' means, (blocks, features), in units of what varies within a block."""
    within = np.mean([np.cov(block.T) for block in blocks], axis=0) + EVENED * np.diag(features.var(axis=0))
    means = np.array([block.mean(axis=0) for block in blocks])
    return np.asarray(means @ np.linalg.cholesky(np.linalg.inv(within)))


def _distance(means: Values) -> float:
    """Between the two clusters that lie farthest apart, from every pair of blocks by 2-means; 0 where one side is too
    small to be a second speaker."""
    far = ((means[:, None] - means[None]) ** 2).sum(axis=2)
    least = max(2.0, MINORITY * len(means))
    best = 0.0
    for one, other in zip(*np.triu_indices(len(means), 1), strict=True):
        second = far[:, one] > far[:, other]
        for _ in range(5):
            if second.all() or not second.any():
                break
            centres = np.stack([means[~second].mean(axis=0), means[second].mean(axis=0)])
            second = np.asarray(((means[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1) == 1)
        if least <= second.sum() <= len(means) - least:
            best = max(best, float(((means[~second].mean(axis=0) - means[second].mean(axis=0)) ** 2).sum()))
    return best


def _two_pitches(blocks: list[Values]) -> bool:
    """Two clusters of the blocks' median pitches, each narrow and far apart; semitones."""
    ordered = np.sort([np.median(block) for block in blocks])
    cut = min(range(1, len(ordered)), key=lambda at: at * ordered[:at].var() + (len(ordered) - at) * ordered[at:].var())
    low, high = ordered[:cut], ordered[cut:]
    gap, spread = high.mean() - low.mean(), np.sqrt((low.var() + high.var()) / 2)
    return bool(SEMITONES[0] < gap < SEMITONES[1] and gap > DISTINCT * max(float(spread), 0.3))
