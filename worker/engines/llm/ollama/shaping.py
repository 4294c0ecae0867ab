"""An answer as it can be spoken, whatever the model wrote: whole sentences without markup, as soon as each is whole.

Lines of lists become sentences, headings too; code, tables' rules and stage directions are left out, and so are emoji
and words in a script that the answer's language does not use (Qwen slips Chinese into Arabic).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from core.text import fold
from core.text.sentences import SentenceSplitter
from worker.engines.llm.ollama.marks import Marks

MOST_WORDS, MOST_CHARACTERS = 120, 900
"""An answer ends before it is longer: about a minute of speech, twice what a persona's longest answer takes; nobody
listens longer, and each minute costs several of drawing."""

_MARKER = re.compile(
    r"[ \t]*(?:(?:[-*+•‣▪◦–—]|#{1,6}|>+)[ \t]+|[(（]?[0-9٠-٩]{1,2}[.)）\-:][ \t]+(?=[^\s\d]))(?:#{1,6}[ \t]+)?"
)
"""What begins a line of a list, a heading, a quotation."""
_MAY_BE_MARKER = re.compile(r"[ \t]*(?:[-*+•‣▪◦–—#>`~|=_]{0,6}|[(（]?[0-9٠-٩]{1,2}[.)）\-:]?)[ \t]*\Z")
_FENCE = re.compile(r"[ \t]*(?:```|~~~)(?!.*(?:```|~~~))")
"""Begins or ends code; what is fenced within one line is text."""
_RULE = re.compile(r"[ \t]*(?:[-*_=]{3,}|[|:\-+ \t]+)[ \t]*\Z")
_SPEAKER = re.compile(
    r"\s*\**(?:(?P<other>user|human|customer|المستخدم|السائل|الزبون|العميل)"
    r"|assistant|system|model|bot|answer|المساعد|النظام|الجواب|الإجابة)\s*\**\s*(?:[:：]\**\s*|\Z)",
    re.IGNORECASE,
)
"""A turn's label, as a model writes it that goes on with the conversation by itself."""
_MAY_BE_SPEAKER = re.compile(r"\s*\**[^\W\d_]{0,9}\s*\**\s*\Z")

_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*\)?")
_ADDRESS = re.compile(r"(?:https?://|www\.)(?:www\.)?([^\s/،؛,;:?#\"'()<>]+)[^\s،؛\"'()<>]*", re.IGNORECASE)
_STAGE = re.compile(r"(?<![*\w])\*(?!\*)\s*([^*\n]{1,60}?)\s*\*(?![*\w])|[(\[（]\s*([^()\[\]\n]{1,60}?)\s*[)\]）]")
_DOING = tuple(
    fold(
        "smil laugh nod sigh wave waving paus chuckl grin wink gestur lean shrug giggl clears warmly softly excited "
        "يبتسم تبتسم مبتسم بابتسام ابتسام يضحك تضحك ضاحك بضحك ضحك يومئ تومئ يتنهد تتنهد يلوح تلوح يغمز تغمز "
        "بحماس بلطف بحزن بحنان وقفه يفكر تفكر ينظر تنظر"
    ).split()
)
"""How words of stage directions begin, folded."""
_EMPHASIS = re.compile(r"[*`|]+|~{2,}|(?<!\w)_+|_+(?!\w)|^#+\s*|\\(?=[*_#`\[\]])")
_SIGNS = re.compile(r"[{}<>#\\]")
_DOTS = re.compile(r"\s*[•‣▪◦]\s*")
_TIMES = re.compile(r"(?<=\d)[ \t]*\*[ \t]*(?=\d)")
_EMOTICON = re.compile(r"(?<!\S)[:;=]['\-]?[)(DPpOo*3|/\\]+(?!\S)|(?<!\S)<3(?!\S)")
_UNSPOKEN = {"So", "Sk", "Cf", "Co", "Cs", "Cn", "Cc"}
_KEPT = frozenset("°^")
_WIDE = {
    "，": "، ", "。": ". ", "！": "! ", "？": "؟ ", "；": "؛ ", "：": ": ", "、": "، ", "（": " (", "）": ") ",
    "「": " ", "」": " ",
}  # fmt: skip
"""Chinese marks in Arabic; `_WIDE_LATIN` has them for English."""
_WIDE_LATIN = {"،": ",", "؟": "?", "؛": ";"}
_LONG_WORD = re.compile(r"[A-Za-z0-9+/=_\-]{40,}")
"""What no voice can say: keys, hashes, base64."""
_BLANKS = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+(?=[.,!?:;،؛؟)])")
_AFTER_COLON = re.compile(r"(?<=:)\s*[،,]")
_EMPTY = re.compile(r"[(\[«\"]\s*[)\]»\"]")
_MARKS_IN_A_ROW = re.compile(r"(?<=[.!?؟،؛,;:])(?:\s+|[،؛,;:])+(?=[.!?؟،؛,;:])|[،؛,;:]+\s*(?=[.!?؟])")
_LEADING = re.compile(r"\A[\s\-–—.,!?،؛؟:;)]+(?!\d)")
_ENDS = (".", "!", "?", "؟", "…", ":", "؛", "،", ",", ";", "。", "！", "？")
_CLOSERS = "\"'»”’)]"
_SAME_SCRIPTS = {"ar": ("ARABIC", "LATIN"), "en": ("LATIN", "ARABIC")}
_SPOILT = 0.5
"""A sentence that loses more than this part of its letters is left out: what remains makes no sense."""


class Shaper:
    """Feed it the pieces of one answer; it gives sentences. `full` is set when no more may follow."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._comma = "، " if language == "ar" else ", "
        self._marks = Marks()
        self._splitter = SentenceSplitter()
        self._line = ""
        self._begun = self._in_code = self._over = False
        self._words = self._characters = 0
        self._last = ""
        self.full = False

    def feed(self, piece: str) -> Iterator[str]:
        """The sentences that this piece made whole."""
        yield from self._bounded(self._taken(self._marks.feed(piece)))
        if (self._marks.ended or self._over) and not self.full:
            yield from self._bounded(self._left())
            self.full = True

    def flush(self, *, whole: bool = True) -> Iterator[str]:
        """What is left at the end of the stream. whole: whether the answer ended by itself; else a sentence without its
        end is left out, unless nothing else was said."""
        found = list(self._taken(self._marks.flush()))
        if whole or not (self._last or found):
            found += self._left()
        yield from self._bounded(iter(found))

    def _left(self) -> Iterator[str]:
        """What stands after the last whole sentence."""
        yield from self._ended_line()

    def _taken(self, text: str) -> Iterator[str]:
        """Sentences out of text without marks, line by line."""
        if self._marks.thought:
            self._line, self._begun, self._splitter, self._marks.thought = "", False, SentenceSplitter(), False
        for piece in re.split(r"(\n)", self._widened(text)):
            if self._over:
                return
            yield from self._ended_line() if piece == "\n" else self._in_line(piece)

    def _widened(self, text: str) -> str:
        """With the marks of this language for the wide ones of Chinese."""
        if self._language in ("zh", "ja", "ko") or text.isascii():
            return text
        for wide, own in _WIDE.items():
            if wide in text:
                own = own if self._language == "ar" else "".join(_WIDE_LATIN.get(char, char) for char in own)
                text = text.replace(wide, own)
        return text

    def _in_line(self, piece: str) -> Iterator[str]:
        """More of a line: its beginning is held until it shows what kind of line it is."""
        self._line += piece
        if self._in_code or self._line.lstrip().startswith(("|", "```", "~~~")):
            return
        if not self._begun:
            if _MAY_BE_MARKER.match(self._line) or _MAY_BE_SPEAKER.match(self._line):
                return
            self._begun = True
            self._line = self._beginning(self._line)
        text, self._line = self._line, ""
        yield from self._sentences(text)

    def _ended_line(self) -> Iterator[str]:
        line, begun = self._line, self._begun
        self._line, self._begun = "", False
        if _FENCE.match(line):
            self._in_code = not self._in_code
        elif not self._in_code and not (not begun and _RULE.match(line)):
            if line.lstrip().startswith("|"):
                line = self._row(line)
            elif not begun:
                line = self._beginning(line)
            yield from self._sentences(line + "\n")

    def _row(self, line: str) -> str:
        """A table's row as a sentence."""
        return self._comma.join(filter(None, (cell.strip() for cell in line.strip().strip("|").split("|"))))

    def _beginning(self, line: str) -> str:
        """A line without what marks its kind, or who speaks; another's turn ends the answer."""
        if marker := _MARKER.match(line):
            line = line[marker.end() :]
        speaker = _SPEAKER.match(line)
        if speaker is None:
            return line
        self._over = bool(speaker["other"])
        return "" if self._over else line[speaker.end() :]

    def _sentences(self, text: str) -> Iterator[str]:
        for sentence in self._splitter.feed(text):
            if shaped := self._shaped(sentence):
                yield shaped

    def _bounded(self, found: Iterator[str]) -> Iterator[str]:
        """The sentences as long as there is room; one that repeats the last is left out."""
        for sentence in found:
            words, characters = self._words + len(sentence.split()), self._characters + len(sentence) + 1
            if self.full or words > MOST_WORDS or characters > MOST_CHARACTERS:
                self.full = True
                return
            if fold(sentence) == self._last:
                continue
            self._words, self._characters, self._last = words, characters, fold(sentence)
            yield sentence

    def _shaped(self, sentence: str) -> str:
        """A sentence without what can't be said, ended by a mark; empty where nothing is left."""
        text = _STAGE.sub(_staged, _LINK.sub(r"\1", sentence))
        text = _EMOTICON.sub(" ", _LONG_WORD.sub(" ", _ADDRESS.sub(r"\1", text)))
        text = _SIGNS.sub(" ", _EMPHASIS.sub("", _TIMES.sub("×", text)))
        text = _DOTS.sub(self._comma, text)
        text, lost = self._spelt(text)
        if lost > _SPOILT:
            return ""
        text = _BEFORE_MARK.sub("", _BLANKS.sub(" ", _EMPTY.sub(" ", text)))
        text = _LEADING.sub("", _AFTER_COLON.sub("", _MARKS_IN_A_ROW.sub("", text))).strip()
        if not any(char.isalnum() for char in text):
            return ""
        return text if text.rstrip(_CLOSERS).endswith(_ENDS) else f"{text}."

    def _spelt(self, text: str) -> tuple[str, float]:
        """The text without pictures and foreign scripts, and which part of its letters is lost."""
        if text.isascii() and text.isprintable():
            return text, 0.0
        scripts = _SAME_SCRIPTS.get(self._language)
        kept, letters, lost = [], 0, 0
        for char in unicodedata.normalize("NFC", text):
            foreign = char.isalpha() and scripts is not None and not _is_of(char, scripts)
            letters += char.isalpha()
            lost += foreign
            unspoken = char not in _KEPT and unicodedata.category(char) in _UNSPOKEN
            kept.append(" " if foreign or unspoken or "\ufe00" <= char <= "\ufe0f" or char == "\u20e3" else char)
        return "".join(kept), lost / letters if letters else 0.0


def _staged(match: re.Match[str]) -> str:
    """Nothing for a stage direction; anything else in asterisks or brackets stays."""
    inside = match[1] if match[1] is not None else match[2]
    return " " if any(word.startswith(_DOING) for word in fold(inside).split()) else match[0]


def _is_of(char: str, scripts: tuple[str, ...]) -> bool:
    return unicodedata.name(char, "").startswith(scripts)
