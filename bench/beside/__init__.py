"""Packages that stand in where the real ones can't be imported; only tests and benches reach for them.

torchvision: spandrel imports three names of it, and it has no build for every build of torch. A real one goes before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent


def lend() -> None:
    """`import torchvision` works in this process from now on."""
    if find_spec("torchvision") is None:
        sys.path.append(str(FOLDER))


def lent(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a process in which `import torchvision` works."""
    lend()
    found = find_spec("torchvision")
    if found is None or found.origin is None or FOLDER not in Path(found.origin).parents:
        return dict(environment)
    paths = [*filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys([*paths, str(FOLDER)]))}
