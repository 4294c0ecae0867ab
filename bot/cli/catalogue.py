"""What is here: engines, avatars, voices."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.catalogue import Catalogue
from core.errors import InputError, SmartTalkerError
from core.idling import loop_of
from core.kinds import LANGUAGES, Layer
from core.settings import HOME, PROFILES, Settings

LEAST, MOST = 64, 1920
"""Pixels of a loop's side."""


def catalogue_of(settings: Settings) -> Catalogue:
    return Catalogue(settings.data_dir, HOME)


def chosen_engines(settings: Settings) -> dict[Layer, list[str]]:
    """The engines that the settings name for each layer, in any language, without repeats."""
    languages = (None, *LANGUAGES)
    return {layer: list(dict.fromkeys(settings.engine(layer, language) for language in languages)) for layer in Layer}


def missing(layer: Layer, name: str) -> str | None:
    """Why an engine can't be used; None if it can."""
    from worker.engines.registry import make

    try:
        make(layer, name)
    except SmartTalkerError as error:
        return str(error)
    except Exception as error:  # a broken package must not hide what the other engines say
        return f"the {layer} engine {name} can't be made: {type(error).__name__}: {error}"
    return None


def print_models(settings: Settings) -> int:
    """A table of every profile's engines. 1 if one that the settings name is missing."""
    table = Table("layer", *PROFILES, "chosen", box=None, pad_edge=False)
    chosen = chosen_engines(settings)
    for layer in Layer:
        cells = [_cell(layer, names[layer]) for names in PROFILES.values()]
        table.add_row(layer.value, *cells, ", ".join(chosen[layer]))
    Console().print(table)
    lacking = [reason for layer in Layer for name in chosen[layer] if (reason := missing(layer, name))]
    for reason in lacking:
        print(f"missing: {reason}")
    return 1 if lacking else 0


def fetch(settings: Settings) -> int:
    """Says which of the chosen engines need nothing, and which this version can't fetch."""
    lacking = [name for layer, names in chosen_engines(settings).items() for name in names if missing(layer, name)]
    if not lacking:
        print(f"Nothing to fetch: the engines of profile {settings.profile} need no weights.")
        return 0
    print(f"This version can't fetch weights yet; these engines come with a later one: {', '.join(lacking)}.")
    print("Until then: SMARTTALKER_PROFILE=cpu.")
    return 1


def print_avatars(settings: Settings) -> None:
    table = Table("id", "name", "voice", "rig", "folder", box=None, pad_edge=False)
    for avatar in catalogue_of(settings).avatars():
        state = "made" if avatar.rig.exists() else f"missing: smarttalker avatar rig {avatar.id}"
        table.add_row(avatar.id, " / ".join(avatar.name.values()), avatar.voice, state, str(avatar.folder))
    Console().print(table)


def print_voices(settings: Settings) -> None:
    table = Table("id", "name", "engines", "folder", box=None, pad_edge=False)
    for voice in catalogue_of(settings).voices():
        table.add_row(voice.id, " / ".join(voice.name.values()), ", ".join(voice.engines), str(voice.folder))
    Console().print(table)


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


def _cell(layer: Layer, name: str) -> str:
    return f"✗ {name}" if missing(layer, name) else f"✓ {name}"
