"""Names of models: `qwen2.5:14b` is `registry.ollama.ai/library/qwen2.5:14b`; what is left out has a default."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HOST: Final = "registry.ollama.ai"
NAMESPACE: Final = "library"
TAG: Final = "latest"

_HOST = re.compile(r"[A-Za-z0-9_][\w.:-]{0,349}", re.ASCII)
_NAMESPACE = re.compile(r"[A-Za-z0-9_][\w-]{0,79}", re.ASCII)
_PART = re.compile(r"[A-Za-z0-9_][\w.-]{0,79}", re.ASCII)


@dataclass(frozen=True)
class Name:
    """host/namespace/model:tag, complete."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def valid(self) -> bool:
        """Whether a model could be called so."""
        parts = ((_HOST, self.host), (_NAMESPACE, self.namespace), (_PART, self.model), (_PART, self.tag))
        return all(pattern.fullmatch(part) for pattern, part in parts)

    @property
    def key(self) -> str:
        """The same for all spellings: names differ not by case alone."""
        return str(self).lower()

    @property
    def short(self) -> str:
        """As Ollama shows it: without the registry's own host and namespace, always with the tag."""
        if self.host.lower() != HOST:
            return str(self)
        library = "" if self.namespace.lower() == NAMESPACE else f"{self.namespace}/"
        return f"{library}{self.model}:{self.tag}"

    def __str__(self) -> str:
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"


def parse(text: str) -> Name:
    """Any text; the name may be one that is not valid."""
    rest, tag = text.strip(), TAG
    if rest.rfind(":") > rest.rfind("/"):
        rest, _, tag = rest.rpartition(":")
    rest, _, model = rest.rpartition("/")
    host, _, namespace = rest.rpartition("/")
    return Name(host.rpartition("://")[2] or HOST, namespace or NAMESPACE, model, tag)
