"""The names that recognisers listen for."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from core.catalogue import Catalogue
from core.persona import Entity, Persona, hotwords
from core.persona.hotwords import MOST

CATALOGUE = Catalogue(Path(__file__).parents[2])


def entity(kind: str, **names: tuple[str, ...]) -> Entity:
    return Entity(kind, names["en"][0].lower() if "en" in names else "x", names)


def persona(*entities: Entity, business: dict[str, str] | None = None) -> Persona:
    return Persona("p", business or {}, {}, {}, {}, entities=entities)


JEDDAH = entity("city", ar=("جدة",), en=("Jeddah", "Jedda"))
MAKKAH = entity("city", ar=("مكة المكرمة", "مكة"), en=("Makkah", "Mecca"))
IRON = entity("product", ar=("المكاوي", "مكواة"), en=("irons", "iron"))
NIZWA = entity("city", ar=("نزوى",))


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("ar", ("جدة", "مكة المكرمة", "نزوى", "مكة")),
        ("en", ("Jeddah", "Makkah", "Jedda", "Mecca")),
        ("fr", ()),
        (None, ("جدة", "Jeddah", "مكة المكرمة", "Makkah", "نزوى", "Jedda", "مكة", "Mecca")),
    ],
)
def test_proper_names_the_chief_ones_first(language: str | None, names: tuple[str, ...]) -> None:
    assert hotwords(persona(JEDDAH, IRON, MAKKAH, NIZWA), language) == names


def test_a_business_is_called_by_what_stands_before_the_comma() -> None:
    shop = persona(IRON, business={"ar": "دار الضياء", "en": "Daylight Home, electronics and home"})
    assert hotwords(shop, "en") == ("Daylight Home",)
    assert hotwords(shop, None) == ("دار الضياء", "Daylight Home")


def test_they_are_few_and_each_once() -> None:
    cities = [entity("city", ar=(f"مدينة{number}", "المدينة"), en=(f"City{number}",)) for number in range(100)]
    names = hotwords(persona(*cities), None)
    assert len(names) == len(set(names)) == MOST


@pytest.mark.parametrize(("avatar", "language"), list(product(("layla", "omar", "sara"), ("ar", "en", None))))
def test_the_shipped_personas_have_some(avatar: str, language: str | None) -> None:
    known = CATALOGUE.avatar(avatar).persona
    names = hotwords(known, language)
    assert 0 < len(names) <= MOST
    assert "iron" not in names
    assert ("Jeddah" in names) == (avatar != "layla" and language != "ar")
