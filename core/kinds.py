"""The closed vocabularies that every part of the project shares."""

from __future__ import annotations

import sys

if sys.version_info >= (3, 11):  # noqa: UP036  # a host's interpreter may be older than ours
    from enum import StrEnum
else:
    from enum import Enum

    class StrEnum(str, Enum):  # noqa: UP042
        """As in Python 3.11, as far as it is used here."""

        __str__ = str.__str__


class Layer(StrEnum):
    """The six layers, in the order in which a turn passes through them."""

    ASR = "asr"
    EMOTION = "emotion"
    LLM = "llm"
    TTS = "tts"
    VIDEO = "video"
    UPSCALE = "upscale"


class Emotion(StrEnum):
    """What the user's words express (Ekman's six and neutral, the labels of DistilRoBERTa's training set)."""

    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    JOY = "joy"
    NEUTRAL = "neutral"
    SADNESS = "sadness"
    SURPRISE = "surprise"


class Tone(StrEnum):
    """How the reply is spoken and looks."""

    NEUTRAL = "neutral"
    CHEERFUL = "cheerful"
    GENTLE = "gentle"
    CALM = "calm"
    LIVELY = "lively"


TONE_OF: dict[Emotion, Tone] = {
    Emotion.ANGER: Tone.CALM,
    Emotion.DISGUST: Tone.CALM,
    Emotion.FEAR: Tone.GENTLE,
    Emotion.JOY: Tone.CHEERFUL,
    Emotion.NEUTRAL: Tone.NEUTRAL,
    Emotion.SADNESS: Tone.GENTLE,
    Emotion.SURPRISE: Tone.LIVELY,
}
"""The one table from the user's emotion to the reply's tone."""


class Mode(StrEnum):
    """A part of the answer that the user wants."""

    TEXT = "text"
    VOICE = "voice"
    VIDEO = "video"


LANGUAGES = ("ar", "en")
"""The languages of the interface; engines may speak more."""

DEFAULT_LANGUAGE = "ar"
