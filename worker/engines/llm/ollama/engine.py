"""The engine `ollama`."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import ClassVar, Self

from ollama import ChatResponse

from core.errors import LLMError, SmartTalkerError
from core.kinds import LANGUAGES, Tone
from core.logging import get_logger
from core.persona import Persona
from core.persona.clock import Clock, now
from core.text import detect_language
from worker.engines.base import Needs, Place
from worker.engines.llm.base import Message
from worker.engines.llm.ollama import errors
from worker.engines.llm.ollama.budget import ANSWER, Budget
from worker.engines.llm.ollama.footprint import gpu_mb
from worker.engines.llm.ollama.prompt import Prompt, Writer
from worker.engines.llm.ollama.server import Server, Waits
from worker.engines.llm.ollama.shaping import Shaper

log = get_logger(__name__)

SAMPLING = {"temperature": 0.4, "top_p": 0.8, "top_k": 20, "repeat_penalty": 1.05}
"""Qwen's own (generation_config.json), but cooler (0.7 there): what is said must be what the notes say, and words of
other languages slip in less."""
SEEDS = (7, 8)
"""The same question gets the same answer; where there is none, or one that begins in another language, it is asked
once more with another seed."""
_MOST_PERSONAS = 16


class Ollama:
    """A model on an Ollama server, told who it is and what the persona knows; streams sentence by sentence."""

    name: ClassVar[str] = "ollama"

    def __init__(self, place: Place, clock: Clock = now, waits: Waits | None = None) -> None:
        self._place = place
        self._clock = clock
        self._waits = waits or Waits.up_to(place.llm_wait_s)
        self._server = Server(place.ollama_url, place.llm_model, self._waits)
        self._budget = Budget(place.llm_context)
        self._writers: dict[str, tuple[Persona, Writer]] = {}
        self._loaded = self._asked = False
        self._memory_mb = 0

    @classmethod
    def at(cls, place: Place) -> Self:
        return cls(place)

    @property
    def needs(self) -> Needs:
        here = self._place.ollama_is_here
        memory = gpu_mb(self._place.llm_model, self._place.llm_context) if here else 0
        return Needs(gpu_mb=memory, elsewhere=True, licence="Apache-2.0", patience_s=self._waits.longest(len(SEEDS)))

    def look(self) -> str:
        """`qwen2.5:14b on Ollama 0.12.3`. Raises ModelMissing, LLMError."""
        try:
            version, here = self._server.version(), self._server.has_model()
        except Exception as error:
            raise self._translated(error) from None
        finally:
            self._server.close()
        if not here:
            raise errors.missing(self._server.model, self._server.url)
        return f"{self._server.model} on Ollama {version}"

    def load(self) -> None:
        if self._loaded:
            return
        self._asked = True
        try:
            self._server.load(self._place.llm_context)
            self._memory_mb = self._server.memory_mb()
            self._tell_of_spilling()
        except Exception as error:
            self._server.close()
            self._asked = not self._server.interrupted  # a load whose client goes is given up by the server
            raise self._translated(error) from None
        self._loaded = True

    def _tell_of_spilling(self) -> None:
        """A server that lacks room on its card puts a part of the model elsewhere, says nothing, and is slow."""
        if spilled := self._server.spilled_mb():
            log.warning(
                "ollama_model_spilled", model=self._place.llm_model, on_card_mb=self._memory_mb, beside_mb=spilled
            )

    def interrupt(self) -> None:
        """What is asked of the server fails at once: the server stops when its client goes."""
        self._server.interrupt()

    def memory_mb(self) -> int:
        """MiB of the card that the model took when it had been loaded, as the server says; 0 on another machine."""
        return self._memory_mb if self._loaded and self._place.ollama_is_here else 0

    def left_mb(self) -> int:
        """MiB of this machine's card that the server holds for the model although it was not loaded here: a process
        that was killed left it there. Raises as `load`."""
        if self._loaded or not self._place.ollama_is_here:
            return 0
        try:
            return self._server.memory_mb()
        except Exception as error:
            self._server.close()
            raise self._translated(error) from None

    def unload(self) -> None:
        """Only what was asked for here; a server that is gone has given everything back."""
        if not self._asked:
            return
        try:
            self._server.unload()
        except Exception as error:
            if not errors.has_nothing(error):
                raise self._translated(error) from None
        finally:
            self._server.close()
        self._loaded = self._asked = False
        self._writers.clear()

    def answer(self, history: Sequence[Message], *, persona: Persona, language: str, tone: Tone) -> Iterator[str]:
        """Whole sentences, each with a blank behind it. Raises AnswerCut where the server fails after the first;
        ConfigurationError where the context is too small for the persona; ModelMissing."""
        writer = self._writer(persona)
        prompt = writer.prompt(history, language, tone, self._budget)
        self.load()
        for seed in SEEDS:
            said = False
            with closing(self._sentences(prompt, language, writer.unknown(language), seed)) as sentences:
                for sentence in sentences:
                    if not said and seed != SEEDS[-1] and _is_in_another(sentence, language):
                        break
                    said = True
                    yield f"{sentence} "
            if said:
                return
            log.info("llm_asked_again", model=self._server.model)
        raise LLMError(f"{self._server.model} gave an empty answer")

    def _writer(self, persona: Persona) -> Writer:
        """Prepared once, and again where the persona was edited."""
        known = self._writers.get(persona.id)
        if known is None or known[0] is not persona:
            if len(self._writers) >= _MOST_PERSONAS:
                self._writers.clear()
            known = self._writers[persona.id] = (persona, Writer(persona, self._clock))
        return known[1]

    def _sentences(self, prompt: Prompt, language: str, unknown: str, seed: int) -> Generator[str]:
        """What the model says to the prompt; from where it recites its instructions on, that it does not know."""
        secrecy, said = prompt.secrecy(), False
        try:
            with closing(self._shaped(prompt, language, seed)) as sentences:
                for sentence in sentences:
                    if secrecy.recited(sentence):
                        log.warning("llm_recited_instructions", model=self._server.model)
                        yield unknown
                        return
                    yield sentence
                    said = True
        except SmartTalkerError:
            raise
        except Exception as error:
            raise self._translated(error, midway=said) from None

    def _shaped(self, prompt: Prompt, language: str, seed: int) -> Generator[str]:
        shaper, done = Shaper(language), None
        options = {**SAMPLING, "num_ctx": self._place.llm_context, "num_predict": ANSWER, "seed": seed}
        with closing(self._server.chat(prompt.messages, options)) as chunks:
            until = time.monotonic() + self._waits.first + self._waits.sentence
            for chunk in chunks:
                for sentence in shaper.feed(chunk.message.content or ""):
                    yield sentence
                    until = time.monotonic() + self._waits.sentence
                if shaper.full:
                    return
                if time.monotonic() > until:
                    raise errors.Stalled
                done = chunk if chunk.done else done
        if done is None:
            raise errors.Broken
        self._learn(prompt, done)
        yield from shaper.flush(whole=done.done_reason != "length")

    def _learn(self, prompt: Prompt, last: ChatResponse) -> None:
        self._budget.correct(prompt.tokens, last.prompt_eval_count or 0)

    def _translated(self, error: Exception, *, midway: bool = False) -> SmartTalkerError:
        if isinstance(error, SmartTalkerError):
            return error
        return errors.translated(error, self._server.model, self._server.url, midway=midway)


def _is_in_another(sentence: str, language: str) -> bool:
    """Whether a sentence is plainly in another of our languages than was asked for."""
    return language in LANGUAGES and detect_language(sentence) not in (language, None)
