"""Where the files of an entry are told: by the hub's API, by the manifest alone, by a mirror, by an offline folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from core.errors import ConfigurationError
from core.weights.fetching import Way, WeightsWrong
from core.weights.folder import Record, paths_in, read_record
from core.weights.manifest import Weights
from core.weights.paths import RECORD, checked_path
from core.weights.sources import File, Hub, Release
from core.weights.wanted import Listing, Wanted, pinned
from core.weights.web import Web, public

COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_RECORD = TypeAdapter(Record)


def listing_of(weights: Weights, way: Way, web: Web) -> Listing:
    """Of a Hub's or a Release's entry. Raises SourceAway, WeightsWrong, ConfigurationError."""
    if way.offline is not None:
        return _offline(weights, offline_folder(way.offline, weights))
    if way.mirror is not None:
        return _mirror(weights, way.mirror, web)
    if isinstance(weights.source, Release):
        return _release(weights.source, web)
    if isinstance(weights.source, Hub):
        return _hub(weights.source, way.hub, web)
    raise TypeError(f"{weights.name} is no list of files")


def revision_of(weights: Weights) -> str | None:
    """What the manifest pins, as records have it: a commit, or a hash over a release's files. None: any will do."""
    source = weights.source
    if isinstance(source, Hub):
        return source.revision if COMMIT.match(source.revision) else None
    told = sorted(f"{file.path} {file.sha256 or file.url}" for file in files_of(weights))
    return f"release-{hashlib.sha256(chr(10).join(told).encode()).hexdigest()[:12]}"


def files_of(weights: Weights) -> tuple[File, ...]:
    return weights.source.files if isinstance(weights.source, Hub | Release) else ()


def offline_folder(offline: Path, weights: Weights) -> Path:
    """Below it: `<name>/`, or `<owner>/<name>/` or `<name>/` as the hub calls it. Raises ConfigurationError."""
    names = [weights.name]
    if isinstance(weights.source, Hub):
        names += [weights.source.id, weights.source.id.partition("/")[2]]
    for name in names:
        if (offline / name).is_dir():
            return offline / name
    raise ConfigurationError(f"{offline} has no folder {' or '.join(dict.fromkeys(names))}")


def _hub(source: Hub, hub: str, web: Web) -> Listing:
    complete = all(file.bytes is not None and file.sha256 is not None for file in source.files)
    if complete and COMMIT.match(source.revision):
        return Listing(source.revision, tuple(_addressed(file, source, hub, source.revision) for file in source.files))
    url = f"{hub}/api/models/{source.id}/revision/{quote(source.revision, safe='')}?blobs=true"
    commit, found = _hub_table(web.table(url), url)
    if COMMIT.match(source.revision) and commit != source.revision:
        raise WeightsWrong(f"{source.id}: the manifest pins revision {source.revision}, but the hub has {commit}")
    files = pinned(source.files, found, f"{source.id} on the hub")
    placed = (replace(file, url=_hub_url(file.path, source, hub, commit)) for file in files)
    return Listing(commit, tuple(_measured(file, web) for file in placed))


def _hub_table(table: Any, url: str) -> tuple[str, dict[str, Wanted]]:
    """(commit, files by path) of the API's answer. Raises WeightsWrong."""
    try:
        commit, rows = str(table["sha"]), [_hub_file(row) for row in table["siblings"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise WeightsWrong(f"{public(url)} gave no list of files ({type(error).__name__}: {error})") from error
    if not COMMIT.match(commit):
        raise WeightsWrong(f"{public(url)} names no commit: {commit[:80]}")
    return commit, {file.path: file for file in rows}


def _hub_file(row: Mapping[str, Any]) -> Wanted:
    """What of it is told in the right form; its path is checked once it is wanted. Raises KeyError, TypeError,
    AttributeError."""
    large = row.get("lfs") or {}
    size, sha256, blob = row.get("size", large.get("size")), large.get("sha256"), row.get("blobId")
    sized = isinstance(size, int) and not isinstance(size, bool) and size >= 0
    known = isinstance(sha256, str) and _SHA256.match(sha256)
    # git keeps a pointer in a large file's place: its blob is not the content's.
    plain = not large and isinstance(blob, str) and COMMIT.match(blob)
    return Wanted(
        str(row["rfilename"]), "", size if sized else None, sha256 if known else None, str(blob) if plain else None
    )


def _hub_url(path: str, source: Hub, hub: str, commit: str) -> str:
    return f"{hub}/{source.id}/resolve/{commit}/{quote(path)}"


def _addressed(file: File, source: Hub, hub: str, commit: str) -> Wanted:
    return Wanted(file.path, _hub_url(file.path, source, hub, commit), file.bytes, file.sha256)


def _release(source: Release, web: Web) -> Listing:
    files = tuple(Wanted(file.path, str(file.url), file.bytes, file.sha256) for file in source.files)
    return Listing("", tuple(_measured(file, web) for file in files))


def _measured(file: Wanted, web: Web) -> Wanted:
    """The file with its size, asked for where nobody has told it yet."""
    size = web.length(file.url) if file.bytes is None else file.bytes
    if size is None:
        raise WeightsWrong(f"{public(file.url)}: neither the manifest nor the server says how long it is")
    return replace(file, bytes=size)


def _mirror(weights: Weights, mirror: str, web: Web) -> Listing:
    """A mirror that has no record serves entries of which the manifest says everything."""
    base = f"{mirror}/{weights.name}"
    files = files_of(weights)
    if all(file.bytes is not None and file.sha256 is not None for file in files):
        known = (Wanted(file.path, "", file.bytes, file.sha256) for file in files)
        return Listing(revision_of(weights) or "", _mirrored(known, base))
    try:
        record = _RECORD.validate_python(web.table(f"{base}/{RECORD}"))
    except ValidationError as error:
        raise WeightsWrong(f"{public(base)}/{RECORD} is no record of a folder") from error
    _same_version(weights, record, public(base))
    return Listing(record.revision, _mirrored(pinned(files, _by_path(record.files), public(base)), base))


def _mirrored(files: Iterable[Wanted], base: str) -> tuple[Wanted, ...]:
    return tuple(replace(file, url=f"{base}/{quote(file.path)}") for file in files)


def _offline(weights: Weights, folder: Path) -> Listing:
    """A folder without a record is taken by what lies in it."""
    if (folder / RECORD).is_file():
        try:
            record = read_record(folder)
        except ValueError as error:
            raise WeightsWrong(f"{folder / RECORD} is no record of a folder: {error}") from error
        _same_version(weights, record, str(folder))
        found, revision = record.files, record.revision
    else:
        found = tuple(File(checked_path(path), (folder / path).stat().st_size) for path in _plain_paths(folder))
        revision = revision_of(weights) or "offline"
    return Listing(revision, pinned(files_of(weights), _by_path(found), str(folder)))


def _plain_paths(folder: Path) -> list[str]:
    """Without what tools keep for themselves."""
    return [path for path in paths_in(folder) if not path.startswith((".git/", ".cache/"))]


def _by_path(files: Iterable[File]) -> dict[str, Wanted]:
    return {file.path: Wanted(file.path, "", file.bytes, file.sha256) for file in files}


def _same_version(weights: Weights, record: Record, where: str) -> None:
    ours = revision_of(weights)
    if ours is not None and record.revision != ours:
        raise WeightsWrong(f"{weights.name}: the manifest pins version {ours}, but {where} has {record.revision}")
