"""Where weights come from: one dataclass a kind of source, as models/manifest.toml writes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from core.weights.paths import checked_path

STRICT = ConfigDict(extra="forbid")

Text = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=r"^\S(.*\S)?$")]
SafePath = Annotated[str, AfterValidator(checked_path)]
Count = Annotated[int, Field(strict=True, ge=0)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+(/\S*)?$")]


@dataclass(frozen=True)
class File:
    """One file of a folder.

    path: below the folder. bytes, sha256: None where nobody has published them. url: where a release has it.
    """

    __pydantic_config__ = STRICT

    path: SafePath
    bytes: Count | None = None
    sha256: Sha256 | None = None
    url: Address | None = None


def _file(value: object) -> object:
    """A path stands for a file of which nothing else is known."""
    return {"path": value} if isinstance(value, str) else value


Files = Annotated[tuple[Annotated[File, BeforeValidator(_file)], ...], Field(min_length=1)]


@dataclass(frozen=True)
class Hub:
    """A repository of the Hugging Face hub.

    id: `owner/name`. revision: the commit; a tag or branch only where the commit is not known, then whichever stands
    behind it is fetched and recorded. files: the ones that are used; a `*` in a path stands for all of that folder
    that the hub lists (`Qwen3-0.6B/*`).
    """

    __pydantic_config__ = STRICT

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")]
    revision: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.-]{0,63}$")]
    files: Files


@dataclass(frozen=True)
class Release:
    """Files on a release page or another server; each has its url."""

    __pydantic_config__ = STRICT

    files: Files


@dataclass(frozen=True)
class Ollama:
    """A model of Ollama's library, pulled and kept by its server. digest: of the manifest, as /api/tags names it."""

    __pydantic_config__ = STRICT

    model: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w./-]*:[\w.-]+$")]
    digest: Sha256 | None = None


@dataclass(frozen=True)
class Repository:
    """A git repository's tree at a commit. submodules: paths of those that are checked out too."""

    __pydantic_config__ = STRICT

    url: Address
    commit: Commit
    submodules: tuple[SafePath, ...] = ()


@dataclass(frozen=True)
class Environment:
    """A Python environment of its own. lock: the pinned packages' file, relative to the checkout. python: `3.11`.
    imports: modules that must come up in it."""

    __pydantic_config__ = STRICT

    lock: SafePath
    python: Annotated[str, StringConstraints(pattern=r"^3\.\d{1,2}$")]
    imports: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")], ...] = ()


Source = Hub | Release | Ollama | Repository | Environment
SOURCES: dict[str, type[Source]] = {
    "hub": Hub,
    "release": Release,
    "ollama": Ollama,
    "repository": Repository,
    "environment": Environment,
}
"""By the key that an entry has for it."""
