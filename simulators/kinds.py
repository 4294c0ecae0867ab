"""Small types that the simulators share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

Id = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
"""A person's, chat's or message's id; the control API takes numbers and strings and answers with strings."""
