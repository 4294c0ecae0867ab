"""What a persona says to a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from core.kinds import Tone
from core.persona import Entity, Persona, in_language, text_of
from core.persona.clock import Clock, zone_of
from core.text import fold, sentences
from core.text.listing import listed
from worker.engines.llm.answers import smalltalk
from worker.engines.llm.answers.choice import Choice
from worker.engines.llm.answers.context import Named, State
from worker.engines.llm.answers.days import weekday
from worker.engines.llm.answers.dialogue import Dialogue, Found, Move
from worker.engines.llm.answers.knowledge import Knowledge
from worker.engines.llm.answers.smalltalk import BY_ID, TABLE
from worker.engines.llm.base import Message

T = TypeVar("T")

MOST_MESSAGES = 12
"""How many of the user's last messages are looked at."""
_TOPICS = 3
_SPARED = frozenset(fold(TABLE["empathy"]["spared"]).split())
_EMPATHY = {Tone.CALM: "calm", Tone.GENTLE: "gentle"}


class Replies:
    """One persona's answers, ready to be searched."""

    def __init__(self, persona: Persona, clock: Clock) -> None:
        self.persona = persona
        self._known = Knowledge(persona)
        self._dialogue = Dialogue(self._known)
        self._zone = zone_of(persona.timezone)
        self._clock = clock

    def choose(self, history: Sequence[Message], language: str, tone: Tone = Tone.NEUTRAL) -> Choice:
        """What is said to the last message of the history."""
        today, state, said = weekday(self._clock, self._zone), State(), ""
        *before, last = history[-2 * MOST_MESSAGES :]
        for message in before:
            if message.role == "user":
                state = self._dialogue.after(state, self._move(state, message.text, today, said))
            else:
                said = message.text
        heard = [message.text for message in history[:-1] if message.role == "assistant"]
        return Speech(self, language, tone, heard).of(self._move(state, last.text, today, said), last.text)

    def _move(self, state: State, text: str, today: int, said: str) -> Move:
        return self._dialogue.move(state, text, today, self.offered(said))

    def offered(self, said: str) -> tuple[int, ...]:
        """The answers whose topics an offer names, in its order; none for a text that offers fewer than two."""
        found = {
            place: at
            for place, answer in enumerate(self.persona.answers)
            for topic in answer.topic.values()
            if topic and (at := said.find(topic)) >= 0
        }
        return tuple(sorted(found, key=found.__getitem__)) if len(found) > 1 else ()

    def taking(self, named: Named) -> list[int]:
        """The answers to which what is named makes a difference."""
        return [place for place, kinds in enumerate(self._known.takes) if kinds & named.keys()]


class Speech:
    """Puts into words what is said to one message. heard: what was said before, the latest last."""

    def __init__(self, replies: Replies, language: str, tone: Tone, heard: Sequence[str]) -> None:
        self._replies = replies
        self._persona = replies.persona
        self._language = language
        self._tone = tone
        self._heard = heard
        self._last = heard[-1] if heard else ""

    def of(self, move: Move, text: str) -> Choice:
        if move.answers:
            return self._answers(move)
        if move.small:
            return self._small(move)
        if not any(char.isalnum() for char in text):
            return self._wordless(text)
        if smalltalk.is_foreign(text):
            return Choice((), True, self._fresh(TABLE["foreign"]))
        if move.named and not move.tokens_ask and (taking := self._replies.taking(move.named)):
            return self._about(move.named, taking)
        return Choice((), False, self._unknown(move.near))

    def _answers(self, move: Move) -> Choice:
        found = move.answers[: 2 if len(move.answers) > 1 else 1]
        texts = [self._text(one) for one in found]
        said = texts[0]
        if len(texts) > 1:
            topic = self._in(self._persona.answers[found[1].place].topic)
            said = f"{said} {self._in(TABLE['joints']['second']).format(topic=topic, text=texts[1])}"
        if said == self._last:
            said = self._in(TABLE["joints"]["again"]).format(text=said)
        ids = tuple(self._persona.answers[one.place].id for one in found)
        named = {kind: value.id if isinstance(value, Entity) else str(value) for kind, value in found[-1].named.items()}
        return Choice(ids, False, f"{self._before(move, said)}{said}", named)

    def _text(self, found: Found) -> str:
        return text_of(self._persona.answers[found.place], found.named, self._language)

    def _before(self, move: Move, said: str) -> str:
        """A greeting returned to a first message, or a word of feeling."""
        if move.greetings and not self._heard:
            return f"{self._in(TABLE['joints'][move.greetings[0]])} "
        name = _EMPATHY.get(self._tone)
        if name is None:
            return ""
        clauses: list[str] = [text for kind in _EMPATHY.values() for text in TABLE["empathy"][kind].values()]
        spared = bool(_SPARED & set(fold(said).split())) or any(clause in self._last for clause in clauses)
        return "" if spared else f"{self._in(TABLE['empathy'][name])} "

    def _small(self, move: Move) -> Choice:
        row = BY_ID[move.small]
        if move.small == "person" and (place := self._place("phone")) is not None:
            return Choice(("phone",), False, self._text(Found(place, {}, 1.0)))
        if move.small == "repeat" and self._last:
            return Choice((), True, self._last)
        offered = self._replies.offered(self._last)
        if move.small == "yes" and offered:
            return self._yes(row, offered)
        if move.small in smalltalk.GREETINGS and not self._heard:
            return Choice((), True, self._filled(self._in(row["first"])[0]))
        said = self._fresh(row["text"])
        if move.greetings and not self._heard and move.small not in smalltalk.GREETINGS and "{greeting}" not in said:
            returned = self._in(TABLE["joints"][move.greetings[0]])
            said = said if said.startswith(returned) else f"{returned} {said}"
        return Choice((), True, said)

    def _yes(self, row: Mapping[str, Any], offered: Sequence[int]) -> Choice:
        """Which of what was offered; the first one, where that was asked already."""
        topics = self._topics(offered, choice=True)
        said = self._in(row["which"])[0].format(topics=topics)
        if said != self._last:
            return Choice((), True, said)
        found = Found(offered[0], {}, 1.0)
        return Choice((self._persona.answers[found.place].id,), False, self._text(found))

    def _place(self, answer_id: str) -> int | None:
        return next((place for place, answer in enumerate(self._persona.answers) if answer.id == answer_id), None)

    def _wordless(self, text: str) -> Choice:
        small = smalltalk.of_emoji(text)
        return self._small(Move(small=small)) if small else Choice((), True, self._fresh(TABLE["empty"]))

    def _about(self, named: Named, taking: Sequence[int]) -> Choice:
        value = next(iter(named.values()))
        name = self._in(value.names)[0] if isinstance(value, Entity) else str(value)
        text = self._in(TABLE["named"])[0].format(name=name, topics=self._topics(taking[:_TOPICS]))
        return Choice((), False, text)

    def _unknown(self, near: Sequence[int]) -> str:
        """That it is not known, and what is; never in the words that were just said."""
        table = TABLE["unknown"]
        said = set(sentences(self._last))
        leads: list[str] = [
            lead
            for lead in (self._in(self._persona.unknown), *self._in(table["leads"]))
            if not said & set(sentences(lead))
        ]
        if not self._persona.answers:
            return leads[0]
        topics = self._topics(self._offer(near))
        offers: list[str] = [offer.format(topics=topics) for offer in self._in(table["offers"])]
        offers = [offer for offer in offers if offer not in said and offer[:12] not in self._last]
        return f"{leads[0]} {(offers or [''])[0]}".strip()

    def _offer(self, near: Sequence[int]) -> list[int]:
        """The nearest answers, then the first ones that were not just offered."""
        just = set(self._replies.offered(self._last))
        others = [place for place in range(len(self._persona.answers)) if place not in just] or list(
            range(len(self._persona.answers))
        )
        return list(dict.fromkeys((*near, *others)))[:_TOPICS]

    def _fresh(self, texts: Mapping[str, Any]) -> str:
        """The first of several texts that was not just said."""
        filled_in = [self._filled(text) for text in self._in(texts)]
        return next((text for text in filled_in if text != self._last), filled_in[0])

    def _filled(self, text: str) -> str:
        topics = self._topics(self._offer(()))
        if not topics and "{topics}" in text:
            text = self._in(self._persona.greeting)
        return text.format(greeting=self._in(self._persona.greeting), topics=topics)

    def _topics(self, places: Sequence[int], *, choice: bool = False) -> str:
        names = [self._in(self._persona.answers[place].topic) for place in places]
        return listed(names, self._language, choice=choice)

    def _in(self, texts: Mapping[str, T]) -> T:
        return in_language(texts, self._language)
