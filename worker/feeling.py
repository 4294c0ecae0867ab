"""Layer 2 in the pipeline: the user's emotion."""

from __future__ import annotations

from core.errors import EmotionError
from core.kinds import Emotion, Layer
from worker.engines.emotion.base import Reading
from worker.hearing import Heard
from worker.job import Job, Report
from worker.lending import Lender

CALM = Reading(Emotion.NEUTRAL, 0.0)


def feel(job: Job, report: Report, lender: Lender, heard: Heard) -> Reading:
    """Neutral where the user turned it off, nothing was heard, or no engine could read it."""
    if not job.emotion_enabled or not heard.text:
        return CALM
    if saved := job.saved(Layer.EMOTION):
        return Reading(Emotion(saved["emotion"]), saved["intensity"])
    names = lender.names(Layer.EMOTION, heard.language)
    for name, then in zip(names, [*names[1:], "neutral"], strict=True):
        try:
            with lender.costs(Layer.EMOTION, name) as costs:
                mood = _read(lender, name, heard)
        except EmotionError as error:
            lender.step(name, error, then)
        else:
            data = {"emotion": mood.emotion, "intensity": mood.intensity}
            report("output", part=0, data=data, **costs.spent)
            return mood
    return CALM


def _read(lender: Lender, name: str, heard: Heard) -> Reading:
    mood: Reading = lender.call(Layer.EMOTION, name, lambda engine: engine.read(heard.text, language=heard.language))
    return mood
