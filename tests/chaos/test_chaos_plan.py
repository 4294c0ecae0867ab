"""What a seed draws."""

from __future__ import annotations

from collections import Counter

import pytest

from simulators.delivery import Habits
from tests.chaos.plan import CANCEL, CHANNELS, EDIT, FAMILIES, OFTEN, SHORT, SLOW, TEXT, Shape, drawn, family_of
from tests.chaos.troubles import TROUBLES

NAMES = {*TROUBLES, "kill_all"}
SEEDS = (1, 2, 20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_says_everything(seed: int) -> None:
    assert drawn(seed, Shape(), NAMES) == drawn(seed, Shape(), NAMES)
    assert drawn(seed, Shape(), NAMES) != drawn(seed + 1, Shape(), NAMES)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_long_run_has_enough_of_everything(seed: int) -> None:
    plan = drawn(seed, Shape(), NAMES)
    assert plan.turns == 1000
    assert Counter(person.channel for person in plan.people) == {"telegram": 34, "whatsapp": 33, "web": 33}
    assert {person.channel for person in plan.people} == set(CHANNELS)
    assert Counter(trial.name for trial in plan.trials) == Counter([*NAMES, *OFTEN])
    assert sum(deed.duplicates > 0 for deed in plan.deeds) > 20
    assert {name for weather in plan.weather for name in weather.habits} == set(Habits.model_fields)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_message_has_a_word_of_its_own(seed: int) -> None:
    plan = drawn(seed, Shape(), NAMES)
    assert len({deed.token for deed in plan.deeds}) == len(plan.deeds)
    assert all(deed.token in deed.words for deed in plan.deeds if deed.kind in (TEXT, EDIT))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_corrected_or_cancelled_was_said_before(seed: int) -> None:
    plan = drawn(seed, Shape(), NAMES)
    said: set[tuple[int, int]] = set()
    for deed in plan.deeds:
        if deed.kind in (EDIT, CANCEL):
            assert (deed.person, deed.about) in said
        said.add((deed.person, deed.number))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_short_run_has_one_of_each_family(seed: int) -> None:
    plan = drawn(seed, SHORT, NAMES)
    counts = Counter(family_of(trial.name) for trial in plan.trials)
    assert counts == {family: 3 if family == "kill" else 1 for family in FAMILIES}
    assert not {trial.name for trial in plan.trials} & set(SLOW)


def test_every_trouble_has_a_family() -> None:
    assert {name for names in FAMILIES.values() for name in names} == NAMES
