"""What happens in a run, drawn from one seed: who says what when, how the platforms deliver it, and what breaks."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

CHANNELS = ("telegram", "whatsapp", "web")
CHATS = ("telegram", "whatsapp")
LANGUAGES = ("ar", "en")

TEXT, VOICE, EDIT, CANCEL, COMMAND = "text", "voice", "edit", "cancel", "command"

FAMILIES = {
    "kill": ("kill_bot", "kill_courier", "kill_render", "kill_child", "kill_courier_sending", "kill_all"),
    "child": ("child_crash", "child_hang", "child_oom"),
    "term": ("term_bot", "term_courier", "term_render"),
    "redis": ("redis_stop", "redis_kill", "redis_flush", "redis_slow"),
    "postgres": ("postgres_kill", "postgres_restart", "postgres_stop", "postgres_cut"),
    "disk": ("disk_full",),
    "clock": ("clock_back", "clock_ahead"),
    "platform": (
        "platform_429",
        "platform_5xx",
        "platform_timeout_after",
        "platform_reset_after",
        "platform_away",
    ),
}
"""Troubles of one family never happen at the same time; those of different families may."""
SLOW = ("platform_timeout_after",)
"""A send that is not answered is given up after 45 s: these come early in a long run, and in a short one not at all."""
OFTEN = ("kill_child", "kill_child", "kill_child", "kill_courier_sending", "kill_courier_sending", "kill_render")
"""What a long run has more than once."""

_SAID = {
    "ar": ("متى تفتحون غدًا", "كم سعر الغرفة", "هل لديكم موعد اليوم", "أين يقع الفرع", "أريد حجز طاولة"),
    "en": ("when do you open tomorrow", "how much is a room", "is there a table today", "where is the branch"),
}
_COMMANDS = ("/mode text", "/mode all", "/mode text voice", "/mode video", "/help", "/usage", "/language en")
_ONCE = (("crash", "llm"), ("crash", "tts"), ("crash", "video"), ("hang", "tts"), ("hang", "llm"), ("oom", "video"))
_FAILS = ("llm", "tts", "emotion", "video")
_SLEEPS = ("emotion", "llm", "tts")
_WEATHER: tuple[dict[str, Any], ...] = (
    {},
    {"duplicate_share": 0.5},
    {"shuffle": True},
    {"batch": 10},
    {"delay_s": 0.6},
    {"shuffle": True, "duplicate_share": 0.3, "batch": 5},
    {"pause": True},
)
WEATHER_S = 6.0
"""A platform delivers in one way for about so long."""


@dataclass(frozen=True)
class Shape:
    """How large a run is. seconds: in which everything is said. each: every trouble that there is, and OFTEN; else one
    of each family. slack_s: what a sample and a machine that has other things to do may add to a recovery."""

    turns: int = 1000
    conversations: int = 100
    seconds: float = 120.0
    each: bool = True
    slack_s: float = 0.7


SHORT = Shape(turns=60, conversations=12, seconds=14.0, each=False, slack_s=5.0)
"""Other tests run beside it."""


@dataclass(frozen=True)
class Person:
    """Somebody with one conversation."""

    number: int
    channel: str
    language: str


@dataclass(frozen=True)
class Deed:
    """What a person does `at` so many seconds. number: 0, 1, 2 … in the person's life. about: the number of the message
    that is corrected or cancelled. duplicates: so often beyond once it is delivered (on the web: posted)."""

    at: float
    person: int
    number: int
    kind: str
    words: str = ""
    about: int | None = None
    duplicates: int = 0
    batch: str | None = None

    @property
    def token(self) -> str:
        """A word that no other message of the run holds."""
        return token(self.person, self.number)


@dataclass(frozen=True)
class Weather:
    """How a platform delivers from now on: fields of simulators.delivery.Habits."""

    at: float
    channel: str
    habits: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """A trouble by its name; seed: of what it draws itself."""

    at: float
    name: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """Everything, each list in the order of its times."""

    seed: int
    shape: Shape
    people: tuple[Person, ...]
    deeds: tuple[Deed, ...]
    weather: tuple[Weather, ...]
    trials: tuple[Trial, ...]

    @property
    def turns(self) -> int:
        """Messages that are to be answered."""
        return sum(deed.kind in (TEXT, VOICE) for deed in self.deeds)


def token(person: int, number: int) -> str:
    return f"c{person:03d}n{number:03d}"


def drawn(seed: int, shape: Shape, troubles: Collection[str]) -> Plan:
    """The same seed, shape and troubles give the same plan. troubles: the names of those that this machine can have."""
    chance = random.Random(seed)
    people = tuple(
        Person(number, CHANNELS[number % len(CHANNELS)], chance.choice(LANGUAGES))
        for number in range(shape.conversations)
    )
    deeds = tuple(_deeds(chance, shape, people))
    weather = tuple(_weather(chance, shape))
    return Plan(seed, shape, people, deeds, weather, tuple(_trials(chance, shape, troubles)))


def family_of(trouble: str) -> str:
    return next(family for family, names in FAMILIES.items() if trouble in names)


def _deeds(chance: random.Random, shape: Shape, people: Sequence[Person]) -> list[Deed]:
    """Everybody says as much as the others."""
    least, more = divmod(shape.turns, len(people))
    found: list[Deed] = []
    for person in people:
        found += _life(chance, shape, person, least + (person.number < more))
    return sorted(found, key=lambda deed: (deed.at, deed.person, deed.number))


def _life(chance: random.Random, shape: Shape, person: Person, turns: int) -> Iterator[Deed]:
    """A person's messages, some in bursts; now and then a correction, a command or a cancel between them."""
    number = 0
    for at in _moments(chance, shape.seconds, turns):
        asked = _question(chance, person, number, at)
        yield asked
        number += 1
        for more in _besides(chance, person, asked):
            yield Deed(**{**more, "number": number})
            number += 1


def _moments(chance: random.Random, seconds: float, count: int) -> list[float]:
    """A sixth of the messages come right after the one before."""
    found: list[float] = []
    for moment in sorted(chance.uniform(0.0, seconds) for _ in range(count)):
        burst = found and chance.random() < 1 / 6
        found.append(round(found[-1] + chance.uniform(0.05, 0.3) if burst else moment, 3))
    return sorted(found)


def _question(chance: random.Random, person: Person, number: int, at: float) -> Deed:
    duplicates = chance.randint(1, 2) if chance.random() < 0.06 else 0
    if chance.random() < 0.08:
        return Deed(at, person.number, number, VOICE, duplicates=duplicates)
    batch = f"b{int(at)}" if chance.random() < 0.1 else None
    return Deed(at, person.number, number, TEXT, _words(chance, person, number), None, duplicates, batch)


def _words(chance: random.Random, person: Person, number: int) -> str:
    """A sentence, the token, and what the fakes are to do with it."""
    said = [chance.choice(_SAID[person.language]), token(person.number, number)]
    dice = chance.random()
    if dice < 0.012:
        said.append("#once {} {}".format(*chance.choice(_ONCE)))
    elif dice < 0.05:
        said.append(f"#fail {chance.choice(_FAILS)}")
    elif dice < 0.4:
        said.append(f"#sleep {chance.uniform(0.01, 0.08):.2f} {chance.choice(_SLEEPS)}")
    return " ".join(said)


def _besides(chance: random.Random, person: Person, asked: Deed) -> Iterator[dict[str, Any]]:
    soon = {"at": round(asked.at + chance.uniform(0.02, 1.5), 3), "person": person.number}
    dice = chance.random()
    if dice < 0.03 and person.channel in CHATS and asked.kind == TEXT:
        yield {**soon, "kind": EDIT, "words": _words(chance, person, asked.number + 1), "about": asked.number}
    elif dice < 0.04:
        yield {**soon, "kind": CANCEL, "about": asked.number}
    elif dice < 0.08:
        yield {**soon, "kind": COMMAND, "words": chance.choice(_COMMANDS)}


def _weather(chance: random.Random, shape: Shape) -> Iterator[Weather]:
    """In the end it is calm, so that everything that was said gets through."""
    at = 0.0
    while at < shape.seconds:
        yield Weather(round(at, 3), chance.choice(CHATS), dict(chance.choice(_WEATHER)))
        at += chance.uniform(0.2, 1.0) * WEATHER_S / len(CHATS)
    for channel in CHATS:
        yield Weather(round(shape.seconds, 3), channel)


def _trials(chance: random.Random, shape: Shape, troubles: Collection[str]) -> Iterator[Trial]:
    names = _all(troubles) if shape.each else _few(chance, troubles)
    chance.shuffle(names)
    names.sort(key=lambda name: name not in SLOW)
    first, last = 0.05 * shape.seconds, 0.95 * shape.seconds
    gap = (last - first) / max(len(names), 1)
    for place, name in enumerate(names):
        at = first + (place + chance.uniform(0.0, 0.8)) * gap
        yield Trial(round(at, 3), name, chance.randrange(2**32))


def _all(troubles: Collection[str]) -> list[str]:
    return sorted(troubles) + [name for name in OFTEN if name in troubles]


def _few(chance: random.Random, troubles: Collection[str]) -> list[str]:
    """One of each family; of kills three."""
    found: list[str] = []
    for family, names in FAMILIES.items():
        known = sorted(name for name in names if name in troubles and name not in SLOW)
        found += chance.sample(known, min(len(known), 3 if family == "kill" else 1))
    return found
