"""How much of a card a model needs with a context.

models/manifest.toml has it for the models that were tried, with 8,192 tokens; each further token adds its keys and
values: 2 · layers · KV heads · head size · 2 bytes. For other models it is reckoned from the name's number of billions.
"""

from __future__ import annotations

import re
from functools import lru_cache

from core.errors import ConfigurationError
from core.weights.manifest import Ollama, read_manifest

_MANIFESTS_CONTEXT = 8192
_KIB_A_TOKEN = {
    "qwen2.5:3b": 36,
    "qwen2.5:7b": 56,
    "qwen2.5:14b": 192,
    "qwen2.5:32b": 256,
    "qwen3:4b-instruct": 144,
    "qwen3:4b": 144,
    "qwen3:8b": 144,
    "qwen3:14b": 160,
}
"""From the models' configurations: layers × KV heads × head size × 4 bytes (16 bits for a key and for a value)."""
_BILLIONS = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?![a-z0-9])", re.IGNORECASE)
_ASSUMED_BILLIONS = 8.0
_MIB_A_BILLION, _KIB_A_BILLION, _WORKING_MB = 650.0, 16.0, 640
"""Of 4 bits a weight with what comes on top, as Ollama's Q4_K_M files have it; of keys and values, somewhat more than
the models above have from 7 billions on; compute buffers and CUDA itself."""
_WIDER = {"q5": 1.2, "q6": 1.4, "q8": 1.8, "fp16": 3.4, "f16": 3.4, "bf16": 3.4}


def gpu_mb(model: str, context: int) -> int:
    """MiB of the card while the model is loaded."""
    known = _in_manifest().get(model)
    if known is None:
        return round(_weights_mb(model) + _WORKING_MB + _cache_kib(model) * context / 1024)
    return round(known + _cache_kib(model) * (context - _MANIFESTS_CONTEXT) / 1024)


def _cache_kib(model: str) -> float:
    return _KIB_A_TOKEN.get(model, _KIB_A_BILLION * _billions(model))


def _weights_mb(model: str) -> float:
    tag = model.rpartition(":")[2].lower()
    wider = next((factor for name, factor in _WIDER.items() if name in tag), 1.0)
    return _MIB_A_BILLION * _billions(model) * wider


def _billions(model: str) -> float:
    found = _BILLIONS.search(model.rpartition(":")[2]) or _BILLIONS.search(model)
    return float(found[1]) if found else _ASSUMED_BILLIONS


@lru_cache(maxsize=1)
def _in_manifest() -> dict[str, int]:
    """MiB by Ollama's name; empty where there is no manifest."""
    try:
        weights = read_manifest().weights.values()
    except ConfigurationError:
        return {}
    return {each.source.model: each.gpu_mb for each in weights if isinstance(each.source, Ollama)}
