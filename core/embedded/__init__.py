"""PostgreSQL and Redis for those who have none: real servers, started when their URLs are empty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from core.embedded.ownership import SharedServer
from core.embedded.place import Place, find_place
from core.embedded.postgres import Postgres
from core.embedded.redis import Redis
from core.settings import Settings

__all__ = ["EmbeddedServers", "Place", "embedded_servers", "find_place"]


class EmbeddedServers:
    """This process's share in the embedded servers of its DATA_DIR: those whose URLs the settings leave empty."""

    def __init__(self, settings: Settings) -> None:
        self._given = settings
        self._shares: list[SharedServer] = []

    def join(self) -> Settings:
        """Starts or attaches to the servers; the settings with both URLs filled in.

        Raises StorageError, DatabaseUnavailable, QueueUnavailable or ConfigurationError.
        """
        if self._given.database_url and self._given.redis_url:
            return self._given
        place = find_place(self._given.data_dir)
        postgres, redis = Postgres(place), Redis(place)
        urls: dict[str, str] = {}
        with ExitStack() as undo:
            if not self._given.database_url:
                urls["database_url"] = self._join(SharedServer(postgres, place.folder), undo, postgres.url)
            if not self._given.redis_url:
                urls["redis_url"] = self._join(SharedServer(redis, place.folder), undo, redis.url)
            undo.pop_all()
        return self._given.model_copy(update=urls)

    def ensure(self) -> list[str]:
        """Has those answer again that do not; their names. Raises as `join`."""
        return [share.server.name for share in self._shares if share.ensure()]

    def leave(self) -> None:
        """Stops the servers that nobody else uses."""
        with ExitStack() as leaving:
            for share in self._shares:
                leaving.callback(share.leave)
            self._shares = []

    def _join(self, share: SharedServer, undo: ExitStack, url: str) -> str:
        share.join()
        undo.callback(share.leave)
        self._shares.append(share)
        return url


@contextmanager
def embedded_servers(settings: Settings) -> Iterator[Settings]:
    """The settings with both URLs filled in, while the servers run; raises as `EmbeddedServers.join`."""
    servers = EmbeddedServers(settings)
    complete = servers.join()
    try:
        yield complete
    finally:
        servers.leave()
