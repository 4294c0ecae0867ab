"""Networks in ONNX that are written by hand, in the runtime that the voices' engines use."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from bench.models.graphs import Graph, write_speaker, write_speech_tokenizer


@pytest.mark.parametrize("frames", [1, 4, 5, 501])
def test_a_recording_becomes_codes_four_times_slower(tmp_path: Path, frames: int) -> None:
    write_speech_tokenizer(tmp_path / "codes.onnx", width=32, heads=2, layers=1, seed=1)
    session = onnxruntime.InferenceSession(tmp_path / "codes.onnx")
    assert [(each.shape, each.type) for each in session.get_inputs()] == [
        ([1, 128, "frames"], "tensor(float)"),
        ([1], "tensor(int32)"),
    ]
    sound = np.random.default_rng(1).standard_normal((1, 128, frames), np.float32)
    feeds = dict(zip(("feats", "feats_length"), (sound, np.array([frames], np.int32)), strict=True))
    (codes,) = session.run(None, feeds)
    assert codes.shape == (1, -(-frames // 4))
    assert codes.dtype == np.int32
    assert 0 <= codes.min() <= codes.max() < 3**8
    assert frames < 100 or len(set(codes[0])) > 20


def test_two_recordings_are_two_voices(tmp_path: Path) -> None:
    write_speaker(tmp_path / "voice.onnx", width=16, layers=3, seed=1)
    session = onnxruntime.InferenceSession(tmp_path / "voice.onnx")
    one, other = (np.random.default_rng(seed).standard_normal((1, 300, 80), np.float32) for seed in (1, 2))
    (first,), (again,), (second,) = (session.run(None, {"feats": each}) for each in (one, one, other))
    assert first.shape == (1, 192)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).max() > 0.01


def test_a_product_comes_out_as_computed_here(tmp_path: Path) -> None:
    graph = Graph(np.random.default_rng(1))
    factors = np.arange(6, dtype=np.float32).reshape(3, 2)
    graph.write(
        tmp_path / "product.onnx",
        [("entry", np.float32, ("rows", 3))],
        graph.node("MatMul", "entry", graph.constant(factors)),
        np.float32,
    )
    entry = np.random.default_rng(2).standard_normal((5, 3), np.float32)
    (made,) = onnxruntime.InferenceSession(tmp_path / "product.onnx").run(None, {"entry": entry})
    np.testing.assert_allclose(made, entry @ factors, rtol=1e-5)
