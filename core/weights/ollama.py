"""A model that Ollama's server pulls from its library and keeps; of it only the record lies in our folder.

Ollama goes on by itself where a pull was broken off. A name of its library may come to stand for a newer version, and
older ones can't be had any more: what came is recorded by its digest and told, and `verify` holds the server to it.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import ollama

from core.errors import ConfigurationError, StorageError
from core.weights.fetching import Progress, SourceAway, State, Way, WeightsWrong
from core.weights.folder import Record, read_record
from core.weights.kept import InFolder
from core.weights.manifest import Ollama, Weights
from core.weights.web import TRIES

_LONGEST_PAUSE_S = 60.0
_VERIFIED_IN_S = 600.0
"""Ollama says nothing while it reads what has come: 20 GB take minutes on a slow disk."""
_STATUS_OF_A_LINE = -1
"""What the client gives as the status of an error that came in mid-stream."""


class OllamaFetcher(InFolder):
    """Asks the server at way.ollama_url. offline, mirror: Ollama can't use them; a model that is there is enough."""

    def __init__(self, weights: Weights, way: Way) -> None:
        super().__init__(weights, way)
        if not isinstance(weights.source, Ollama):
            raise TypeError(f"{weights.name} is no model of Ollama's")
        self._source: Ollama = weights.source

    def state(self) -> State:
        try:
            return State.HERE if self._digest() is not None else State.MISSING
        except (SourceAway, WeightsWrong):
            return State.MISSING

    def size(self) -> int:
        """Ollama's server may have another disk, and looks for room itself; that it answers is seen here."""
        self._digest()
        return 0

    def fetch(self, progress: Progress) -> Record:
        digest = self._digest()
        if digest is None or (self._source.digest and digest != self._source.digest):
            self._pull(progress)
            digest = self._digest()
        if digest is None:
            raise WeightsWrong(f"Ollama says that {self._source.model} is pulled, but does not list it")
        if self._source.digest and digest != self._source.digest:
            progress.note(
                f"{self._source.model}: Ollama's library has the version {digest[:12]} by now, and the manifest was"
                f" made with {self._source.digest[:12]}; it is taken as it is"
            )
        return Record(digest)

    def verify(self, progress: Progress) -> list[str]:
        """Ollama checks the layers as they come; here the server is asked whether it still has what came."""
        try:
            digest = self._digest()
        except (SourceAway, WeightsWrong) as error:
            return [str(error)]
        if digest is None:
            return [f"{self.weights.name}: Ollama's server has no model {self._source.model}"]
        try:
            recorded = read_record(self.folder).revision
        except ValueError:
            return []
        if recorded != digest:
            return [f"{self.weights.name}: Ollama has the version {digest[:12]}; {recorded[:12]} was fetched"]
        return []

    def remove(self) -> str:
        """Raises SourceAway, WeightsWrong."""
        with self._asked() as client:
            try:
                client.delete(self._source.model)
                said = f"{self.weights.name}: Ollama has deleted {self._source.model}"
            except ollama.ResponseError as error:
                if error.status_code != httpx.codes.NOT_FOUND:
                    raise
                said = f"{self.weights.name} is not here"
        shutil.rmtree(self.folder, ignore_errors=True)
        return said

    def _digest(self) -> str | None:
        """Of the model as the server has it; None where it has none. Raises SourceAway, WeightsWrong."""
        with self._asked() as client:
            found = {model.model: model.digest or "" for model in client.list().models}
        return found.get(self._source.model)

    def _pull(self, progress: Progress) -> None:
        """Raises SourceAway, WeightsWrong, StorageError, ConfigurationError."""
        if self.way.offline is not None:
            raise ConfigurationError(
                f"{self._source.model} is not on Ollama's server, which can't be given it from a folder: copy the"
                " models folder of a server that has it (OLLAMA_MODELS, usually ~/.ollama/models)"
            )
        meter = _Meter(self.weights.name, progress)
        failures = 0
        while True:
            before = meter.bytes
            try:
                with self._asked(_VERIFIED_IN_S) as client:
                    return self._pull_once(client, meter)
            except SourceAway as error:
                failures = 1 if meter.bytes > before else failures + 1
                if failures >= TRIES:
                    raise
                pause_s = min(self.way.pause_s * 2 ** (failures - 1), _LONGEST_PAUSE_S)
                progress.note(f"{error}; once more in {pause_s:.3g} s")
                time.sleep(pause_s)

    def _pull_once(self, client: ollama.Client, meter: _Meter) -> None:
        last = ""
        try:
            for line in client.pull(self._source.model, stream=True):
                last = line.status or last
                meter.read(line)
        except ValueError as error:
            raise SourceAway(f"Ollama's pull of {self._source.model} broke off after “{last}”") from error
        if last != "success":
            raise SourceAway(f"Ollama's pull of {self._source.model} ended after “{last}”")

    @contextmanager
    def _asked(self, silence_s: float = 0.0) -> Iterator[ollama.Client]:
        """A client whose errors become ours. silence_s: how long the server may say nothing, if more than usual."""
        url = self.way.ollama_url
        patience = httpx.Timeout(self.way.patience_s, read=max(self.way.patience_s, silence_s))
        try:
            with ollama.Client(host=url, timeout=patience) as client:
                yield client
        except ollama.ResponseError as error:
            raise self._refusal(error) from error
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise SourceAway(
                f"Ollama does not answer at {url}: start it with `ollama serve`, or set SMARTTALKER_OLLAMA_URL"
            ) from error
        except httpx.TransportError as error:
            raise SourceAway(f"Ollama at {url} broke off: {str(error) or type(error).__name__}") from error
        except (httpx.InvalidURL, ValueError) as error:
            raise WeightsWrong(f"{url} does not answer as Ollama does: check SMARTTALKER_OLLAMA_URL") from error

    def _refusal(self, error: ollama.ResponseError) -> Exception:
        said = f"Ollama, asked for {self._source.model}: {error.error.strip() or error.status_code}"
        if "no space left" in error.error.lower():
            return StorageError(f"{said}; free some room where it keeps its models")
        if "newer version" in error.error.lower():
            return ConfigurationError(f"{said}; update Ollama")
        if "file does not exist" in error.error or error.status_code in (400, 404):
            return WeightsWrong(said)
        again = error.status_code == _STATUS_OF_A_LINE or error.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
        return SourceAway(said) if again else WeightsWrong(said)


class _Meter:
    """Tells of each layer, and counts its bytes over all tries. Ollama names a layer in each of its lines."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self._digest = ""
        self._done: dict[str, int] = {}

    @property
    def bytes(self) -> int:
        return sum(self._done.values())

    def read(self, line: ollama.ProgressResponse) -> None:
        if not line.digest:
            return
        done = line.completed or 0
        if line.digest != self._digest:
            self._digest = line.digest
            self._progress.begin(f"{self._name}/{line.digest.removeprefix('sha256:')[:12]}", line.total, done)
        elif done != self._done[line.digest]:
            self._progress.advance(done - self._done[line.digest])
        self._done[line.digest] = done
