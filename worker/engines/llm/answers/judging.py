"""Which of a persona's questions is this one?

Two judges, whose marks are averaged. One has learnt what tells the answers apart: ridge regression from the features
of all phrasings to their answers (Rifkin and Klautau, "In defense of one-vs-all classification", 2004), solved in its
dual form. The other looks for the single nearest phrasing by the cosine of the features. Features are weighted by how
few answers use them (inverse document frequency, Spärck Jones 1972).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = Mapping[str, float]
Floats = NDArray[np.float32]

_RIDGE = 0.3
_LEARNT_SHARE = 0.6


class Judges:
    """Trained on (answer's place, features) of every phrasing."""

    def __init__(self, examples: Sequence[tuple[int, Vector]], answers: int) -> None:
        self._answers = answers
        self._idf = _idf(examples, answers)
        self._places = {name: place for place, name in enumerate(self._idf)}
        self._owners = np.array([owner for owner, _ in examples], dtype=np.intp)
        rows = [self._weighted(vector) for _, vector in examples]
        self._weights = _ridge(self._matrix(rows), self._owners, answers)
        self._holders = _holders(rows)

    def marks(self, vector: Vector) -> tuple[Floats, Floats]:
        """How well each answer fits, about 0 to 1: what is learnt, and the likeness to its nearest phrasing."""
        weighted = self._weighted(vector)
        learnt = np.zeros(self._answers, dtype=np.float32)
        for name, weight in weighted.items():
            if name in self._places:
                learnt += weight * self._weights[self._places[name]]
        return learnt, self._nearest(weighted)

    def _nearest(self, vector: Vector) -> Floats:
        likeness = np.zeros(len(self._owners), dtype=np.float32)
        for name, weight in vector.items():
            if name in self._holders:
                rows, weights = self._holders[name]
                likeness[rows] += weight * weights
        nearest = np.zeros(self._answers, dtype=np.float32)
        np.maximum.at(nearest, self._owners, likeness)
        return nearest

    def weight(self, name: str) -> float:
        """How much a feature tells; of an unknown one, as much as one that a single answer uses."""
        return self._idf.get(name, math.log(1.0 + self._answers))

    def __contains__(self, name: str) -> bool:
        return name in self._idf

    def _matrix(self, rows: Sequence[Vector]) -> Floats:
        matrix = np.zeros((len(rows), len(self._places)), dtype=np.float32)
        for row, vector in zip(matrix, rows, strict=True):
            row[[self._places[name] for name in vector]] = list(vector.values())
        return matrix

    def _weighted(self, vector: Vector) -> dict[str, float]:
        """Of length 1, unknown features left out."""
        weighted = {name: weight * self._idf[name] for name, weight in vector.items() if name in self._idf}
        length = math.sqrt(sum(weight * weight for weight in weighted.values())) or 1.0
        return {name: weight / length for name, weight in weighted.items()}


def _idf(examples: Sequence[tuple[int, Vector]], answers: int) -> dict[str, float]:
    users: dict[str, set[int]] = defaultdict(set)
    for owner, vector in examples:
        for name in vector:
            users[name].add(owner)
    return {name: math.log(1.0 + answers / len(owners)) for name, owners in users.items()}


def _ridge(matrix: Floats, owners: NDArray[np.intp], answers: int) -> Floats:
    """Weights, features by answers."""
    if not len(matrix):
        return np.zeros((matrix.shape[1], answers), dtype=np.float32)
    kernel = matrix @ matrix.T
    kernel.flat[:: len(owners) + 1] += _RIDGE
    weights: Floats = matrix.T @ np.linalg.solve(kernel, np.eye(answers, dtype=np.float32)[owners])
    return weights


def _holders(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[NDArray[np.intp], Floats]]:
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, vector in enumerate(rows):
        for name, weight in vector.items():
            found[name].append((place, weight))
    return {
        name: (np.array([place for place, _ in held], np.intp), np.array([weight for _, weight in held], np.float32))
        for name, held in found.items()
    }


def marks_left_out(examples: Sequence[tuple[int, Vector]], answers: int) -> Floats:
    """What `Judges.marks` says of each example's features when it is not among the examples (its words' weights
    stay); for the ridge regression by Allen's PRESS residuals. Examples by answers."""
    judges = Judges(examples, answers)
    matrix = judges._matrix([judges._weighted(vector) for _, vector in examples])
    kernel, wanted = matrix @ matrix.T, np.eye(answers, dtype=np.float32)[judges._owners]
    inverse = np.linalg.inv(kernel + _RIDGE * np.eye(len(examples), dtype=np.float32))
    learnt = wanted - (inverse @ wanted) / np.diag(inverse)[:, None]
    np.fill_diagonal(kernel, 0.0)
    nearest = np.zeros((answers, len(examples)), dtype=np.float32)
    np.maximum.at(nearest, judges._owners, kernel)
    marks: Floats = _LEARNT_SHARE * learnt + (1 - _LEARNT_SHARE) * nearest.T
    return marks
