"""What was prepared of films, kept in files beside the avatar's idle loops: `musetalk-<fingerprint>.npz`. They go when
those go: when the avatar's pictures are replaced, or the avatar is removed.

The fingerprint is of the film, its size on the canvas, the faces' size, the autoencoder's weights and VERSION. A file
that is broken or of another make is as good as none: it is made anew.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from core.logging import get_logger
from core.weights.folder import read_record
from worker.engines.video.musetalk.ground import Film
from worker.engines.video.musetalk.preparing import Prepared

VERSION = 1
"""Raised when films come to be prepared otherwise."""
MOST = 6
"""Files in a folder that are kept, the newest: films at several sizes."""
_FACELESS = "musetalk.faceless"

log = get_logger(__name__)


def fingerprint(film: Path, size: tuple[int, int], side: int, weights: Path) -> str:
    """size: of the canvas. side: of the faces. weights: the autoencoder's folder. Raises OSError, ValueError."""
    record = read_record(weights)
    made_by = [VERSION, size, side, record.revision, [file.sha256 for file in record.files]]
    whole = hashlib.sha256(f"{made_by}\n".encode())
    with film.open("rb") as source:
        while chunk := source.read(1 << 20):
            whole.update(chunk)
    return whole.hexdigest()[:32]


class Keeper:
    """The files in one folder, which need not be there yet. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def load(self, key: str, film: Film) -> Prepared | None:
        """What `save` was given; None where there is nothing that fits the film."""
        if self._folder is None:
            return None
        path = _path(self._folder, key)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                kept = Prepared(**{field.name: stored[field.name] for field in fields(Prepared)})
            _check(kept, film)
            return kept
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
            log.warning("musetalk_kept_broken", file=path.name, error=type(error).__name__)
            return None

    def save(self, key: str, prepared: Prepared) -> None:
        """Whole or not at all. A disk that takes nothing more costs the next turn time, not this one its video."""
        if self._folder is None:
            return
        path = _path(self._folder, key)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                np.savez_compressed(file, **{field.name: getattr(prepared, field.name) for field in fields(Prepared)})
            draft.replace(path)
            self._tidy()
        except OSError as error:
            log.warning("musetalk_not_kept", file=path.name, error=error.strerror)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)

    @property
    def faceless(self) -> bool:
        """Whether a film showed no face."""
        return self._folder is not None and (self._folder / _FACELESS).is_file()

    def remember_faceless(self) -> None:
        """Until the folder goes."""
        if self._folder is None:
            return
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / _FACELESS).touch()

    def _tidy(self) -> None:
        assert self._folder is not None
        by_age = sorted(self._folder.glob(_path(self._folder, "*").name), key=lambda path: path.stat().st_mtime_ns)
        for path in by_age[:-MOST]:
            path.unlink(missing_ok=True)


def _path(folder: Path, key: str) -> Path:
    return folder / f"musetalk-{key}.npz"


def _check(kept: Prepared, film: Film) -> None:
    """Raises ValueError where the arrays are not what `prepared` makes."""
    frames, (width, height) = len(film), film.size
    shapes = (kept.boxes.shape, kept.corners.shape, kept.alphas.shape[:1], kept.latents.shape[:2])
    kinds = "".join(each.dtype.char for each in (kept.boxes, kept.corners, kept.alphas, kept.latents))
    if shapes != ((frames, 4), (frames, 2), (frames,), (frames, 8)) or (kept.alphas.ndim, kept.latents.ndim) != (3, 4):
        raise ValueError("of another shape")
    if kinds != "fiBf":
        raise ValueError("of another type")
    ends = kept.corners + np.array(kept.alphas.shape[:0:-1])
    if (kept.corners < 0).any() or (ends > (width, height)).any():
        raise ValueError("beyond the picture")
    if not (np.isfinite(kept.boxes).all() and np.isfinite(kept.latents).all()):
        raise ValueError("no numbers")
