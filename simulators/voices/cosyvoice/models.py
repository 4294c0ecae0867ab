"""What callers import from `cosyvoice.cli.cosyvoice`."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulators.voices.cosyvoice.frontend import CosyVoiceFrontEnd, Tokenizer
from simulators.voices.cosyvoice.llm import SAMPLE_RATE, CosyVoice3LM
from simulators.voices.cosyvoice.model import CosyVoice3Model, flow
from simulators.voices.faults import FOLDER, Faults
from simulators.voices.journal import Journal
from simulators.voices.mishaps import meet, spoilt
from simulators.voices.signatures import function, upstream
from simulators.voices.speech import keep_in
from simulators.voices.tensor import Tensor

_WEIGHTS = ("llm.pt", "flow.pt", "hift.pt")
_GRAPHS = ("campplus.onnx", "speech_tokenizer_v3.onnx")
_HELPFUL = "You are a helpful assistant."

Output = dict[str, Tensor]


class NoSuchFile(Exception):
    """As onnxruntime's."""


@function("cosyvoice.cli.cosyvoice", "AutoModel")
def AutoModel(**kwargs: Any) -> CosyVoice3:  # noqa: N802 - upstream's name
    """Of a folder of CosyVoice 3; the double has no earlier one."""
    folder = Path(kwargs["model_dir"])
    _there(folder)
    if not (folder / "cosyvoice3.yaml").exists():
        raise TypeError("No valid model type found!")
    return CosyVoice3(**kwargs)


def _there(folder: Path) -> None:
    if not folder.exists():
        raise ConnectionError(f"{folder} is not here, and the double asks no hub")


@upstream("cosyvoice.cli.cosyvoice", "CosyVoice3")
class CosyVoice3:
    """Logs the texts that it speaks, as upstream does."""

    def __init__(self, model_dir: Any, load_trt: bool, load_vllm: bool, fp16: bool, trt_concurrent: int) -> None:
        folder = Path(model_dir)
        self.model_dir, self.fp16, self.sample_rate = model_dir, False, SAMPLE_RATE
        self._faults, self._journal = Faults(folder), Journal(folder)
        keep_in(folder / FOLDER / "said")
        number = self._journal.begin("load", {"fp16": fp16, "load_trt": load_trt, "load_vllm": load_vllm}, [])
        meet(self._faults.take("load"))
        _check(folder)
        tokenizer = Tokenizer()
        speakers, tokens = (f"{model_dir}/{name}" for name in _GRAPHS)
        kept = f"{model_dir}/spk2info.pt"
        self.frontend = CosyVoiceFrontEnd(lambda: tokenizer, None, speakers, tokens, kept, "all")
        if load_trt or fp16:
            logging.warning("no cuda device, set load_trt/fp16 to False")
        self.model = CosyVoice3Model(
            CosyVoice3LM(896, 896, 6561, tokenizer, None, True, 0.0, None), flow(), None, False
        )
        if load_vllm:
            raise ModuleNotFoundError("No module named 'vllm'", name="vllm")
        self._journal.end(number, "done")

    def list_available_spks(self) -> list[str]:
        return list(self.frontend.spk2info)

    def add_zero_shot_spk(self, prompt_text: str, prompt_wav: Any, zero_shot_spk_id: str) -> bool:
        if zero_shot_spk_id == "":
            raise AssertionError("do not use empty zero_shot_spk_id")
        given = {"prompt_text": prompt_text, "prompt_wav": str(prompt_wav), "zero_shot_spk_id": zero_shot_spk_id}
        number = self._journal.begin("add_zero_shot_spk", given, [])
        found = self.frontend.frontend_zero_shot("", prompt_text, prompt_wav, self.sample_rate, "")
        kept = {name: value for name, value in found.items() if name not in ("text", "text_len")}
        self.frontend.spk2info[zero_shot_spk_id] = kept
        self._journal.end(number, "done")
        return True

    def inference_zero_shot(
        self,
        tts_text: Any,
        prompt_text: str,
        prompt_wav: Any,
        zero_shot_spk_id: str,
        stream: bool,
        speed: float,
        text_frontend: bool,
    ) -> Iterator[Output]:
        prompt = self.frontend.text_normalize(prompt_text, split=False, text_frontend=text_frontend)
        given = _given("zero_shot", tts_text, prompt_text, prompt_wav, zero_shot_spk_id, stream, speed)

        def make(part: str) -> dict[str, Tensor]:
            if len(part) < 0.5 * len(prompt):
                logging.warning("synthesis text %s too short than prompt text %s, this may lead to bad performance",
                                part, prompt)  # fmt: skip
            return self.frontend.frontend_zero_shot(part, prompt, prompt_wav, self.sample_rate, zero_shot_spk_id)

        yield from self._spoken(given, make, text_frontend, [])

    def inference_cross_lingual(
        self, tts_text: Any, prompt_wav: Any, zero_shot_spk_id: str, stream: bool, speed: float, text_frontend: bool
    ) -> Iterator[Output]:
        given = _given("cross_lingual", tts_text, "", prompt_wav, zero_shot_spk_id, stream, speed)

        def make(part: str) -> dict[str, Tensor]:
            return self.frontend.frontend_cross_lingual(part, prompt_wav, self.sample_rate, zero_shot_spk_id)

        yield from self._spoken(given, make, text_frontend, [])

    def inference_instruct2(
        self,
        tts_text: Any,
        instruct_text: str,
        prompt_wav: Any,
        zero_shot_spk_id: str,
        stream: bool,
        speed: float,
        text_frontend: bool,
    ) -> Iterator[Output]:
        given = _given("instruct2", tts_text, instruct_text, prompt_wav, zero_shot_spk_id, stream, speed)
        odd = self._unheeded(instruct_text, zero_shot_spk_id)
        odd += [] if instruct_text.startswith(_HELPFUL) else [f"an instruction that does not begin with {_HELPFUL!r}"]

        def make(part: str) -> dict[str, Tensor]:
            return self.frontend.frontend_instruct2(part, instruct_text, prompt_wav, self.sample_rate, zero_shot_spk_id)

        yield from self._spoken(given, make, text_frontend, odd)

    def _unheeded(self, instruct_text: str, speaker: str) -> list[str]:
        """A kept speaker brings the prompt that it was kept with."""
        kept = self.frontend.spk2info.get(speaker, {}).get("prompt_text")
        same = kept is None or self.frontend.tokenizer.decode(kept.tolist()[0]) == instruct_text
        return [] if same else ["an instruction for a kept speaker is not heeded"]

    def _spoken(self, given: dict[str, Any], make: Any, text_frontend: bool, odd: list[str]) -> Iterator[Output]:
        """The outputs of each part of the text, noted."""
        text, stream, speed = given["text"], given["stream"], given["speed"]
        odd += ["speed is not heeded in a stream"] if stream is True and speed != 1.0 else []
        number = self._journal.begin(f"inference_{given['way']}", given, odd)
        self.model.fault = fault = self._faults.take("speak", text)
        count, samples, end = 0, 0, "closed"
        try:
            for part in self.frontend.text_normalize(text, split=True, text_frontend=text_frontend):
                _draw_bar()
                inputs = make(part)
                logging.info("synthesis text %s", part)
                began = time.time()
                outputs = (
                    each["tts_speech"].numpy()[0] for each in self.model.tts(**inputs, stream=stream, speed=speed)
                )
                for piece in spoilt(outputs, fault, SAMPLE_RATE, text):
                    count, samples = count + 1, samples + len(piece)
                    speech_len = len(piece) / SAMPLE_RATE
                    logging.info("yield speech len %s, rtf %s", speech_len, (time.time() - began) / (speech_len or 1))
                    yield {"tts_speech": Tensor(piece[None])}
            end = "done"
        except Exception as error:
            end = type(error).__name__
            raise
        finally:
            self._journal.end(number, end, count, samples / SAMPLE_RATE)


def _draw_bar() -> None:
    """As tqdm does, unless it is told not to."""
    if not os.environ.get("TQDM_DISABLE"):
        sys.stderr.write("\r0it [00:00, ?it/s]")


def _given(way: str, text: Any, prompt: str, wav: Any, speaker: str, stream: bool, speed: float) -> dict[str, Any]:
    return {
        "way": way,
        "text": text,
        "prompt_text": prompt,
        "prompt_wav": str(wav),
        "zero_shot_spk_id": speaker,
        "stream": stream,
        "speed": speed,
    }


def _check(folder: Path) -> None:
    """Raises what upstream raises for files that lack."""
    _there(folder)
    if not (folder / "cosyvoice3.yaml").exists():
        raise ValueError(f"{folder}/cosyvoice3.yaml not found!")
    if not (folder / "CosyVoice-BlankEN" / "config.json").exists():
        raise OSError(f"{folder}/CosyVoice-BlankEN does not appear to have a file named config.json.")
    for name in _GRAPHS:
        if not (folder / name).exists():
            raise NoSuchFile(f"[ONNXRuntimeError] : 3 : NO_SUCHFILE : Load model from {folder}/{name} failed")
    for name in _WEIGHTS:
        if not (folder / name).exists():
            raise FileNotFoundError(2, "No such file or directory", f"{folder}/{name}")
