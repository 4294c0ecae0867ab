"""What the fakes are told to do in a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import LLMError, TTSError
from core.kinds import Layer
from worker.engines.directives import obey


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SMARTTALKER_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("said", "error"), [("#fail llm", LLMError), ("#oom llm", MemoryError)])
def test_a_directive_is_obeyed_by_its_layer_alone(said: str, error: type[Exception]) -> None:
    obey(said, Layer.TTS, TTSError)
    for _ in range(2):
        with pytest.raises(error):
            obey(said, Layer.LLM, LLMError)


def test_what_is_to_happen_once_happens_once_for_each_text_and_directive(data_dir: Path) -> None:
    said = "hello #once fail llm #once oom llm"
    with pytest.raises(LLMError):
        obey(said, Layer.LLM, LLMError)
    with pytest.raises(MemoryError):
        obey(said, Layer.LLM, LLMError)
    obey(said, Layer.LLM, LLMError)
    with pytest.raises(LLMError):
        obey(f"{said} again", Layer.LLM, LLMError)
    assert len(list((data_dir / "run" / "once").iterdir())) == 3
