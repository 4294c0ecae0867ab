"""Importing from a checkout whose packages are not all installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bench.upstream.checkout import VARIABLES, Absent, at_hand, checkout, importing, module, shell
from core.errors import SurroundingsError

CODE = """
import far_away_package
from far_away_package.inner import Base, tool
from given_package import answer

class Network(Base):
    pass

def used():
    return tool()
"""


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Path]:
    package = tmp_path / "networks_of_others"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('all of it at once')")
    (package / "unet.py").write_text(CODE)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("networks_of_others")]:
        del sys.modules[name]


def test_what_is_absent_is_stood_in_for_and_raises_when_it_is_used(repository: Path) -> None:
    given = ModuleType("given_package")
    vars(given)["answer"] = 42
    whole = {
        "given_package": given,
        "networks_of_others": shell("networks_of_others", repository / "networks_of_others"),
    }
    with importing(repository, ("far_away_package", "far_away_package.inner", "json"), whole):
        unet = module("networks_of_others.unet")
        assert not isinstance(importlib.import_module("json"), Absent)
    assert unet.answer == 42
    with pytest.raises(RuntimeError, match=r"far_away_package\.inner\.tool is only a stand-in"):
        unet.used()
    assert str(repository) not in sys.path
    assert not {"far_away_package", "far_away_package.inner", "given_package", "networks_of_others"} & set(sys.modules)


@pytest.mark.parametrize("name", VARIABLES)
def test_where_no_checkout_is_the_variable_is_named(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLES[name], raising=False)
    assert not at_hand(name)
    with pytest.raises(SurroundingsError, match=f"set {VARIABLES[name]} to a checkout"):
        checkout(name)
    monkeypatch.setenv(VARIABLES[name], str(tmp_path / "nowhere"))
    with pytest.raises(SurroundingsError, match="which is no folder"):
        checkout(name)
    monkeypatch.setenv(VARIABLES[name], str(tmp_path))
    assert checkout(name) == tmp_path
