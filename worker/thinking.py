"""Layer 3 in the pipeline: history and persona to the answer's sentences."""

from __future__ import annotations

from collections.abc import Iterator

from core.catalogue import Persona
from core.errors import AnswerCut, LLMError
from core.kinds import LANGUAGES, Layer, Tone
from core.text.sentences import SentenceSplitter, detect_language, sentences
from worker.costs import Costs
from worker.engines.llm.base import LLMEngine, Message
from worker.guard import failing_as
from worker.hearing import Heard
from worker.job import Job, Report
from worker.lending import Lender

CUT = "cut"
"""What an answer goes on with when its model fails after the first sentence: with what was said until then."""
OWN_WORDS = "sentence"
"""The engine's name where there was nothing to ask a model."""


def spoken_language(text: str, wanted: str) -> str:
    """The language that a text is to be spoken in: the one that was asked for, unless it is plainly in another of
    ours."""
    found = detect_language(text)
    return found if found in LANGUAGES else wanted


class Thinker:
    """Streams the answer; the whole text is reported at its end."""

    def __init__(self, job: Job, report: Report, lender: Lender, persona: Persona) -> None:
        self._job = job
        self._report = report
        self._lender = lender
        self._persona = persona

    def sentences(self, heard: Heard, tone: Tone) -> Iterator[str]:
        """The answer's sentences as soon as each is whole. Raises LLMError where no engine said anything."""
        if saved := self._job.saved(Layer.LLM):
            yield from sentences(saved["text"])
        elif heard.reply is not None:
            yield from self._in_own_words(heard.reply, heard.language)
        else:
            yield from self._thought(heard, tone)

    def _in_own_words(self, reply: str, language: str) -> Iterator[str]:
        """Where there is nothing to ask a model."""
        with self._lender.costs(Layer.LLM, OWN_WORDS) as costs:
            self._report("partial", text=reply)
        self.keep(reply, language, costs)
        yield from sentences(reply)

    def _thought(self, heard: Heard, tone: Tone) -> Iterator[str]:
        """By the chosen engine, or by the first of its stand-ins that says anything."""
        self._report("layer", layer=Layer.LLM, progress=0.0)
        names = self._lender.names(Layer.LLM, heard.language)
        for name, then in zip(names, [*names[1:], None], strict=True):
            try:
                yield from self._by(name, heard, tone)
                return
            except LLMError as error:
                if then is None:
                    raise
                self._lender.step(name, error, then)

    def _by(self, name: str, heard: Heard, tone: Tone) -> Iterator[str]:
        """One engine's sentences; what was whole before it failed is kept, and where memory did not suffice for the
        first sentence it is asked once more with more room."""
        for last in (False, True):
            attempt = Attempt(self, self._lender, name, heard, tone)
            try:
                yield from attempt.sentences()
                return
            except LLMError as error:
                if attempt.said:
                    return attempt.cut(error)
                if last or not error.exhausted:
                    raise
                self._lender.make_room(Layer.LLM, name)

    def ask(self, engine: LLMEngine, heard: Heard, tone: Tone) -> Iterator[str]:
        """The engine's pieces of the answer."""
        lines = self._job.history
        history = [Message("user" if line["role"] == "user" else "assistant", line["text"]) for line in lines]
        said = Message("user", heard.text)
        return engine.answer([*history, said], persona=self._persona, language=heard.language, tone=tone)

    def show(self, text: str) -> None:
        """The answer so far."""
        self._report("partial", text=text)

    def keep(self, text: str, wanted: str, costs: Costs) -> None:
        """The answer's whole text."""
        data = {"text": text.strip(), "language": spoken_language(text, wanted)}
        self._report("output", part=0, data=data, **costs.spent)


class Attempt:
    """One engine's try at one answer."""

    def __init__(self, thinker: Thinker, lender: Lender, name: str, heard: Heard, tone: Tone) -> None:
        self._thinker = thinker
        self._lender = lender
        self._name = name
        self._heard = heard
        self._tone = tone
        self._costs = lender.costs(Layer.LLM, name)
        self._splitter = SentenceSplitter()
        self._text = ""
        self.said = 0

    def sentences(self) -> Iterator[str]:
        """Raises LLMError; `said` tells how many sentences came before."""
        with self._costs:
            yield from self._whole_ones()
        if not self._text.strip():
            raise LLMError("the language model gave an empty answer")
        self._thinker.keep(self._text, self._heard.language, self._costs)
        yield from self._splitter.flush()

    def _whole_ones(self) -> Iterator[str]:
        with self._lender.lent(Layer.LLM, self._name) as engine, failing_as(LLMError, self._name):
            pieces = self._thinker.ask(engine, self._heard, self._tone)
            for piece in self._lender.pieces(Layer.LLM, pieces, engine):
                self._text += piece
                self._thinker.show(self._text)
                for sentence in self._splitter.feed(piece):
                    self.said += 1
                    yield sentence

    def cut(self, error: LLMError) -> None:
        """The answer ends with its last whole sentence."""
        whole = self._text[: len(self._text) - len(self._splitter.rest)]
        self._thinker.keep(whole, self._heard.language, self._costs)
        self._lender.step(self._name, AnswerCut(str(error)), CUT)
