"""models/manifest.toml: every file that an engine may need, and the sets that fit a card.

    [weights.fun-asr-mlt-nano]
    layer = "asr"                       # left out: shared
    engine = "funasr"
    licence = "Apache-2.0"              # SPDX, or the licence's own name
    terms = "open"                      # or "non-commercial": only with --accept-licence
    gpu_mb = 2600                       # MiB of GPU memory while it is used
    languages = ["ar", "en"]            # BCP 47 primary tags; left out: any
    bytes = 2_000_000_000               # on the disk, where the source's files don't say
    needs = ["fsmn-vad"]                # entries that must be here too
    [weights.fun-asr-mlt-nano.hub]
    id = "owner/name"
    revision = "<commit>"
    files = ["config.yaml", { path = "model.pt", bytes = 1, sha256 = "…" }]

    [sets.gpu-24g]
    card_gb = 24
    weights = ["fun-asr-mlt-nano"]
    llm_model = "qwen2.5:14b"
    llm_context = 8192
    [sets.gpu-24g.engines]              # keys as in the settings: a layer, or a layer and a language
    asr = "funasr"
    tts_ar = "voxcpm"

Each entry has exactly one source: hub, release, ollama, repository or environment (core.weights.sources).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from core.errors import ConfigurationError, NotFound
from core.kinds import LANGUAGES, Layer
from core.settings import HOME
from core.weights.paths import checked_name
from core.weights.sources import (
    SOURCES,
    STRICT,
    Count,
    Environment,
    File,
    Hub,
    Ollama,
    Release,
    Repository,
    Source,
    Text,
)

__all__ = [
    "Environment", "File", "Hub", "Manifest", "Ollama", "Release", "Repository", "Set", "Source", "Weights",
    "read_manifest",
]  # fmt: skip

MANIFEST = HOME / "models" / "manifest.toml"

Terms = Literal["open", "non-commercial"]
Name = Annotated[str, AfterValidator(checked_name)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]

_KEYS = {layer.value for layer in Layer} | {f"{layer}_{language}" for layer in Layer for language in LANGUAGES}
_MOST = 3
_SAID = {
    "missing": "is missing",
    "missing_argument": "is missing",
    "unexpected_keyword_argument": "is unknown here: misspelt?",
    "extra_forbidden": "is unknown here: misspelt?",
    "string_type": "must be a text in quotation marks",
    "tuple_type": "must be a list: [\"…\"]",
    "dict_type": "must be a table",
    "int_type": "must be a whole number",
}  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """One entry: what lies in `models/<name>/`, or what Ollama's server keeps.

    layer: None for what several share. engine: as in the settings. licence: SPDX, or the licence's own name.
    terms: whether it may be used for anything. gpu_mb: MiB of GPU memory while it is used. languages: BCP 47 primary
    tags, empty for any. bytes: on the disk; None where the source's files tell. needs: entries that must be here too.
    """

    __pydantic_config__ = STRICT

    name: Name
    engine: Text
    source: Source
    licence: Text
    terms: Terms
    layer: Layer | None = None
    gpu_mb: Count = 0
    languages: tuple[Language, ...] = ()
    bytes: Count | None = None
    needs: tuple[Name, ...] = ()

    @property
    def command(self) -> str:
        """What fetches it."""
        accept = " --accept-licence" if self.terms == "non-commercial" else ""
        return f"smarttalker models fetch {self.name}{accept}"

    @property
    def page(self) -> str:
        """Where people read of it and of its terms; empty where each of its parts has its own."""
        match self.source:
            case Hub():
                return f"https://huggingface.co/{self.source.id}"
            case Ollama():
                return f"https://ollama.com/library/{self.source.model}"
            case Repository():
                return self.source.url.removesuffix(".git")
            case Release():
                return str(self.source.files[0].url).partition("/releases/download/")[0]
            case Environment():
                return ""

    @property
    def known_bytes(self) -> int | None:
        """On the disk: as the entry says, else as its files add up; None where one of them is not known."""
        files = self.source.files if isinstance(self.source, Hub | Release) else ()
        sizes = [file.bytes for file in files]
        known = [size for size in sizes if size is not None]
        return sum(known) if files and len(known) == len(sizes) else self.bytes


@dataclass(frozen=True)
class Set:
    """A choice that fits a card.

    card_gb: the card's memory in GiB. engines: by setting (`asr`, `tts_ar`). llm_model: Ollama's name. llm_context:
    tokens. weights: names of entries.
    """

    __pydantic_config__ = STRICT

    name: Name
    card_gb: Annotated[int, Field(strict=True, ge=1)]
    engines: Mapping[str, Text]
    llm_model: Text | None = None
    llm_context: Annotated[int, Field(strict=True, ge=2048)] | None = None
    weights: tuple[Name, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Both by name."""

    weights: Mapping[str, Weights] = field(default_factory=dict)
    sets: Mapping[str, Set] = field(default_factory=dict)

    def find(self, name: str) -> Weights:
        """Raises NotFound that names those that there are."""
        if name not in self.weights:
            raise NotFound(f"no weights are called {name}; there are {', '.join(self.weights)}")
        return self.weights[name]

    def set(self, name: str) -> Set:
        """Raises NotFound that names those that there are."""
        if name not in self.sets:
            raise NotFound(f"no set is called {name}; there are {', '.join(self.sets)}")
        return self.sets[name]

    def with_needs(self, names: Iterable[str]) -> list[Weights]:
        """The entries and all that they need, what is needed first, each once. Raises NotFound."""
        found: dict[str, Weights] = {}

        def add(name: str, above: tuple[str, ...]) -> None:
            weights = self.find(name)
            for needed in weights.needs:
                if needed not in (*above, name, *found):
                    add(needed, (*above, name))
            found[name] = weights

        for name in names:
            add(name, ())
        return list(found.values())


def read_manifest(path: Path = MANIFEST) -> Manifest:
    """Raises ConfigurationError that names file and entry."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from error
    wrong: list[str] = []
    manifest = Manifest(
        dict(_entries(table, "weights", Weights, wrong)),
        dict(_entries(table, "sets", Set, wrong)),
    )
    wrong += [f"{key} is unknown here: there are weights and sets" for key in table if key not in ("weights", "sets")]
    wrong += _contradictions(manifest) if not wrong else []
    if wrong:
        more = f" (and {len(wrong) - _MOST} more)" if len(wrong) > _MOST else ""
        raise ConfigurationError(f"{path}: {'; '.join(wrong[:_MOST])}{more}")
    return manifest


def _entries(table: Mapping[str, Any], heading: str, kind: type[Any], wrong: list[str]) -> Iterator[tuple[str, Any]]:
    """(name, entry) of those that are right; what is wrong with the others is added to `wrong`."""
    entries = table.get(heading, {})
    if not isinstance(entries, dict):
        wrong.append(f"{heading} must be a table")
        return
    adapter = TypeAdapter(kind)
    for name, entry in entries.items():
        try:
            if not isinstance(entry, dict):
                raise ValueError("must be a table")
            with_source = _sourced(entry) if kind is Weights else entry
            yield name, adapter.validate_python({**with_source, "name": name})
        except ValidationError as error:
            wrong += [_sentence(f"{heading}.{name}", row) for row in error.errors()]
        except ValueError as error:
            wrong.append(f"{heading}.{name} {error}")


def _sourced(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with its one source made. Raises ValueError, ValidationError."""
    found = [key for key in SOURCES if key in entry]
    if len(found) != 1:
        raise ValueError(f"needs exactly one of {', '.join(SOURCES)}; it has {' and '.join(found) or 'none'}")
    (key,) = found
    try:
        source = TypeAdapter(SOURCES[key]).validate_python(entry[key])
    except ValidationError as error:
        row = error.errors()[0]
        raise ValueError(_sentence(key, row)) from error
    return {**{name: value for name, value in entry.items() if name not in SOURCES}, "source": source}


def _sentence(where: str, row: Any) -> str:
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in row["loc"])
    said = _SAID.get(row["type"], row["msg"].removeprefix("Value error, "))
    return f"{where}{place} {said}"


def _contradictions(manifest: Manifest) -> list[str]:
    wrong = []
    for weights in manifest.weights.values():
        wrong += [
            f"weights.{weights.name}.needs: no weights are called {each}"
            for each in weights.needs
            if each not in manifest.weights
        ]
        wrong += [f"weights.{weights.name}.{text}" for text in _odd_files(weights.source)]
    for each in manifest.sets.values():
        wrong += [
            f"sets.{each.name}.weights: no weights are called {name}"
            for name in each.weights
            if name not in manifest.weights
        ]
        wrong += [
            f"sets.{each.name}.engines.{key}: no such setting; there are {', '.join(sorted(_KEYS))}"
            for key in each.engines
            if key not in _KEYS
        ]
    return wrong


def _odd_files(source: Source) -> Iterator[str]:
    if not isinstance(source, Hub | Release):
        return
    kind = "hub" if isinstance(source, Hub) else "release"
    paths = [file.path for file in source.files]
    yield from (f"{kind}.files: {path} stands there twice" for path in sorted({p for p in paths if paths.count(p) > 1}))
    for file in source.files:
        if isinstance(source, Release) and (file.url is None or "*" in file.path):
            yield f"release.files: {file.path} needs a url, and no *"
        if isinstance(source, Hub) and file.url is not None:
            yield f"hub.files: {file.path} has a url: the hub's files have none"
        if "*" in file.path and (file.bytes is not None or file.sha256 is not None):
            yield f"hub.files: {file.path} stands for many: it has neither bytes nor sha256"
