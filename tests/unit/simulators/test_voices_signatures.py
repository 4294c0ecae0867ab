"""The voices' doubles are held to what upstream's sources say."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from typing import Any

import pytest

from scripts import voice_signatures
from simulators.voices import signatures
from simulators.voices.cosyvoice.frontend import CosyVoiceFrontEnd
from simulators.voices.cosyvoice.llm import CosyVoice3LM
from simulators.voices.cosyvoice.model import CosyVoice3Model
from simulators.voices.cosyvoice.models import CosyVoice3
from simulators.voices.voxcpm.core import VoxCPM
from simulators.voices.voxcpm.model import VoxCPM2Model

SOURCES = os.environ.get("SMARTTALKER_TEST_VOICE_SOURCES", "")
CLASSES = [
    (CosyVoice3, "cosyvoice.cli.cosyvoice"),
    (CosyVoiceFrontEnd, "cosyvoice.cli.frontend"),
    (CosyVoice3Model, "cosyvoice.cli.model"),
    (CosyVoice3LM, "cosyvoice.llm.llm"),
    (VoxCPM, "voxcpm.core"),
    (VoxCPM2Model, "voxcpm.model.voxcpm2"),
]
SOURCE = """
class Base:
    def __init__(self, folder): ...
    def speak(self, text, voice="a", *, speed=1.0, **more): ...
    @classmethod
    def open(cls, path: str | None = None): ...

class Voice(Base):
    def speak(self, text, tone=torch.zeros(1), *rest): ...
    def stop(self): ...

def load(wav, rate=16_000): ...
"""


@pytest.mark.parametrize(("cls", "module"), CLASSES, ids=lambda each: getattr(each, "__name__", ""))
def test_each_public_name_takes_what_upstreams_takes(cls: type, module: str) -> None:
    known = signatures.methods_of(module, cls.__name__)
    public = {name for name in known if name == "__init__" or not name.startswith("_")}
    assert {name for name in vars(cls) if not name.startswith("_")} <= set(known)
    for name in public:
        made = inspect.getattr_static(cls, name)
        found = inspect.signature(getattr(made, "fget", None) or getattr(made, "__func__", made))
        assert found == signatures.signature(known[name]["parameters"])


@pytest.mark.skipif(not SOURCES, reason="SMARTTALKER_TEST_VOICE_SOURCES names no folders of sources")
def test_the_signatures_are_those_of_the_sources() -> None:
    kept = json.loads(signatures.FILE.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for folder in SOURCES.split(os.pathsep):
        found |= voice_signatures.read(Path(folder))
    assert found
    assert found == {package: kept[package] for package in found}


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "src" / "pack"
    package.mkdir(parents=True)
    (package / "core.py").write_text(SOURCE)
    monkeypatch.setattr(voice_signatures, "WANTED", {"pack": {"pack.core": ("Base", "Voice", "load")}})
    return tmp_path


def test_sources_are_read_without_being_run(sources: Path) -> None:
    found = voice_signatures.read(sources)["pack"]["pack.core"]
    assert found["Voice"]["bases"] == ["Base"]
    assert found["Base"]["methods"]["open"]["how"] == "classmethod"
    assert found["load"]["parameters"] == [
        {"name": "wav", "kind": "POSITIONAL_OR_KEYWORD"},
        {"name": "rate", "kind": "POSITIONAL_OR_KEYWORD", "default": 16_000},
    ]
    kinds = [(row["name"], row["kind"], row.get("default")) for row in found["Base"]["methods"]["speak"]["parameters"]]
    assert kinds == [
        ("self", "POSITIONAL_OR_KEYWORD", None),
        ("text", "POSITIONAL_OR_KEYWORD", None),
        ("voice", "POSITIONAL_OR_KEYWORD", "a"),
        ("speed", "KEYWORD_ONLY", 1.0),
        ("more", "VAR_KEYWORD", None),
    ]
    assert found["Voice"]["methods"]["speak"]["parameters"][2] == {
        "name": "tone",
        "kind": "POSITIONAL_OR_KEYWORD",
        "computed": True,
    }


def test_a_name_that_the_sources_lack_is_named(sources: Path) -> None:
    (sources / "src" / "pack" / "core.py").write_text("class Base: ...")
    with pytest.raises(LookupError, match="has no Voice"):
        voice_signatures.read(sources)


@pytest.fixture
def known(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signatures are those of SOURCE."""
    monkeypatch.setattr(signatures, "_table", lambda: voice_signatures.read(sources)["pack"])


@pytest.mark.usefixtures("known")
def test_a_double_with_a_name_of_its_own_is_refused() -> None:
    class Voice:
        def whisper(self) -> None: ...

    with pytest.raises(TypeError, match=r"pack\.core\.Voice has no whisper"):
        signatures.upstream("pack.core", "Voice")(Voice)


@pytest.mark.usefixtures("known")
def test_a_double_with_other_parameters_is_refused() -> None:
    class Voice:
        def speak(self, text: str, mood: str, *rest: str) -> None: ...

    with pytest.raises(TypeError, match=r"Voice\.speak takes self, text, tone, rest"):
        signatures.upstream("pack.core", "Voice")(Voice)


@pytest.mark.usefixtures("known")
def test_calls_are_bound_as_upstream_binds_them() -> None:
    @signatures.upstream("pack.core", "Base")
    class Base:
        def __init__(self, folder: str) -> None:
            self.folder = folder

        def speak(self, text: str, voice: str, *, speed: float, **more: Any) -> tuple[Any, ...]:
            return text, voice, speed, more

    base: Any = Base("here")
    assert base.speak("hi", extra=1) == ("hi", "a", 1.0, {"extra": 1})
    assert base.speak("hi", "b", speed=2.0) == ("hi", "b", 2.0, {})
    for wrong in (lambda: base.speak(), lambda: base.speak("hi", "b", 3.0), lambda: Base()):  # type: ignore[call-arg]
        with pytest.raises(TypeError, match=r"Base\.\w+\(\) "):
            wrong()
    with pytest.raises(NotImplementedError, match=r"the double has no Base\.open"):
        base.open()
