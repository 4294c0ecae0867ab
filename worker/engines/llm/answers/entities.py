"""What a message names: a persona's entities, a day, a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from core.persona import COUNT, DAY, Entity
from core.text import fold
from worker.engines.llm.answers import table
from worker.engines.llm.answers.arabic import names_in
from worker.engines.llm.answers.counts import counts, is_dual_of
from worker.engines.llm.answers.days import days
from worker.engines.llm.answers.wording import words_of

Words = tuple[str, ...]

_FEWEST_TO_GUESS = 5
_TWO_SLIPS = 8
_FROM = frozenset(fold("from من عن").split())
_FINAL_VOWELS = frozenset("اهي")
_WEAK = str.maketrans("", "", "اويه")


@dataclass(frozen=True)
class Mention:
    """An entity or a number, and the words that name it."""

    place: int
    length: int
    kind: str
    value: Entity | int

    @property
    def id(self) -> str:
        return self.value.id if isinstance(self.value, Entity) else str(self.value)


class Names:
    """The entities of one persona by their names."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._names: dict[str, list[tuple[Words, Entity]]] = {}
        self._stems: dict[str, Entity] = {}
        self._single: dict[str, Entity] = {}
        for entity in entities:
            for name in (name for said in entity.names.values() for name in said):
                self._add(words_of(name), entity)
        for names in self._names.values():
            names.sort(key=lambda name: -len(name[0]))

    def _add(self, words: Words, entity: Entity) -> None:
        if not words:
            return
        self._names.setdefault(words[0], []).append((words, entity))
        if len(words) == 1:
            self._single.setdefault(words[0], entity)
            if not words[0].startswith("ال") and len(table.stem(words[0])) >= (3 if words[0].isascii() else 4):
                self._stems.setdefault(table.stem(words[0]), entity)

    def mentions(self, words: Sequence[str], today: int, known: Callable[[str], bool]) -> list[Mention]:
        """In the order of the words, none overlapping another, the longest names first. known: whether a folded
        word means something else, so that no name is guessed behind it."""
        found = [
            *self._exact(words),
            *self._inflected(words, known),
            *(Mention(place, length, DAY, day) for place, length, day in days(words, today)),
            *self._duals(words),
            *(Mention(place, length, COUNT, number) for place, length, number in counts(words)),
        ]
        return _apart(found)

    def _exact(self, words: Sequence[str]) -> Iterator[Mention]:
        for place, word in enumerate(words):
            for form in names_in(word) if not word.isascii() else (word,):
                for name, entity in self._names.get(form, ()):
                    if _follows(words, place, name):
                        yield Mention(place, len(name), entity.kind, entity)

    def _inflected(self, words: Sequence[str], known: Callable[[str], bool]) -> Iterator[Mention]:
        for place, word in enumerate(words):
            entity = self._stems.get(table.stem(word)) or self._without_article(word)
            if entity is None and not known(word):
                entity = self._misspelt(word)
            if entity is not None and not table.is_filler(word):
                yield Mention(place, 1, entity.kind, entity)

    def _without_article(self, word: str) -> Entity | None:
        """`دمام` for a name that is written with the article, where the word means nothing else."""
        bare = [form for form in names_in(word) if len(form) >= 4 and not table.meaning(form)]
        return next((self._single["ال" + form] for form in bare if "ال" + form in self._single), None)

    def _misspelt(self, word: str) -> Entity | None:
        for form in names_in(word) if not word.isascii() else (word,):
            near = (entity for name, entity in self._single.items() if _alike(form, name))
            if entity := next(near, None):
                return entity
        return None

    def _duals(self, words: Sequence[str]) -> Iterator[Mention]:
        """`جوالين`: the thing and the number two in one word, whose place both have."""
        for place, word in enumerate(words):
            if word.endswith("ن") and len(word) > 5:
                for name, entity in self._single.items():
                    if is_dual_of(word, name):
                        yield Mention(place, 1, entity.kind, entity)
                        yield Mention(place, 1, COUNT, 2)
                        return


def _follows(words: Sequence[str], place: int, name: Words) -> bool:
    """Whether the name's other words stand after its first."""
    rest = words[place + 1 : place + len(name)]
    return len(rest) == len(name) - 1 and all(map(_same, rest, name[1:]))


def _same(word: str, other: str) -> bool:
    if word == other:
        return True
    return other.removeprefix("ال") in names_in(word) or (len(other) > 3 and table.stem(word) == table.stem(other))


def _alike(word: str, name: str) -> bool:
    """One slip of the pen in a longer word, two in a long one; or other long vowels."""
    if min(len(word), len(name)) < 4:
        return False
    if word[:-1] == name[:-1] and {word[-1], name[-1]} <= _FINAL_VOWELS:
        return True
    if word.translate(_WEAK) == name.translate(_WEAK) and len(name.translate(_WEAK)) >= 2:
        return abs(len(word) - len(name)) <= 1
    if min(len(word), len(name)) < _FEWEST_TO_GUESS:
        return False
    slips = 2 if min(len(word), len(name)) >= _TWO_SLIPS else 1
    return OSA.distance(word, name, score_cutoff=slips) <= slips


def _apart(found: Sequence[Mention]) -> list[Mention]:
    taken: dict[int, Mention] = {}
    kept: list[Mention] = []
    for mention in sorted(found, key=lambda mention: (-mention.length, mention.place)):
        places = range(mention.place, mention.place + mention.length)
        rivals = [taken[place] for place in places if place in taken]
        if not rivals or (
            mention.kind == COUNT
            and mention.length == 1
            and rivals[0].kind not in (COUNT, DAY)
            and rivals[0].length == 1
        ):
            kept.append(mention)
            taken.update({place: mention for place in places if place not in taken})
    return sorted(kept, key=lambda mention: mention.place)


def named(mentions: Sequence[Mention], words: Sequence[str]) -> Mapping[str, Entity | int]:
    """One of each kind: the first that does not come after `from`, else the first."""
    chosen: dict[str, Mention] = {}
    for mention in mentions:
        before = words[mention.place - 1] if mention.place else ""
        rival = chosen.get(mention.kind)
        if rival is None or (_after_from(rival, words) and before not in _FROM):
            chosen[mention.kind] = mention
    return {kind: mention.value for kind, mention in chosen.items()}


def _after_from(mention: Mention, words: Sequence[str]) -> bool:
    return mention.place > 0 and words[mention.place - 1] in _FROM
