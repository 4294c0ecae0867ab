"""Fits what `trust.py` holds: `python -m worker.engines.asr.pocketsphinx.training`, ten minutes on one core.

eSpeak asks the personas of this checkout and says other things, in all voices and noises of `sounds.py`; the measures
of what the searches found are fitted to whether it was right, and the numbers and the rates are printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue
from core.persona import Persona, asked_of, spoken_questions
from worker.engines.asr.pocketsphinx.english import EnglishSearch
from worker.engines.asr.pocketsphinx.questions import QuestionSearch
from worker.engines.asr.pocketsphinx.sound import pcm, speech_of
from worker.engines.asr.pocketsphinx.training.cases import Case, cases_of
from worker.engines.asr.pocketsphinx.training.sounds import Speaker, spoiled
from worker.engines.asr.pocketsphinx.trust import measures_of

Numbers = NDArray[np.float64]
Outcome = tuple[Case, bool, tuple[float, ...] | None]
"""The case, whether the right answer was found (true or false), its measures where anything was."""

SEED = 5
_COUNTS = {"inside": 1.0, "outside": 1.0, "begun": 0.5, "elsewhere": 0.3, "arabic": 0.5}
"""How much each kind counts; another business's questions often mean much the same. Then both sides are made to weigh
the same, so that the border does not follow from how many of each were said."""
_STEPS = 50
_DECAY = 0.01


def main() -> None:
    catalogue = Catalogue(Path.cwd())
    personas = [catalogue.avatar(name).persona for name in ("sara", "layla", "omar")]
    speaker = Speaker()
    try:
        outcomes = list(_outcomes(personas, speaker))
    finally:
        speaker.close()
    found = [(case, right, measures) for case, right, measures in outcomes if measures and (right or not case.hint)]
    rights = np.array([right for _, right, _ in found], float)
    counts = np.array([_COUNTS[case.kind] for case, _, _ in found])
    counts[rights == 0] *= counts[rights == 1].sum() / counts[rights == 0].sum()
    weights, bias = fitted(np.array([measures for _, _, measures in found]), rights, counts)
    print("WEIGHTS =", tuple(round(float(weight), 3) for weight in weights))
    print("BIAS =", round(bias, 3))
    for kind in dict.fromkeys(case.kind for case, _, _ in outcomes):
        _tell(kind, [outcome for outcome in outcomes if outcome[0].kind == kind], weights, bias)


def _tell(kind: str, outcomes: list[Outcome], weights: Numbers, bias: float) -> None:
    believed = [bool(m and np.dot(weights, m) + bias >= 0) for _, _, m in outcomes]
    right = [sure and good for sure, (_, good, _) in zip(believed, outcomes, strict=True)]
    print(f"{kind}: {len(outcomes)}, accepted {np.mean(believed):.3f}, accepted and right {np.mean(right):.3f}")


def _outcomes(personas: list[Persona], speaker: Speaker) -> Iterator[Outcome]:
    questions, english, talk = QuestionSearch(), EnglishSearch(), speaker.talk()
    for persona in personas:
        grammar = questions.prepare(spoken_questions(persona, "en"))
        assert grammar is not None
        ids = {hint: answer.id for answer in persona.answers for hint in asked_of(answer, persona, "en")}
        for case in cases_of(persona, [other for other in personas if other is not persona], _random()):
            sound = spoiled(speaker.say(case.text, case.voice, case.language), case.noise, talk, case.seed)
            speech = speech_of(sound)
            assert speech is not None
            path = questions.path(pcm(speech))
            hint = grammar.question_in([spoken.word for spoken in path if spoken.phones])
            measures = measures_of(path, english.path(pcm(speech))) if hint else None
            yield case, bool(hint and case.hint and ids[hint] == ids[case.hint]), measures


def _random() -> Random:
    return Random(SEED)  # noqa: S311  # nothing secret


def fitted(measures: Numbers, right: Numbers, counts: Numbers) -> tuple[Numbers, float]:
    """Logistic regression by Newton's method on standardised columns, with ridge: weights and bias of the columns as
    they came. measures: (n, columns). right: (n,) of 0 or 1. counts: (n,), how much each row weighs."""
    mean, spread = measures.mean(axis=0), measures.std(axis=0) + 1e-9
    columns = np.column_stack([np.ones(len(measures)), (measures - mean) / spread])
    ridge = _DECAY * len(measures) * np.diag([0.0, *np.ones(measures.shape[1])])
    found = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-columns @ found))
        curve = columns.T @ (columns * (counts * chance * (1 - chance))[:, None]) + ridge
        found += np.linalg.solve(curve, columns.T @ (counts * (right - chance)) - ridge @ found)
    weights = found[1:] / spread
    return weights, float(found[0] - weights @ mean)


if __name__ == "__main__":
    main()
