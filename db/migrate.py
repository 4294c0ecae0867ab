"""Alembic, called from the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.settings import HOME
from db.sessions import async_url

if TYPE_CHECKING:
    from alembic.config import Config


def upgrade(url: str, revision: str = "head") -> None:
    """Brings the database to a revision; several processes may call it at once. Raises DatabaseUnavailable."""
    from alembic import command

    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    from alembic import command

    command.downgrade(config(url), revision)


def config(url: str) -> Config:
    from alembic.config import Config

    made = Config(str(HOME / "alembic.ini"))
    made.attributes["url"] = async_url(url)
    return made
