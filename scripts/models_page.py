"""Writes the tables of docs/models.md: the manifest's engines, and the plan of each set for its card.

python -m scripts.models_page
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console

from core.settings import Settings
from core.weights.manifest import Environment, Hub, Manifest, Ollama, Release, Repository, Weights, read_manifest
from core.weights.words import in_words
from worker.gpu.table import print_plans

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
CARDS_GB = (8, 12, 16, 24, 48)
_WIDTH = 100
_HEADINGS = ("weights", "layer", "engine", "languages", "licence", "size", "GPU MiB", "source")
_SOME = 9
"""More languages than that are counted instead."""


def page(text: str) -> str:
    """The page with its tables as they are now."""
    return _between(_between(text, "engines", engines(read_manifest())), "plans", plans())


def engines(manifest: Manifest) -> str:
    """A row for each entry, in the manifest's order."""
    rows = [_HEADINGS, ["---"] * len(_HEADINGS), *(_cells(each) for each in manifest.weights.values())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def plans() -> str:
    """What `smarttalker models plan` prints for each size."""
    printed = io.StringIO()
    console = Console(file=printed, width=_WIDTH, no_color=True, force_terminal=False)
    print_plans(Settings(_env_file=None), CARDS_GB, console)
    lines = (line.rstrip() for line in printed.getvalue().strip().splitlines())
    return "\n".join(["```", *lines, "```"])


def _cells(weights: Weights) -> list[str]:
    count = weights.known_bytes
    return [
        f"`{weights.name}`",
        weights.layer or "shared",
        f"`{weights.engine}`",
        _languages(weights.languages),
        weights.licence + ("" if weights.terms == "open" else " (not for commercial use)"),
        in_words(count) if count else "–",
        f"{weights.gpu_mb:,}" if weights.gpu_mb else "–",
        _source(weights),
    ]


def _languages(tags: tuple[str, ...]) -> str:
    return " ".join(tags) if len(tags) <= _SOME else f"{len(tags)}, ar among them" if "ar" in tags else str(len(tags))


def _source(weights: Weights) -> str:
    source = weights.source
    match source:
        case Hub():
            return f"hub, `{source.id}`"
        case Release():
            return "its release page"
        case Ollama():
            return f"Ollama, `{source.model}`"
        case Repository():
            return f"`{source.url.removeprefix('https://')}` at `{source.commit[:12]}`"
        case Environment():
            return f"built from `{source.lock}`"


def _between(text: str, name: str, content: str) -> str:
    """The text with the content between the two marks of that name."""
    found = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    made, times = found.subn(lambda marks: f"{marks[1]}{content}\n{marks[2]}", text)
    assert times == 1, f"docs/models.md has no marks for {name}"
    return made


def main() -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
