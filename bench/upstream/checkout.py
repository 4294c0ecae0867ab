"""Where a checkout is, and importing from it in an environment that lacks most of what it asks for.

What a repository imports but never needs for the work at hand is stood in for while its modules are imported: a module
of which every name can be imported and inherited from, and raises when it is called. The repositories' own files are
run as they are.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from core.errors import SurroundingsError

VARIABLES = {
    "echomimic": "SMARTTALKER_TEST_ECHOMIMIC",
    "musetalk": "SMARTTALKER_TEST_MUSETALK",
    "realesrgan": "SMARTTALKER_TEST_REALESRGAN",
    "codeformer": "SMARTTALKER_TEST_CODEFORMER",
}
"""Variables of the environment that name a checkout of antgroup/echomimic_v2, TMElyralab/MuseTalk,
xinntao/Real-ESRGAN, sczhou/CodeFormer."""


def checkout(name: str) -> Path:
    """Raises SurroundingsError where the variable is not set or names no folder."""
    variable = VARIABLES[name]
    if not (told := os.environ.get(variable)):
        raise SurroundingsError(f"set {variable} to a checkout of the original repository to compare with it")
    if not (folder := Path(told)).is_dir():
        raise SurroundingsError(f"{variable} is {folder}, which is no folder")
    return folder


def at_hand(name: str) -> bool:
    return bool(os.environ.get(VARIABLES[name]))


class Absent(ModuleType):
    """Stands in for a package that is not installed, and for all modules below it."""

    def __init__(self, name: str, path: Sequence[str] = ()) -> None:
        super().__init__(name)
        self.__path__ = list(path)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Unusable,), {"__module__": self.__name__})


class _Unusable:
    def __init__(self, *_arguments: object, **_named: object) -> None:
        kind = type(self)
        raise RuntimeError(f"{kind.__module__}.{kind.__name__} is only a stand-in: that package is not installed")


@contextmanager
def importing(
    folder: Path, absent: Sequence[str] = (), given: Mapping[str, ModuleType] | None = None
) -> Iterator[None]:
    """While it lasts, the checkout's packages can be imported.

    absent: modules that are stood in for where they are not installed. given: modules that stand under their names
    whether installed or not.
    """
    before = {name: sys.modules.get(name) for name in (*absent, *(given or {}))}
    sys.modules |= {name: Absent(name) for name in absent if _is_missing(name)} | dict(given or {})
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.path.remove(str(folder))
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module


def module(name: str) -> Any:
    return importlib.import_module(name)


def shell(name: str, folder: Path) -> ModuleType:
    """A package whose modules can be imported, without its own `__init__`; its other names are stood in for."""
    return Absent(name, [str(folder)])


def _is_missing(name: str) -> bool:
    try:
        return name not in sys.modules and importlib.util.find_spec(name) is None
    except ModuleNotFoundError:  # of its package
        return True
