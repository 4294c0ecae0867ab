"""Networks in the format ONNX, written by hand: what a runtime needs to run them, of any size, without any package.

The numbers of the fields are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); operators
are those of opset 17.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_FORMAT, _OPSET = 8, 17
_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int32): 6, np.dtype(np.int64): 7}
_MELS, _CODE_DIGITS, _CODE_BASE = 128, 8, 3
_VOICE_MELS, _VOICE_WIDTH = 80, 192

Input = tuple[str, type, Sequence[int | str]]
"""Name, type, and shape, a word for what varies."""


@dataclass
class Graph:
    """Nodes in order. Names of what nodes yield are made up; `parameter` draws weights."""

    random: np.random.Generator
    nodes: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)

    def node(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """One operator with one result, whose name comes back."""
        name = f"v{len(self.nodes)}"
        parts = [_text(1, entry) for entry in inputs]
        parts += [_text(2, name), _text(4, operator)]
        parts += [_part(5, _attribute(key, value)) for key, value in attributes.items()]
        self.nodes.append(b"".join(parts))
        return name

    def constant(self, values: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"c{len(self.tensors)}"
        dims = b"".join(_whole(1, size) for size in values.shape)
        kind = _whole(2, _TYPES[values.dtype])
        self.tensors.append(dims + kind + _text(8, name) + _part(9, values.tobytes()))
        return name

    def parameter(self, *shape: int) -> str:
        """Normal, so that a product with it is about as large as what it was made from."""
        fan = int(np.prod(shape[1:])) if len(shape) == 3 else shape[0]
        drawn = self.random.standard_normal(shape, np.float32)
        return self.constant(drawn / np.float32(fan**0.5))

    def dense(self, entry: str, wide: int, out: int) -> str:
        return self.node("MatMul", entry, self.parameter(wide, out))

    def scaled(self, entry: str, wide: int) -> str:
        """Layer normalisation over the last axis."""
        weight, bias = self.constant(np.ones(wide, np.float32)), self.constant(np.zeros(wide, np.float32))
        return self.node("LayerNormalization", entry, weight, bias)

    def write(
        self, path: Path, inputs: Sequence[tuple[str, type, Sequence[int | str]]], result: str, kind: type
    ) -> None:
        """inputs: name, type and shape, a word for what varies. result: what some node yields; its axes are free."""
        parts = [_part(1, node) for node in self.nodes]
        parts += [_text(2, "graph"), *(_part(5, tensor) for tensor in self.tensors)]
        parts += [_part(11, _value(*entry)) for entry in inputs]
        parts.append(_part(12, _value(result, kind, None)))
        opset = _part(8, _text(1, "") + _whole(2, _OPSET))
        path.write_bytes(_whole(1, _FORMAT) + opset + _part(7, b"".join(parts)))


def write_speech_tokenizer(path: Path, *, width: int, heads: int, layers: int, seed: int) -> None:
    """feats (1, 128, n) float32, log-mel at 100 frames a second; feats_length (1,) int32 → (1, ⌈n/4⌉) int32 in
    0 … 6560: two convolutions that halve the rate, transformer layers, then eight digits of three values each."""
    graph = Graph(np.random.default_rng(seed))
    entry = "feats"
    for wide in (_MELS, width):
        kernel = graph.parameter(width, wide, 3)
        entry = graph.node("Relu", graph.node("Conv", entry, kernel, strides=[2], pads=[1, 1]))
    entry = graph.node("Transpose", entry, perm=[0, 2, 1])
    for _ in range(layers):
        entry = graph.node("Add", entry, _attention(graph, graph.scaled(entry, width), width, heads))
        inner = graph.node("Relu", graph.dense(graph.scaled(entry, width), width, 4 * width))
        entry = graph.node("Add", entry, graph.dense(inner, 4 * width, width))
    digits = graph.node("Round", graph.node("Tanh", graph.dense(graph.scaled(entry, width), width, _CODE_DIGITS)))
    digits = graph.node("Add", digits, graph.constant(np.ones(1, np.float32)))
    powers = _CODE_BASE ** np.arange(_CODE_DIGITS, dtype=np.float32)
    codes = graph.node("Cast", graph.node("MatMul", digits, graph.constant(powers)), to=_TYPES[np.dtype(np.int32)])
    inputs = [("feats", np.float32, (1, _MELS, "frames")), ("feats_length", np.int32, (1,))]
    graph.write(path, inputs, codes, np.int32)


def write_speaker(path: Path, *, width: int, layers: int, seed: int) -> None:
    """(1, n, 80) float32, filter banks at 100 frames a second → (1, 192) float32: convolutions and their mean."""
    graph = Graph(np.random.default_rng(seed))
    entry = graph.node("Transpose", "feats", perm=[0, 2, 1])
    for layer in range(layers):
        kernel = graph.parameter(width, width if layer else _VOICE_MELS, 3)
        entry = graph.node("Relu", graph.node("Conv", entry, kernel, strides=[1 if layer else 2], pads=[1, 1]))
    mean = graph.node("ReduceMean", entry, axes=[2], keepdims=0)
    graph.write(
        path, [("feats", np.float32, (1, "frames", _VOICE_MELS))], graph.dense(mean, width, _VOICE_WIDTH), np.float32
    )


def _attention(graph: Graph, entry: str, width: int, heads: int) -> str:
    shape = graph.constant(np.array([1, -1, heads, width // heads], np.int64))
    query, key, value = (graph.node("Reshape", graph.dense(entry, width, width), shape) for _ in range(3))
    scores = graph.node(
        "MatMul", graph.node("Transpose", query, perm=[0, 2, 1, 3]), graph.node("Transpose", key, perm=[0, 2, 3, 1])
    )
    scale = graph.constant(np.array((width // heads) ** -0.5, np.float32))
    shares = graph.node("Softmax", graph.node("Mul", scores, scale), axis=-1)
    mixed = graph.node("MatMul", shares, graph.node("Transpose", value, perm=[0, 2, 1, 3]))
    whole = graph.constant(np.array([1, -1, width], np.int64))
    return graph.dense(graph.node("Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), whole), width, width)


def _value(name: str, kind: type, shape: Sequence[int | str] | None) -> bytes:
    tensor = _whole(1, _TYPES[np.dtype(kind)])
    if shape is not None:
        sizes = (_text(2, size) if isinstance(size, str) else _whole(1, size) for size in shape)
        tensor += _part(2, b"".join(_part(1, size) for size in sizes))
    return _text(1, name) + _part(2, _part(1, tensor))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _whole(3, value) + _whole(20, 2)
    return _text(1, name) + b"".join(_whole(8, entry) for entry in value) + _whole(20, 7)


def _text(number: int, value: str) -> bytes:
    return _part(number, value.encode())


def _part(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _whole(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    return bytes(_sevens(value & (1 << 64) - 1))


def _sevens(value: int) -> Iterator[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
