"""The avatars' pictures, looked at: which of the settings' engines can't draw whom, and what draws instead."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cli.catalogue import catalogue_of
from bot.cli.recordings import Remark
from core.catalogue import Avatar
from core.errors import SmartTalkerError
from core.idling import HALF_ENGINE
from core.kinds import Layer
from core.settings import Settings
from worker.engines.registry import engines_of, look, make
from worker.place import place_of


def refusals(settings: Settings, device: str = "cpu") -> Iterator[tuple[str, Remark]]:
    """(avatar, remark) for each that an engine of the settings can't draw; wrong where it has a picture that is of no
    use. One that nobody has looked at yet is looked at now, which takes some seconds. What is wrong with an avatar's
    other files, or with an engine, is told elsewhere."""
    catalogue = catalogue_of(settings)
    for name in settings.engines(Layer.VIDEO):
        for folder in catalogue.avatar_folders():
            try:
                avatar = catalogue.avatar(folder.name)
                why = _why_not(name, avatar, settings, device)
            except SmartTalkerError:
                continue
            if why is not None:
                wrong = name == HALF_ENGINE and avatar.half.is_file()
                yield avatar.id, Remark(wrong, f"{name} can't draw it{_instead(name, avatar, settings, device)}: {why}")


def _why_not(name: str, avatar: Avatar, settings: Settings, device: str) -> str | None:
    """None where it can. Raises SmartTalkerError for an engine that can't be made."""
    refuses = getattr(make(Layer.VIDEO, name, place_of(settings, device)), "refuses", None)
    return refuses(avatar) if refuses else None


def _instead(name: str, avatar: Avatar, settings: Settings, device: str) -> str:
    """Of those that stand in the first that is set up and can."""
    for other in engines_of(Layer.VIDEO, name)[1:]:
        try:
            look(Layer.VIDEO, make(Layer.VIDEO, other, place_of(settings, device)))
            if _why_not(other, avatar, settings, device) is None:
                return f", {other} does"
        except SmartTalkerError:
            continue
    return ""
