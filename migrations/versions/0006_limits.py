"""Whose turn comes first, what is asked of many old turns, whose media is gone"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_FILES = (
    "ended_at IS NOT NULL AND media_removed_at IS NULL"
    " AND (input_media IS NOT NULL OR audio IS NOT NULL OR video IS NOT NULL)"
)
_INDEXES = (
    ("ix_turns_pace", "turns", ["rendered_at"], "rendered_at IS NOT NULL"),
    ("ix_turns_failed", "turns", ["created_at"], "state = 'failed' AND superseded_by IS NULL"),
    ("ix_turns_files", "turns", ["ended_at"], _FILES),
    ("ix_turns_input", "turns", [sa.text("split_part(input_media, '/'::text, 1)")], "input_media IS NOT NULL"),
    ("ix_outbox_conversation", "outbox", ["conversation_id", "id"], None),
    ("ix_outbox_replies", "outbox", ["created_at"], "turn_id IS NULL"),
    ("ix_tasks_ended", "tasks", ["ended_at"], "ended_at IS NOT NULL"),
    ("ix_tasks_open", "tasks", ["id"], "ended_at IS NULL"),
)
"""name, table, columns, of which rows (None: all)."""


def upgrade() -> None:
    op.add_column("conversations", sa.Column("fair_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "turns", sa.Column("fair_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)
    )
    op.execute("UPDATE turns SET fair_at = coalesce(queued_at, created_at)")
    op.add_column("turns", sa.Column("media_removed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("turns", sa.Column("gathered", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.drop_index("ix_turns_claim", table_name="turns")
    op.create_index("ix_turns_claim", "turns", ["fair_at"], postgresql_where=sa.text("state IN ('queued')"))
    op.create_index("ix_turns_ended", "turns", ["ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL"))
    op.create_index(
        "ix_turns_filmed", "turns", ["conversation_id", "rendered_at"], postgresql_where=sa.text("video IS NOT NULL")
    )
    op.create_index("ix_inbox_received", "inbox", ["received_at"])
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for name, table, *_ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_index("ix_inbox_received", table_name="inbox")
    op.drop_index("ix_turns_filmed", table_name="turns")
    op.drop_index("ix_turns_ended", table_name="turns")
    op.drop_index("ix_turns_claim", table_name="turns")
    op.create_index("ix_turns_claim", "turns", ["queued_at"], postgresql_where=sa.text("state IN ('queued')"))
    op.drop_column("turns", "gathered")
    op.drop_column("turns", "media_removed_at")
    op.drop_column("turns", "fair_at")
    op.drop_column("conversations", "fair_at")
