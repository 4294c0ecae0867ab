"""What CosyVoice has learnt of recordings, and lends to one text at a time. Runs in the host."""

from __future__ import annotations

import base64
import io
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from worker.engines.tts.cosyvoice.marks import END

MOST = 16
"""Recordings that are kept, those that were used last; one of 10 seconds takes 160 KB."""
_NOW = "now"
_WORDS = ("prompt_text", "prompt_text_len")
_ANY = f"You are a helpful assistant.{END}"


class Speakers:
    """By name. Upstream keeps a speaker together with the prompt that it was added with, and would say that prompt
    whatever the instruction (frontend_zero_shot); so a prompt is put beside what is kept only while it is spoken."""

    def __init__(self, voice: Any) -> None:
        """voice: upstream's CosyVoice3."""
        self._voice = voice
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def learn(self, name: str, clip: str) -> bytes:
        """Runs the three models that look at a recording; returns what `remember` takes."""
        self._voice.add_zero_shot_spk(_ANY, clip, name)
        features = self._voice.frontend.spk2info.pop(name)
        self._keep(name, {key: value.cpu() for key, value in features.items() if key not in _WORDS})
        return _packed(self._kept[name])

    def remember(self, name: str, packed: str) -> None:
        """packed: base64 of what `learn` returned, perhaps in another process."""
        self._keep(name, _unpacked(base64.b64decode(packed)))

    @contextmanager
    def prompted(self, name: str, prompt: str) -> Iterator[str]:
        """Upstream's id of the speaker with this prompt, until the block ends."""
        self._kept.move_to_end(name)
        frontend, features = self._voice.frontend, self._kept[name]
        known = frontend.spk2info
        known[_NOW] = features
        try:
            # Its tokens, as upstream has them of a text to say: that of a prompt is left out for a known speaker.
            read = frontend.frontend_zero_shot(prompt, "", "", self._voice.sample_rate, _NOW)
            known[_NOW] = {**features, "prompt_text": read["text"], "prompt_text_len": read["text_len"]}
            yield _NOW
        finally:
            del known[_NOW]

    def _keep(self, name: str, features: dict[str, Any]) -> None:
        self._kept[name] = features
        self._kept.move_to_end(name)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)


def _packed(features: dict[str, Any]) -> bytes:
    import numpy as np

    out = io.BytesIO()
    np.savez(out, **{name: value.numpy() for name, value in features.items()})
    return out.getvalue()


def _unpacked(packed: bytes) -> dict[str, Any]:
    import numpy as np
    import torch

    with np.load(io.BytesIO(packed), allow_pickle=False) as found:
        return {name: torch.from_numpy(found[name]) for name in found.files}
