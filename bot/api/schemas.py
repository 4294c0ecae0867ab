"""The interface's objects, for its description at /docs."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ErrorBody(BaseModel):
    """code is for programs, message for people."""

    code: str
    message: str
    request_id: str


class ErrorOut(BaseModel):
    """Every error."""

    error: ErrorBody


class AcceptedOut(BaseModel):
    """The turn that will answer."""

    turn_id: str
    conversation_id: str


class TimingsOut(BaseModel):
    """Milliseconds; null until known, and for layers that had nothing to do."""

    asr: float | None
    emotion: float | None
    llm: float | None
    tts: float | None
    video: float | None
    upscale: float | None
    total: float | None


class MemoryOut(BaseModel):
    """MiB."""

    gpu: int = Field(description="of the card, held by the process that runs the engines or by Ollama")
    ram: int = Field(description="resident, of the process that runs the engines")


class LeftOutOut(BaseModel):
    """An engine that was not taken."""

    engine: str
    why: str


class ChoiceOut(BaseModel):
    """What draws the picture, by deadline and queue."""

    video: str | None = Field(description="the engine; null: none that can draw this avatar is left")
    upscale: str | None = Field(description="the engine that enlarges the frames; null: none does")
    why: str = Field(
        description="in_time, no_deadline: the settings' own; faster: better ones would be late; fastest: all would be;"
        " stands_in: better ones can't draw this avatar, or failed; enlarging_late: the rest was enlarged plainly; none"
    )
    budget_s: float | None = Field(description="seconds that it may take; null: there is no deadline")
    estimate_s: float = Field(description="seconds that it likely takes, by what was measured on this machine")
    left_out: list[LeftOutOut]


class TurnErrorOut(BaseModel):
    """Why there is no answer."""

    code: str
    layer: str | None
    message: str


class TurnOut(BaseModel):
    """One message and its answer, as far as it is."""

    model_config = ConfigDict(extra="allow")

    turn_id: str
    conversation_id: str
    seq: int
    state: str = Field(description="received, queued, running, rendered, done, failed, cancelled, superseded, merged")
    merged_into: str | None = Field(description="the turn that answers this one too, where it is merged")
    layer: str | None = Field(description="the layer at work: asr, emotion, llm, tts, video, upscale")
    progress: float | None = Field(description="0 to 1, of the layer at work; 1 when the answer is there")
    queue_position: int | None = Field(description="1: next; 0: running")
    eta_s: float | None = Field(description="seconds until the answer is there; null where nothing tells")
    input: str = Field(description="text or voice")
    transcript: str | None
    language: str | None
    emotion: str | None
    avatar: str
    text: str | None = Field(description="the answer; while it is written, what there is of it")
    audio_url: str | None = Field(description="serves for a day, without a key")
    video_url: str | None = Field(description="serves for a day, without a key")
    media_removed: bool = Field(description="true: its voice note and video are no longer kept")
    engines: dict[str, str]
    timings_ms: TimingsOut
    memory_mb: dict[str, MemoryOut] = Field(description="the peak while each layer worked")
    steps: list[dict[str, Any]] = Field(
        description="each step down: layer, engine and code; `video_day`: the day's seconds of video are used up"
    )
    choice: ChoiceOut | None = Field(description="null until there is one, and where there is one engine alone")
    error: TurnErrorOut | None
    created_at: str


class ConversationOut(BaseModel):
    """A conversation's choices (null: the default) and its newest turns, oldest first."""

    conversation_id: str
    avatar: str | None
    voice: str | None
    language: str | None
    modes: list[str] | None
    emotion_enabled: bool
    created_at: str
    turns: list[TurnOut]


class AvatarOut(BaseModel):
    """name, business, greeting, suggestions: one a language."""

    id: str
    name: dict[str, str]
    voice: str
    portrait_url: str
    idle_url: str = Field(description="a film of the avatar that waits, to be played in a loop; needs no key")
    business: dict[str, str] = Field(description="whom the avatar speaks for")
    greeting: dict[str, str]
    suggestions: dict[str, list[str]] = Field(description="questions to begin with, at most four a language")


class IdleOut(BaseModel):
    """The loop is being made."""

    state: str = Field(description="queued")


class AvatarsOut(BaseModel):
    """default: the one that answers where none is chosen."""

    default: str
    avatars: list[AvatarOut]


class VoiceOut(BaseModel):
    """name: one a language; engines: those that can speak it."""

    id: str
    name: dict[str, str]
    engines: list[str]
    languages: list[str] = Field(description="of its recordings, two letters each; und: not known")


class VoicesOut(BaseModel):
    """All voices."""

    voices: list[VoiceOut]


class BegunOut(BaseModel):
    """What is being added or removed, and the task that does it."""

    id: str
    task_id: int


class TaskErrorOut(BaseModel):
    """Why it failed."""

    code: str
    message: str


class TaskOut(BaseModel):
    """Work on an avatar or a voice."""

    task_id: int
    kind: str = Field(description="avatar, voice")
    act: str = Field(description="add, extend (a voice by a recording), remove")
    id: str = Field(description="of the avatar or the voice")
    state: str = Field(description="queued, running, done, failed")
    notes: list[str] = Field(description="what is odd about a recording that will do")
    error: TaskErrorOut | None
    created_at: str
    ended_at: str | None


ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorOut}, "5XX": {"model": ErrorOut}}
