"""Chat platforms: what answers quote, what a channel has learned, tasks of a conversation, audit and switches"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KINDS = "kind IN ('text', 'voice', 'video', 'menu', 'notice'{more})"


def upgrade() -> None:
    op.add_column("contacts", sa.Column("access", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_contacts_access"), "contacts", "access IN ('allowed', 'banned')")

    for name in ("addresses", "traits"):
        op.add_column("conversations", _json(name, sa.text("'{}'")))
    op.add_column("conversations", sa.Column("is_group", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("conversations", sa.Column("hint", sa.Text(), nullable=True))
    op.add_column("conversations", sa.Column("reachable", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("conversations", _json("pending"))

    op.drop_index("ix_inbox_conversation_id", "inbox")
    op.create_index("ix_inbox_newest", "inbox", ["conversation_id", "id"])

    op.add_column("turns", sa.Column("message_id", sa.Text(), nullable=True))
    op.create_index("ix_turns_received", "turns", ["not_before"], postgresql_where=sa.text("state IN ('received')"))
    op.create_index(
        "ix_turns_message",
        "turns",
        ["conversation_id", "message_id"],
        postgresql_where=sa.text("message_id IS NOT NULL"),
    )

    op.add_column("outbox", sa.Column("reply_to", sa.Text(), nullable=True))
    op.create_index(
        "ix_outbox_external", "outbox", ["external_id"], postgresql_where=sa.text("external_id IS NOT NULL")
    )
    _kinds(", 'document'")

    op.add_column("tasks", sa.Column("conversation_id", sa.UUID(), nullable=True))
    op.create_foreign_key(
        op.f("fk_tasks_conversation_id"), "tasks", "conversations", ["conversation_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index("ix_tasks_conversation", "tasks", ["conversation_id"])

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        _json("details", sa.text("'{}'")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )


def downgrade() -> None:
    op.drop_table("switches")
    op.drop_table("audit")
    op.drop_index("ix_tasks_conversation", "tasks")
    op.drop_column("tasks", "conversation_id")
    op.execute("DELETE FROM outbox WHERE kind = 'document'")
    _kinds("")
    op.drop_index("ix_outbox_external", "outbox")
    op.drop_column("outbox", "reply_to")
    op.drop_index("ix_turns_message", "turns")
    op.drop_index("ix_turns_received", "turns")
    op.drop_column("turns", "message_id")
    op.drop_index("ix_inbox_newest", "inbox")
    op.create_index("ix_inbox_conversation_id", "inbox", ["conversation_id"])
    for name in ("pending", "reachable", "hint", "is_group", "traits", "addresses"):
        op.drop_column("conversations", name)
    op.drop_column("contacts", "access")


def _json(name: str, default: sa.TextClause | None = None) -> sa.Column[object]:
    kind = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    return sa.Column(name, kind, server_default=default, nullable=default is None)


def _kinds(more: str) -> None:
    op.drop_constraint(op.f("ck_outbox_kind"), "outbox", type_="check")
    op.create_check_constraint(op.f("ck_outbox_kind"), "outbox", KINDS.format(more=more))
