"""What a card of some size would hold, stage by stage of a turn: the engine set's own rule, played through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from core.kinds import Layer
from worker.gpu.room import BESIDE, MARGIN_MB, Tenant, who_leaves

ROUNDS = 3
"""Turns played; the last is told: what is loaded then is what a turn leaves behind."""


@dataclass(frozen=True)
class Want:
    """An engine that is to be used. mb: MiB of the card, 0 for one that needs none. setting: what chooses it. detail:
    its model, where it can have several. instead: what may stand in its place, the best first. language: of the turns
    that use it, None for those that have no other of the layer."""

    layer: Layer
    name: str
    mb: int
    setting: str = ""
    exclusive: bool = False
    detail: str = ""
    language: str | None = None
    instead: tuple[Want, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} {self.detail}".strip()


@dataclass(frozen=True)
class Stage:
    """Engines that are used at the same time. loaded: these and all that may stay meanwhile. comes, leaves: what is
    loaded for this stage, and what makes way for it. waits: it would run beside the stage before if both fitted."""

    uses: tuple[Want, ...]
    loaded: tuple[Want, ...]
    comes: tuple[Want, ...] = ()
    leaves: tuple[Want, ...] = ()
    waits: bool = False

    @property
    def mb(self) -> int:
        return sum(want.mb for want in self.loaded)


@dataclass(frozen=True)
class Turn:
    """One turn in one of the languages; empty: in any."""

    languages: tuple[str, ...]
    stages: tuple[Stage, ...]

    @property
    def waits(self) -> tuple[Layer, ...]:
        """Layers that begin only when those before them are done, since the card does not hold both."""
        return tuple(stage.uses[0].layer for stage in self.stages if stage.waits)

    @property
    def stays(self) -> bool:
        """Whether everything is loaded once and nothing ever makes way."""
        return not any(stage.comes or stage.leaves for stage in self.stages)


@dataclass(frozen=True)
class Unfit:
    """An engine that the card can't hold, alone or beside the one that is used with it. instead: what fits; None:
    nothing of this layer does."""

    want: Want
    beside: Want | None = None
    instead: Want | None = None


@dataclass(frozen=True)
class Plan:
    """What becomes of the engines on a card of card_mb MiB; in the place of those that don't fit stands what does.
    Engines that need no card are left out."""

    card_mb: int
    turns: tuple[Turn, ...]
    unfit: tuple[Unfit, ...] = ()

    @property
    def fits(self) -> bool:
        return not self.unfit


def plan(card_mb: int, engines: Sequence[Want]) -> Plan:
    """For a card of which card_mb MiB may be used; at most one engine a layer and language."""
    unfit: list[Unfit] = []
    turns: dict[tuple[Stage, ...], list[str]] = {}
    for language in _languages(engines):
        chosen = _chosen(engines, language)
        alone = [_unfit(want, card_mb) for want in chosen if want.mb + MARGIN_MB > card_mb and want.mb]
        chosen = _without(chosen, alone)
        beside = _refused_beside(chosen, card_mb)
        chosen = _without(chosen, beside)
        unfit += [each for each in (*alone, *beside) if each not in unfit]
        if stages := _Player(card_mb, [want for want in chosen if want.mb]).stages():
            turns.setdefault(stages, []).extend([language] if language else [])
    told = tuple(Turn(tuple(languages), stages) for stages, languages in turns.items())
    return Plan(card_mb, told if len(told) > 1 else tuple(replace(turn, languages=()) for turn in told), tuple(unfit))


def _without(chosen: Sequence[Want], refused: Sequence[Unfit]) -> list[Want]:
    """With what stands in for those that were refused, where anything does."""
    instead = {each.want: each.instead for each in refused}
    kept = (instead.get(want, want) for want in chosen)
    return [want for want in kept if want is not None]


def _languages(wanted: Sequence[Want]) -> Sequence[str | None]:
    return sorted({want.language for want in wanted if want.language}) or (None,)


def _chosen(wanted: Sequence[Want], language: str | None) -> list[Want]:
    """One engine a layer, in the order of the layers: the language's own, else the one for all."""
    found = []
    for layer in Layer:
        of_layer = [want for want in wanted if want.layer is layer and want.language in (language, None)]
        found += sorted(of_layer, key=lambda want: want.language is None)[:1]
    return found


def _unfit(want: Want, card_mb: int) -> Unfit:
    return Unfit(want, None, next((other for other in want.instead if other.mb + MARGIN_MB <= card_mb), None))


def _refused_beside(chosen: Sequence[Want], card_mb: int) -> list[Unfit]:
    """The upscaler, where it does not fit beside the video engine that it works with."""
    video = next((want for want in chosen if want.layer is Layer.VIDEO and want.mb), None)
    upscale = next((want for want in chosen if want.layer is Layer.UPSCALE and want.mb), None)
    if video is None or upscale is None:
        return []
    room = 0 if video.exclusive else card_mb - video.mb - MARGIN_MB
    if upscale.mb <= room and not upscale.exclusive:
        return []
    smaller = (other for other in upscale.instead if other.mb <= room and not (other.mb and other.exclusive))
    return [Unfit(upscale, video, next(smaller, None))]


@dataclass
class _Player:
    """Plays turns with one engine a layer."""

    card_mb: int
    chosen: Sequence[Want]
    _used: dict[Want, int] = field(default_factory=dict)
    _clock: Iterator[int] = field(default_factory=count)

    def stages(self) -> tuple[Stage, ...]:
        """Of the last round."""
        played: list[Stage] = []
        for _ in range(ROUNDS):
            played = [self._play(group) for group in self._groups()]
        return tuple(played)

    def _groups(self) -> list[tuple[Want, ...]]:
        """The engines that are used at the same time, in the order of the turn."""
        groups: list[tuple[Want, ...]] = []
        for want in self.chosen:
            last = groups[-1][-1].layer if groups else None
            with_video = want.layer is Layer.UPSCALE and last is Layer.VIDEO
            if with_video or (last in BESIDE[want.layer] and last is not Layer.EMOTION and self._along(want)):
                groups[-1] = (*groups[-1], want)
            else:
                groups.append((want,))
        return groups

    def _along(self, want: Want) -> bool:
        """EngineSet.along, for an engine that holds some of the card."""
        others = [other for other in self.chosen if other.layer in BESIDE[want.layer]]
        if want.exclusive or any(other.exclusive for other in others):
            return False
        return want.mb + sum(other.mb for other in others) + MARGIN_MB <= self.card_mb

    def _play(self, group: Sequence[Want]) -> Stage:
        comes: list[Want] = []
        leaves: list[Want] = []
        for want in group:
            if want not in self._used:
                gone = self._room_for(want, group)
                leaves += gone
                comes.append(want)
            self._used[want] = next(self._clock)
        loaded = sorted(self._used, key=lambda want: (list(Layer).index(want.layer), want.name))
        waits = group[0].layer in (Layer.TTS, Layer.VIDEO, Layer.UPSCALE) and not self._along(group[0])
        return Stage(tuple(group), tuple(loaded), tuple(comes), tuple(leaves), waits)

    def _room_for(self, want: Want, group: Sequence[Want]) -> list[Want]:
        """Sends away what must leave."""
        tenants = {
            Tenant(each.layer, each.name, each.mb, used, each.exclusive, each not in group): each
            for each, used in self._used.items()
        }
        room = self.card_mb - sum(tenant.mb for tenant in tenants)
        gone = who_leaves(want.layer, want.mb + MARGIN_MB, want.exclusive, list(tenants), room)
        assert gone is not None, "a group's engines fit together"
        for tenant in gone:
            del self._used[tenants[tenant]]
        return [tenants[tenant] for tenant in gone]
