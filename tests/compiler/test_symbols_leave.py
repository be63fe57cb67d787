"""Networks that read symbols: built, measured untrained, and computed alike by each format."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

import nasdsl
from compiler.export import export_onnx, export_python, export_torch
from nasdsl.engine.probing import proxies

TEXT = """
task {kind} on shapes(words = shape(6, symbols = 50), shop = shape(1, symbols = 7), classes = 3)
network(words, shop) {{
    dag {{
        said = {{ token_embedding(8); residual {{ layer_norm; attention(2) }} }} from words
        where = {{ token_embedding(8); take_token; linear(8) }} from shop
        {end}
    }}
}}
"""
ENDS = {
    "classification": "taken = global_avg_pool from said; output = linear(outputs) from taken, where",
    "segmentation": "output = linear(outputs) from said",
}


def read(kind: str) -> nasdsl.Space:
    text = TEXT.format(kind=kind, end=ENDS[kind])
    if kind == "segmentation":
        text = text.replace("        where = { token_embedding(8); take_token; linear(8) } from shop\n", "")
        text = text.replace(", shop = shape(1, symbols = 7)", "").replace("words, shop", "words")
    return nasdsl.parse(text, "symbols.space")


@pytest.mark.parametrize("kind", ENDS)
def test_every_format_computes_the_same(kind: str, tmp_path: Path) -> None:
    space = read(kind)
    planned = nasdsl.plan(space, space.sample(0))
    module = nasdsl.build(space, space.sample(0)).eval()
    assert space.task is not None
    generator = torch.Generator().manual_seed(0)
    given = tuple(
        torch.randint(shape.symbols, (5, *shape.sizes()), generator=generator)
        for shape in space.task.inputs.values()
    )
    with torch.no_grad():
        expected = module(*given)
    assert tuple(expected.shape) == ((5, 6, 3) if kind == "segmentation" else (5, 3))
    program = torch.export.load(export_torch(planned, module, tmp_path / "network.pt2")).module()
    torch.testing.assert_close(program(*given), expected)
    path, _ = export_python(planned, module, tmp_path / "network.py")
    spec = importlib.util.spec_from_file_location("network_of_symbols", path)
    assert spec is not None and spec.loader is not None
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    with torch.no_grad():
        torch.testing.assert_close(written.load()(*given), expected)


def test_onnx_reads_symbols_as_whole_numbers(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    space = read("segmentation")
    planned = nasdsl.plan(space, space.sample(0))
    module = nasdsl.build(space, space.sample(0)).eval()
    words = torch.randint(50, (5, 6), generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(export_onnx(planned, module, tmp_path / "network.onnx"))
    (found,) = session.run(None, {"words": words.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(found, module(words).numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", ENDS)
def test_untrained_networks_are_measured_on_symbols(kind: str) -> None:
    space = read(kind)
    found = proxies(space, space.sample(0), 0, ["grad_norm"])
    assert np.isfinite(found["grad_norm"]) and found["grad_norm"] > 0
