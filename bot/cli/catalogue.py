"""What is here: avatars and voices."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.catalogue import Catalogue, Reference
from core.errors import ConfigurationError, InputError, NotFound
from core.idling import loop_of
from core.settings import HOME, Settings

LEAST, MOST = 64, 1920
"""Pixels of a loop's side."""


def catalogue_of(settings: Settings) -> Catalogue:
    return Catalogue(settings.data_dir, HOME)


def print_avatars(settings: Settings) -> None:
    table = Table("id", "name", "voice", "rig", "half body", "folder", box=None, pad_edge=False)
    for avatar in catalogue_of(settings).avatars():
        state = "made" if avatar.rig.exists() else f"missing: smarttalker avatar rig {avatar.id}"
        half = "there" if avatar.half.exists() else "none"
        table.add_row(avatar.id, " / ".join(avatar.name.values()), avatar.voice, state, half, str(avatar.folder))
    Console().print(table)


def print_voices(settings: Settings) -> None:
    """Those whose file is wrong are named on stderr."""
    catalogue = catalogue_of(settings)
    table = Table("id", "name", "recordings", "engines", "is", box=None, pad_edge=False)
    for voice in catalogue.voices():
        recordings = ", ".join(_recording(each) for each in voice.references.values()) or "none"
        engines = ", ".join(voice.engines)
        whose = "added" if voice.folder.is_relative_to(settings.data_dir) else "shipped"
        table.add_row(voice.id, " / ".join(voice.name.values()), recordings, engines, whose)
    Console().print(table)
    _print_wrong(catalogue)


def _print_wrong(catalogue: Catalogue) -> None:
    for folder in catalogue.voice_folders():
        try:
            catalogue.voice(folder.name)
        except ConfigurationError as error:
            print(f"{folder.name}: {error}", file=sys.stderr)


def _recording(reference: Reference) -> str:
    return reference.language if reference.transcript else f"{reference.language} (no words)"


def make_rig(settings: Settings, avatar_id: str) -> None:
    """Raises NotFound, or what is raised for a portrait without a face. Without frames the portrait has to do."""
    avatar = catalogue_of(settings).avatar(avatar_id)
    if (avatar.folder / "frames").is_dir():
        from worker.faces.build import build_rig

        build_rig(avatar.folder)
    else:
        from worker.faces.single import build_alone

        build_alone(avatar.folder, HOME / "avatars")
    print(f"{avatar.rig} is made")


def make_half(settings: Settings, avatar_id: str, picture: Path) -> None:
    """Raises NotFound, PhotoInvalid for a picture that is of no use, InputError, ModelMissing, StorageError."""
    from worker.adding.avatar import add_half
    from worker.faces.halves import Halves

    avatar = catalogue_of(settings).avatar(avatar_id)
    if not picture.is_file():
        raise InputError(f"{picture} is not a file") if picture.exists() else NotFound(f"{picture} is not there")
    made = asyncio.run(add_half(picture, avatar=avatar, root=settings.data_dir))
    if lack := Halves(settings.data_dir).lack(avatar):
        raise InputError(lack)
    print(f"{made} is made")


def make_idle(settings: Settings, avatar_id: str, out: Path | None, size: str) -> None:
    """Writes the loop to `out`, else where the page looks for it. size: "512x512". Raises NotFound, InputError,
    VideoError, StorageError."""
    from worker.idling import write_loop

    width, height = _pixels(size)
    avatar = catalogue_of(settings).avatar(avatar_id)
    path = out or loop_of(avatar, width, height).path(settings.data_dir)
    clip = write_loop(avatar, path.resolve(), width, height)
    print(f"{clip.path} is made: {clip.seconds:g} s, {clip.bytes / 1e6:.2f} MB")


def _pixels(size: str) -> tuple[int, int]:
    """Raises InputError."""
    known = re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", size)
    width, height = (int(side) for side in known.groups()) if known else (0, 0)
    if width % 2 or height % 2 or not (min(width, height) >= LEAST and max(width, height) <= MOST):
        raise InputError(f"--size {size}: give two even numbers from {LEAST} to {MOST}, as in 512x512")
    return width, height
