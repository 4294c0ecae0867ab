"""Web and mail addresses, hashtags and user names, as they are read out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_TOP = "com|net|org|info|io|app|me|co|edu|gov|biz|online|shop|store|example|sa|ae|eg|qa|kw|bh|om|jo|lb|ma|uk|us|eu"
_MAIL = re.compile(r"(?<![\w.])([A-Za-z0-9][\w.+-]{0,63})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})")
_URL = re.compile(r"(?:https?://|www\.)(?:www\.)?([^\s/،؛,;:?#\"')]+)[^\s،؛\"')]*", re.IGNORECASE)
_BARE = re.compile(
    rf"(?<![\w.@/])((?:[A-Za-z0-9-]{{1,63}}\.)+(?:{_TOP}))(?![\w@-]|\.\w)(?:/[^\s،؛\"')]*)?", re.IGNORECASE
)
_TAG = re.compile(r"(?<![\w&])#(?=[^\W\d])([\w\u064b-\u0652]+)")
_NAME = re.compile(r"(?<![\w.])@(\w[\w.]*\w|\w)")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Reading(NamedTuple):
    """How a language reads them. tops: what stands for a top-level domain other than itself."""

    dot: str
    at: str
    tops: Mapping[str, str]


def read_addresses(text: str, reading: Reading) -> str:
    """The text with its addresses in words; of a web address the host alone is said."""
    if "@" in text:
        text = _MAIL.sub(lambda found: f"{_local(found[1], reading)} {reading.at} {_host(found[2], reading)}", text)
        text = _NAME.sub(lambda found: _words(found[1].replace(".", " ")), text)
    if "#" in text:
        text = _TAG.sub(lambda found: _words(found[1]), text)
    if "." in text:
        text = _URL.sub(lambda found: _host(found[1], reading), text)
        text = _BARE.sub(lambda found: _host(found[1], reading), text)
    return text


def _host(host: str, reading: Reading) -> str:
    stop = "." if host.endswith(".") else ""
    labels = [label for label in host.split(".") if label]
    said = [*labels[:-1], *(reading.tops.get(label.lower(), label) for label in labels[-1:])]
    return f" {reading.dot} ".join(_words(label.replace("-", " ")) for label in said) + stop


def _local(name: str, reading: Reading) -> str:
    return f" {reading.dot} ".join(_words(part.replace("-", " ").replace("+", " ")) for part in name.split("."))


def _words(name: str) -> str:
    return _HUMP.sub(" ", name.replace("_", " "))
