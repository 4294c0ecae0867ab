"""How people say a written question: contracted or not, after a lead-in, before a thanks."""

from __future__ import annotations

import re
from collections.abc import Iterator

OPENINGS = (
    "hello", "hi", "hey", "hello there", "good morning", "good afternoon", "good evening", "excuse me", "sorry",
    "please", "um", "uh", "okay", "so", "well", "how are you", "i have a question",
)  # fmt: skip
"""At most two of them."""
REQUESTS = (
    "can you tell me", "could you tell me", "can you please tell me", "could you please tell me", "please tell me",
    "tell me", "do you know", "i want to know", "i wanna know", "i would like to know", "i'd like to know",
    "i need to know", "may i ask", "i was wondering", "i want to ask",
)  # fmt: skip
"""At most one of them, right before the question."""
CLOSINGS = (
    "please", "thank you", "thanks", "thank you very much", "thanks a lot", "please thank you", "thank you bye",
    "thanks bye", "thank you goodbye",
)  # fmt: skip
"""At most one of them."""

ARTICLES = ("a", "an", "the")
"""Which one is said makes no other question."""

_CONTRACTED = (
    ("what is", "what's"), ("where is", "where's"), ("when is", "when's"), ("who is", "who's"), ("how is", "how's"),
    ("that is", "that's"), ("there is", "there's"), ("it is", "it's"), ("i would", "i'd"), ("i am", "i'm"),
    ("i will", "i'll"), ("you are", "you're"), ("we are", "we're"), ("do not", "don't"), ("does not", "doesn't"),
    ("did not", "didn't"), ("is not", "isn't"), ("was not", "wasn't"), ("has not", "hasn't"), ("have not", "haven't"),
    ("will not", "won't"), ("cannot", "can't"), ("can not", "can't"), ("want to", "wanna"),
)  # fmt: skip
_SHORTER = [(re.compile(rf"\b{full}\b"), short) for full, short in _CONTRACTED]
_LONGER = [(re.compile(rf"(?<![\w']){short}\b"), full) for full, short in _CONTRACTED if full != "can not"]

_ASKED = r"(what|where|when|who|how (?:much|many|long|far|big|old|late|early))"
_INDIRECT = (
    (re.compile(rf"{_ASKED} (is|are) (.+)"), r"\1 \3 \2"),
    (re.compile(r"(how) (?:do|can) i (.+)"), r"\1 to \2"),
    (re.compile(r"((?:what|where|when|who|which|how)(?: \w+){0,2}) do (i|you|we) (.+)"), r"\1 \2 \3"),
    (re.compile(r"((?:what|where|when|who|which|how)(?: \w+){0,2}) can (i|you|we) (.+)"), r"\1 \2 can \3"),
    (re.compile(r"do (i|you|we|they) (.+)"), r"if \1 \2"),
    (re.compile(r"(can|will|must|may) (i|you|we|they|someone) (.+)"), r"if \2 \1 \3"),
    (re.compile(r"(is|are) (there) (.+)"), r"if \2 \1 \3"),
)
"""`where is the station` after `can you tell me` is `where the station is`."""


def ways_of(sentence: str) -> Iterator[str]:
    """The sentence as it was written, contracted and in full: lower-case words; some may be the same."""
    yield sentence
    for rules in (_SHORTER, _LONGER):
        other = sentence
        for pattern, text in rules:
            other = pattern.sub(text, other)
        yield other


def indirect(sentence: str) -> str | None:
    """The sentence as it follows a request, where its order of words is another then."""
    for pattern, order in _INDIRECT:
        if match := pattern.fullmatch(sentence):
            return match.expand(order)
    return None
