"""The first half of shaping: a stream's text without thoughts, template marks and tags, wherever the pieces are cut."""

from __future__ import annotations

import re

_LONGEST_MARK = 48
"""Characters after which `<` opens no mark: no mark below is longer."""
_MARK = re.compile(
    r"<(?P<end>[|｜](?:im_end|endoftext|end_of_text|eot_id|end|eom_id|END_OF_TURN_TOKEN)[|｜]|end_of_turn|/s|eos)>"
    r"|<(?P<begin>[|｜](?:im_start|start_header_id|START_OF_TURN_TOKEN)[|｜]|start_of_turn)>"
    r"|<(?P<think>/?)(?:think|thinking|thought|reasoning)>"
    r"|<(?P<line>br|/p|/li|/div|/h[1-6]|/tr|hr)(?:\s[^<>]{0,30})?\s?/?>"
    r"|<[|｜][^<>]{0,40}[|｜]>|</?[a-z][a-z0-9_-]{0,15}(?:\s[^<>]{0,25})?/?>",
    re.IGNORECASE,
)
"""`end`: the turn ends here; `begin`: the next one begins, if there was one. The rest is dropped; the text between tags
stays."""
_PERHAPS = re.compile(r"<(?:[|｜/a-zA-Z][^<>\n]*)?\Z")


class Marks:
    """Feed it the pieces of an answer; it gives the text that is one, as soon as no mark can begin in it."""

    def __init__(self) -> None:
        self._rest = ""
        self._thinking = self._said = False
        self.ended = False
        """Whether a mark has ended the answer."""
        self.thought = False
        """Whether the text before was a thought all the same; read once, then reset by who reads it."""

    def feed(self, piece: str) -> str:
        """The text that this piece completes."""
        if self.ended:
            return ""
        self._rest += piece
        text = self._resolved()
        held = _PERHAPS.search(self._rest)
        cut = held.start() if held and len(self._rest) - held.start() <= _LONGEST_MARK else len(self._rest)
        ready, self._rest = self._rest[:cut], self._rest[cut:]
        text = text if self._thinking or self.ended else text + ready
        self._said = self._said or bool(text.strip())
        return text

    def flush(self) -> str:
        """What is left at the stream's end: half a mark is dropped, a lone `<` stays."""
        rest, self._rest = self._rest, ""
        return "" if self._thinking or self.ended or len(rest) > 1 else rest

    def _resolved(self) -> str:
        """The text before and between all whole marks, which are taken away."""
        text = ""
        while match := _MARK.search(self._rest):
            before, self._rest = self._rest[: match.start()], self._rest[match.end() :]
            if not self._thinking:
                text += before
            text = self._met(match, text)
            if self.ended:
                self._rest = ""
        return text

    def _met(self, match: re.Match[str], text: str) -> str:
        """The text after a mark was met."""
        if match["think"] is not None:
            text = self._thought(match["think"] == "/", text)
        elif (match["end"] or (match["begin"] and (self._said or text.strip()))) and not self._thinking:
            self.ended = True
        elif match["line"] and not self._thinking:
            text += "\n"
        return text

    def _thought(self, closes: bool, text: str) -> str:
        """A thought that ends without having begun was all that came before it: templates open it themselves."""
        if closes and not self._thinking:
            self.thought, text = True, ""
        self._thinking = not closes
        return text
