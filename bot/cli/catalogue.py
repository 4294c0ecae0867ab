"""What is here: engines, avatars, voices."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from core.catalogue import Catalogue, new_id
from core.errors import SmartTalkerError
from core.kinds import LANGUAGES, Layer
from core.settings import HOME, PROFILES, Settings


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


def add_avatar(
    settings: Settings, photo: Path, names: dict[str, str], voice: str | None, avatar_id: str | None
) -> None:
    """The default avatar lends its persona, and its voice where none is given."""
    from worker.adding.avatar import add_avatar as add

    catalogue = catalogue_of(settings)
    template = catalogue.avatar(settings.default_avatar)
    spoken = catalogue.voice(voice or template.voice).id
    new = avatar_id or _id(catalogue, "avatars", names)
    who = "command line"
    folder = asyncio.run(
        add(photo, avatar_id=new, name=names, voice=spoken, root=settings.data_dir, template=template, added_by=who)
    )
    print(f"avatar {new} is made: {folder}")


def remove_avatar(settings: Settings, avatar_id: str) -> None:
    from worker.adding.avatar import remove_avatar as remove

    remove(settings.data_dir, avatar_id)
    print(f"avatar {avatar_id} is removed")


def add_voice(
    settings: Settings, recording: Path, names: dict[str, str], voice_id: str | None, speaker: str, *, consent: bool
) -> None:
    """speaker: who gave the consent."""
    from worker.adding.voice import add_voice as add
    from worker.adding.voice import refuse

    if not consent:
        raise refuse("no_consent")
    new = voice_id or _id(catalogue_of(settings), "voices", names)
    given = {
        "who": speaker or next(iter(names.values())),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "words": "The operator has confirmed on the command line (--consent) that the speaker agrees.",
    }
    folder = asyncio.run(
        add(recording, voice_id=new, name=names, root=settings.data_dir, consent=given, added_by="command line")
    )
    print(f"voice {new} is made: {folder}")


def remove_voice(settings: Settings, voice_id: str) -> None:
    from worker.adding.voice import remove_voice as remove

    remove(settings.data_dir, voice_id)
    print(f"voice {voice_id} is removed")


def _id(catalogue: Catalogue, kind: str, names: dict[str, str]) -> str:
    """The English name makes the better id."""
    return new_id(names.get("en") or names.get("ar", ""), catalogue.taken(kind), otherwise=kind.removesuffix("s"))


def _cell(layer: Layer, name: str) -> str:
    return f"✗ {name}" if missing(layer, name) else f"✓ {name}"
