from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.kinds import LANGUAGES
from core.persona import Entity, Fact, Persona, check_persona, filled, read_persona, spoken_questions
from core.persona.lines import Lines

HOME = Path(__file__).parents[2]
SHIPPED = ("layla", "omar", "sara")
GOOD = """\
timezone = "Asia/Riyadh"
[business]
ar = "خطوط"
en = "Lines"
[role]
ar = "دور"
en = '''
[[answers]]
a role of two lines'''
[greeting]
ar = "أهلًا"
en = "Hello"
[unknown]
ar = "لا أعرف"
en = "I don't know"

[[entities]]
kind = "city"
id = "jeddah"
names = { ar = ["جدة", "جده"], en = ["Jeddah"] }
facts = { price = 95, stop = { ar = "البلد", en = "the Balad" } }
[[entities]]
kind = "city"
id = "taif"
names = { ar = ["الطائف"], en = ["Taif"] }
[entities.facts]
price = 120
stop = "Taif"

[[answers]]
id = "price"
topic = { ar = "الأسعار", en = "prices" }
[answers.questions]
ar = ["كم السعر", "بكم إلى {city}", "السعر"]
en = ["how much is it", "how much is it to {city} on {day}", "price"]
[answers.text]
ar = "إلى أين؟"
en = "Where to?"
[[answers.cases]]
when = { city = ["jeddah", "taif"], count = "*" }
text = { ar = "{count*city.price|SAR}", en = "{count*city.price|SAR} to {city}" }
[[answers.cases]]
when = { city = "*" }
text = { ar = "إلى {city} {city.price|SAR}", en = "{city.price|SAR} from {city.stop}" }

[[answers]]
id = "hours"
topic = { ar = "الأوقات", en = "hours" }
questions = { ar = ["متى", "الدوام", "الساعات"], en = ["when", "hours", "open"] }
text = { ar = "كل يوم", en = "Every day {{or so}}" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "persona.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def persona(tmp_path: Path) -> Persona:
    return read_persona(written(tmp_path, GOOD))


def test_a_good_file_has_no_problem(tmp_path: Path) -> None:
    assert check_persona(written(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("[greeting]", "[greting]", 10, "greting is unknown here"),
        ('en = "Lines"', "en = 3", 4, "business.en must be a text"),
        ('id = "taif"', 'id = "Taif!"', 24, "entities.1.id"),
        ('ar = ["الطائف"]', 'ar = "الطائف"', 25, "must be a list"),
        ('en = "Hello"', 'en = ""', 12, "greeting.en must not be empty"),
        ('timezone = "Asia/Riyadh"', 'timezone = "Mars"', 1, "no time zone"),
        ('id = "taif"', 'id = "jeddah"', 24, "stands twice"),
        ('id = "hours"', 'id = "price"', 47, "stands twice"),
        ('kind = "city"\nid = "jeddah"', 'kind = "day"\nid = "jeddah"', 18, "known already"),
        ('"بكم إلى {city}"', '"بكم إلى {town}"', 34, "{town} is no kind"),
        ('"how much is it"', '"how {much} is it"', 35, "{much} is no kind"),
        ('"how much is it"', '"how much is {it"', 35, "no other braces"),
        ('"Where to?"', '"Where to, {city}?"', 38, "needs a case"),
        ('city = ["jeddah", "taif"]', 'city = ["jeddah", "taef"]', 40, "there is no city taef"),
        ("when = { city = \"*\" }", 'when = { town = "*" }', 43, "town is no kind"),
        ("{city.stop}", "{city.shop}", 44, "jeddah has no fact shop"),
        ("{city.price|SAR} from", "{city.price from", 44, "a lone {"),
        ("from {city.stop}", "from {day}", 44, "names no day"),
        ("{city.price|SAR} from", "{city.stop|SAR} from", 44, "is no number"),
        ("{city.price|SAR} from", "{city.price|shillings} from", 44, "shillings"),
        ("{city.price|SAR} from", "{city price} from", 44, "is no placeholder"),
        ('ar = "دور"', 'ar = "دور', 6, "is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError, match=f"persona.toml:{line}: "):
        read_persona(path)
    assert any(said in found.text and found.wrong and found.line == line for found in check_persona(path))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('topic = { ar = "الأوقات", en = "hours" }', 'topic = { en = "hours" }', 48, "nothing in ar"),
        ('en = ["when", "hours", "open"]', 'en = ["when"]', 49, "only 1 ways of asking"),
        ('"متى"', '"كَم السِّعر"', 49, "is a question of price too"),
        ('en = "Where to?"', 'en = """\n- here\n- there"""', 38, "can't be spoken"),
        ('en = "Where to?"', f'en = "{"Where to? " * 50}"', 38, "500 characters"),
        ('when = { city = ["jeddah", "taif"], count = "*" }', 'when = { city = "*" }', 43, "always fits first"),
    ],
)
def test_what_is_doubtful_is_told_and_let_pass(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1).replace("{count*city.price|SAR}", "{city.price|SAR}")
    path = written(tmp_path, text)
    assert read_persona(path).answers
    (found,) = check_persona(path)
    assert (found.line, found.wrong) == (line, False)
    assert said in found.text


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_persona(tmp_path / "persona.toml")


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("To {city}: {city.price|SAR}.", "en", "To Jeddah: 95 riyals."),
        ("إلى {city}: {city.price|SAR}.", "ar", "إلى جدة: 95 ريالًا."),
        ("{count|ticket}: {count*city.price|SAR}", "en", "3 tickets: 285 riyals"),
        ("{count|ticket}: {count * city.price * 10|SAR}", "ar", "3 تذاكر: 2,850 ريالًا"),
        ("{city.stop}, {count}, {city.price*100}", "ar", "البلد, 3, 9,500"),
        ("{{{city}}}", "en", "{Jeddah}"),
        ("{city.stop} {0.5*city.price}", "fr", "البلد 47.5"),
    ],
)
def test_filled(persona: Persona, text: str, language: str, said: str) -> None:
    assert filled(text, {"city": persona.entities[0], "count": 3}, language) == said


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{day}", "names no day"), ("{city.cost}", "has no fact"), ("{city*2}", "is no number"), ("}", "lone")],
)
def test_what_cannot_be_filled(persona: Persona, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        filled(text, {"city": persona.entities[0]}, "en")


def test_questions_with_the_names_in_them(persona: Persona) -> None:
    assert spoken_questions(persona, "ar")[:4] == ("كم السعر", "بكم إلى جدة", "بكم إلى الطائف", "بكم إلى جده")
    english = spoken_questions(persona, "en")
    assert "how much is it to Taif on Friday" in english
    assert not any("{" in text for text in english)
    assert len(english) == len(set(english))


def test_lines_look_into_no_string() -> None:
    lines = Lines(GOOD)
    assert lines.of(("role", "en")) == 7
    assert lines.of(("answers", 1, "id")) == 47
    assert lines.of(("answers", 0, "cases", 1, "text", "ar")) == 44
    assert lines.of(("entities", 1, "facts", "stop")) == 28
    assert lines.of(("nowhere", "at", "all")) == 1


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_ones_are_whole(name: str) -> None:
    path = HOME / "avatars" / name / "persona.toml"
    persona = read_persona(path)
    assert check_persona(path) == []
    assert len(persona.answers) >= 40
    assert len(persona.entities) >= 5
    for answer in persona.answers:
        assert all(len(answer.questions[language]) >= 4 for language in LANGUAGES), answer.id


@pytest.mark.parametrize(("fact", "said"), [(1200, "1,200"), (1.5, "1.5"), ("x", "x")])
def test_a_fact_as_it_is(fact: Fact, said: str) -> None:
    jeddah = Entity("city", "jeddah", {"en": ("Jeddah",)}, {"price": fact})
    assert filled("{city.price}", {"city": jeddah}, "en") == said
