"""Which engines may speak: by language, and by the voice that was chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from core.catalogue import Voice
from core.kinds import LANGUAGES
from worker.engines.base import Needs


class Choosing:
    """Asks the settings and the engines; loads none."""

    def __init__(self, names: Callable[[str | None], Sequence[str]], needs: Callable[[str], Needs]) -> None:
        """names: of a language's engine, then of those that stand in for it. needs: of an engine, by name."""
        self._names = names
        self._needs = needs

    def fitting(self, language: str, voice: Voice | None) -> list[str]:
        """The engines that may speak the language in the voice (None: any), best first: the settings' own and what
        stands in for it; where the own one does not fit, those that the settings name for other languages come first.
        Empty where none fits."""
        own, *others = [tuple(self._names(each)) for each in dict.fromkeys((language, None, *LANGUAGES))]
        if self._fits(own[0], language, voice):
            wanted: tuple[str, ...] = own
        else:
            named = (each[0] for each in others)
            wanted = (*named, *own[1:], *(name for each in others for name in each[1:]))
        return [name for name in dict.fromkeys(wanted) if self._fits(name, language, voice)]

    def knows(self, name: str, language: str) -> bool:
        """Whether the engine speaks the language."""
        spoken = self._needs(name).languages
        return not spoken or language in spoken

    def _fits(self, name: str, language: str, voice: Voice | None) -> bool:
        if voice is None or not self.knows(name, language):
            return self.knows(name, language)
        recorded = not self._needs(name).recording or voice.reference(language) is not None
        return recorded and _allows(voice, name, language)


def _allows(voice: Voice, name: str, language: str) -> bool:
    """Whether the voice's `[engines.<name>]` table lets the engine speak the language: its `languages`, any without."""
    table = voice.engines.get(name)
    listed = table.get("languages") if isinstance(table, Mapping) else None
    return not isinstance(listed, list) or language in listed
