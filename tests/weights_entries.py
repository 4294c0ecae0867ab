"""An entry of a manifest with small files, as tests.weights_server offers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.weights.fetching import Way
from core.weights.manifest import File, Hub, Source, Weights
from tests.weights_server import COMMIT, Shelf

LARGE = bytes(range(256)) * 40
WRONG = LARGE[:-1] + b"x"
FILES = {"config.yaml": b"model: tiny\n", "sub/a b.json": b"{}", "model.pt": LARGE}
MODEL = f"/o/n/resolve/{COMMIT}/model.pt"


def entry(source: Source, **changes: Any) -> Weights:
    return Weights(**{"name": "tiny", "engine": "e", "source": source, "licence": "MIT", "terms": "open", **changes})


def hub(*files: File | str, revision: str = COMMIT) -> Hub:
    return Hub("o/n", revision, tuple(File(each) if isinstance(each, str) else each for each in files))


def way_to(shelf: Shelf, models: Path, **changes: Any) -> Way:
    return Way(**{"models": models, "hub": shelf.url, "patience_s": 5.0, "pause_s": 0.01, **changes})
