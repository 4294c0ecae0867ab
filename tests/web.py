"""The real web process' application, served over HTTP for tests."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.app import bound_socket, server
from core.settings import Settings
from core.states import TurnEvent
from db import turns
from db.sessions import Database


def keyed(database_url: str, redis_url: str, data_dir: Path) -> Settings:
    """A server's on any free port, with a key for its clients, `s3cret`, and one for its administrators, `b0ss`."""
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "data_dir": data_dir,
            "port": 0,
            "api_key": "s3cret",
            "admin_key": "b0ss",
        }
    )


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The base URL; the application runs in a thread of its own until the block ends."""
    with bound_socket(settings) as bound:
        running = server(settings)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        wait_for(lambda: running.started)
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def wait_for(true: Callable[[], Any], timeout: float = 10.0) -> Any:
    until = time.monotonic() + timeout
    while not (result := true()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return result


async def claimed(database: Database, turn_id: str) -> turns.Claimed:
    """The turn, claimed as a worker would, whatever else waits."""
    while True:
        found = await turns.claim(database, "test", 60.0)
        assert found is not None, "nothing to claim"
        if found.id == uuid.UUID(turn_id):
            return found
        await turns.save(database, found, turns.Save(event=TurnEvent.FAIL))
