"""What tests over HTTP share (each module says with `settings` which server it wants)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.web import served


@pytest.fixture(scope="module")
def base_url(settings: Settings) -> Iterator[str]:
    with served(settings) as url:
        yield url
