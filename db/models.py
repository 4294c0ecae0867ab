"""The tables. Times are timestamptz, ids random UUIDs; states are text with a check constraint."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.states import BEFORE_RENDERED, OPEN, OutboxState, TaskState, TurnState


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[dict[str, Any]]: JSONB(none_as_null=True),
        list[str]: ARRAY(Text),
        uuid.UUID: UUID(as_uuid=True),
        float: Float,
        int: Integer,
    }


def _one_of(column: str, states: type[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({values})", name=column)


def _where(states: tuple[StrEnum, ...]) -> Any:
    return text("state IN ({})".format(", ".join(f"'{state}'" for state in states)))


def _id() -> Mapped[uuid.UUID]:
    return mapped_column(primary_key=True, default=uuid.uuid4)


def _now() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())


def _conversation() -> Mapped[uuid.UUID]:
    return mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))


class Leased:
    """Work that one worker holds at a time; every write of a holder checks the fence."""

    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    lease_owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime] = mapped_column(server_default=func.now())


class Contact(Base):
    """A person (or a group) on a channel; `account` is the bot's own number or name there.

    access: an administrator's word, `allowed` or `banned`.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        CheckConstraint("access IN ('allowed', 'banned')", name="access"),
    )

    id: Mapped[uuid.UUID] = _id()
    channel: Mapped[str]
    account: Mapped[str]
    external_id: Mapped[str]
    display_name: Mapped[str | None]
    access: Mapped[str | None]
    created_at: Mapped[datetime] = _now()
    last_seen_at: Mapped[datetime] = _now()


class Conversation(Base):
    """A chat with its choices; `last_seq` is the newest turn's, given out under this row's lock.

    language: of the last answer, or fixed by the person (language_chosen). addresses: what the channel's `send` needs
    beside external_chat_id. traits: what the channel has learned of the chat. hint: the language of the person's app.
    reachable: false once the bot was blocked or the chat deleted. pending: what a command still waits for, {"command",
    …}. fair_at: the newest turn's.
    """

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("channel", "account", "external_chat_id"),)

    id: Mapped[uuid.UUID] = _id()
    contact_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str]
    account: Mapped[str]
    external_chat_id: Mapped[str]
    avatar: Mapped[str | None]
    voice: Mapped[str | None]
    language: Mapped[str | None]
    language_chosen: Mapped[bool] = mapped_column(server_default=text("false"))
    modes: Mapped[list[str] | None]
    emotion_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    last_seq: Mapped[int] = mapped_column(server_default=text("0"))
    window_expires_at: Mapped[datetime | None]
    addresses: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    traits: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    is_group: Mapped[bool] = mapped_column(server_default=text("false"))
    hint: Mapped[str | None]
    reachable: Mapped[bool] = mapped_column(server_default=text("true"))
    pending: Mapped[dict[str, Any] | None]
    fair_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = _now()


class Inbox(Base):
    """Every event that a channel delivered, once."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_event_id"),
        Index("ix_inbox_newest", "conversation_id", "id"),
        Index("ix_inbox_received", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    channel: Mapped[str]
    account: Mapped[str]
    external_event_id: Mapped[str]
    digest: Mapped[str | None]
    conversation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    turn_id: Mapped[uuid.UUID | None]
    payload: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = _now()


FOLDER = "split_part(input_media, '/'::text, 1)"
"""Where a turn's recording lies: an upload's folder, its own, or that of a turn whose message was asked again."""
_WITH_FILES = (
    "ended_at IS NOT NULL AND media_removed_at IS NULL"
    " AND (input_media IS NOT NULL OR audio IS NOT NULL OR video IS NOT NULL)"
)


class Turn(Leased, Base):
    """One message and its answer. avatar, voice, language and modes are the conversation's at intake."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        _one_of("state", TurnState),
        Index("uq_turns_running", "conversation_id", unique=True, postgresql_where=_where((TurnState.RUNNING,))),
        Index("ix_turns_claim", "fair_at", postgresql_where=_where((TurnState.QUEUED,))),
        Index("ix_turns_waiting", "conversation_id", "seq", postgresql_where=_where(BEFORE_RENDERED)),
        Index("ix_turns_lease", "lease_until", postgresql_where=_where((TurnState.RUNNING,))),
        Index("ix_turns_rendered", "rendered_at", postgresql_where=_where((TurnState.RENDERED,))),
        Index("ix_turns_received", "not_before", postgresql_where=_where((TurnState.RECEIVED,))),
        Index("ix_turns_message", "conversation_id", "message_id", postgresql_where=text("message_id IS NOT NULL")),
        Index("ix_turns_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
        Index("ix_turns_filmed", "conversation_id", "rendered_at", postgresql_where=text("video IS NOT NULL")),
        Index("ix_turns_pace", "rendered_at", postgresql_where=text("rendered_at IS NOT NULL")),
        Index("ix_turns_failed", "created_at", postgresql_where=text("state = 'failed' AND superseded_by IS NULL")),
        Index("ix_turns_files", "ended_at", postgresql_where=text(_WITH_FILES)),
        Index("ix_turns_input", text(FOLDER), postgresql_where=text("input_media IS NOT NULL")),
    )

    id: Mapped[uuid.UUID] = _id()
    conversation_id: Mapped[uuid.UUID] = _conversation()
    seq: Mapped[int]
    state: Mapped[str]
    input_text: Mapped[str | None]
    input_media: Mapped[str | None]
    """Path of the decoded voice note below DATA_DIR's media folder: WAV, 16 kHz, mono, 16 bit."""
    input_remote: Mapped[dict[str, Any] | None]
    """Where the courier fetches media that is still to come."""
    message_id: Mapped[str | None]
    """The platform's name of the person's message: answers quote it, corrections name it."""
    avatar: Mapped[str]
    voice: Mapped[str | None]
    language: Mapped[str | None]
    """Asked for or known from the conversation; None lets the layers find out."""
    modes: Mapped[list[str]]
    emotion_enabled: Mapped[bool] = mapped_column(server_default=text("true"))

    layer: Mapped[str | None]
    transcript: Mapped[str | None]
    emotion: Mapped[str | None]
    intensity: Mapped[float | None]
    answer: Mapped[str | None]
    answer_language: Mapped[str | None]
    audio: Mapped[dict[str, Any] | None]
    """{"path", "seconds", "bytes"}, the path below DATA_DIR's media folder."""
    video: Mapped[dict[str, Any] | None]
    """{"path", "seconds", "bytes", "width", "height", "frames"}."""
    engines: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    timings_ms: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    memory_mb: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    """The peak of each layer's work: {layer: {"gpu", "ram"}}, MiB."""
    steps: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    """Each step down: {"layer", "engine", "code"}."""
    choice: Mapped[dict[str, Any] | None]
    """What draws the picture and why, as worker.deciding.choosing.Choice tells it; None where there was nothing to
    choose."""
    error: Mapped[dict[str, Any] | None]

    cancel_requested: Mapped[bool] = mapped_column(server_default=text("false"))
    superseded_by: Mapped[uuid.UUID | None]
    merged_into: Mapped[uuid.UUID | None]
    gathered: Mapped[dict[str, Any] | None]
    """Which messages its text is of, as db.gathering tells it."""

    fair_at: Mapped[datetime] = _now()
    """Turns are claimed in this order: when it came, or later where the conversation has others before it."""
    media_removed_at: Mapped[datetime | None]
    """Its files are no longer kept."""

    created_at: Mapped[datetime] = _now()
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    rendered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Message(Base):
    """The history that a language model reads."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_history", "conversation_id", "id"),
        UniqueConstraint("turn_id", "role"),
        CheckConstraint("role IN ('user', 'assistant')", name="role"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    conversation_id: Mapped[uuid.UUID] = _conversation()
    turn_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    role: Mapped[str]
    text: Mapped[str]
    language: Mapped[str | None]
    created_at: Mapped[datetime] = _now()


class LayerOutput(Base):
    """What a layer finished, so that a retry starts behind it; speech has one part a sentence."""

    __tablename__ = "layer_outputs"

    turn_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)
    layer: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True, server_default=text("0"))
    fence: Mapped[int]
    data: Mapped[dict[str, Any]]
    ms: Mapped[float | None]
    created_at: Mapped[datetime] = _now()


class OutboxRow(Leased, Base):
    """One thing to send; its id is the tracker that platforms echo in their statuses. reply_to: what it quotes."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        _one_of("state", OutboxState),
        CheckConstraint("kind IN ('text', 'voice', 'video', 'menu', 'notice', 'document')", name="kind"),
        Index("ix_outbox_open", "conversation_id", "id", postgresql_where=_where(OPEN)),
        Index("ix_outbox_conversation", "conversation_id", "id"),
        Index("ix_outbox_turn", "turn_id"),
        Index("ix_outbox_replies", "created_at", postgresql_where=text("turn_id IS NULL")),
        Index("ix_outbox_external", "external_id", postgresql_where=text("external_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    conversation_id: Mapped[uuid.UUID] = _conversation()
    turn_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    turn_seq: Mapped[int | None]
    kind: Mapped[str]
    part: Mapped[int] = mapped_column(server_default=text("0"))
    dedupe_key: Mapped[str]
    payload: Mapped[dict[str, Any]]
    reply_to: Mapped[str | None]
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    external_id: Mapped[str | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = _now()
    settled_at: Mapped[datetime | None]


class Task(Leased, Base):
    """Work that is not a turn; claimed, leased and fenced like one. `worker`: who may claim it. conversation_id: whom
    to tell of its end."""

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        _one_of("state", TaskState),
        CheckConstraint("worker IN ('courier', 'render')", name="worker"),
        Index("ix_tasks_claim", "worker", "id", postgresql_where=_where((TaskState.QUEUED,))),
        Index("ix_tasks_conversation", "conversation_id"),
        Index("ix_tasks_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
        Index("ix_tasks_open", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    conversation_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    kind: Mapped[str]
    worker: Mapped[str]
    dedupe_key: Mapped[str]
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(server_default=text("'queued'"))
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = _now()
    ended_at: Mapped[datetime | None]


class Audit(Base):
    """What an administrator did, and to what. actor: channel:id, or `api` or `command line`."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = _now()
    actor: Mapped[str]
    act: Mapped[str]
    target: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class Switch(Base):
    """What administrators change for everyone: `paused`, `default_avatar`."""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime] = _now()
