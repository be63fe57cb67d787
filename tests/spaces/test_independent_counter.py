"""Products of shipped and published spaces, held against fvcore's counter, where that package is installed.

docs/decisions/0017-counted-products.md says what fvcore does not count, and how often the two were compared.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
import torch

import nasdsl
from compiler.build import build
from compiler.plan import Plan
from nasdsl.language.signatures.attention import decided_widths

SPACES = sorted([*Path("spaces").glob("*.space"), *Path("examples/spaces").glob("*.space")])
PRODUCTS = ("conv", "linear", "addmm", "matmul", "einsum", "bmm")  # norms and pools are additions to us
NOT_COUNTED = {
    "rnn",
    "gru",
    "lstm",
    "widen",
}  # fvcore has no rule for these loops; experts get rows by what they see
POINTS = 200


def comparable(planned: Plan) -> int | None:
    """The products that fvcore can see: without those between tokens. None where it misses others, or sees those that
    make a weight."""
    weights = (getattr(node.arguments.get("weight"), "name", "plain") for node in planned.nodes)
    if {node.op for node in planned.nodes} & NOT_COUNTED or any(name != "plain" for name in weights):
        return None
    between = [node for node in planned.nodes if node.op == "attention"]
    return planned.macs - sum(
        2 * node.shape[0] ** 2 * decided_widths(node.arguments, node.shape[1])[0] for node in between
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_products_are_those_of_an_independent_counter(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    counter = pytest.importorskip("fvcore.nn")
    caplog.set_level(logging.ERROR)
    space = nasdsl.parse(re.sub(r"pretrained\(.*?\) \{", "{", path.read_text("utf-8")), str(path))
    seen: set[str] = set()
    for seed in range(POINTS):
        planned = nasdsl.plan(space, space.sample(seed))
        expected = comparable(planned)
        if planned.hash in seen or expected is None:
            continue
        seen.add(planned.hash)
        inputs = [node for node in planned.nodes if node.op == "input"]
        given = tuple(
            torch.zeros(1, *node.shape, dtype=torch.long if node.layout == "index" else torch.float)
            for node in inputs
        )
        analysis = counter.FlopCountAnalysis(build(planned, 0).eval(), given).unsupported_ops_warnings(False)
        found = analysis.uncalled_modules_warnings(False).by_operator()
        assert sum(found[name] for name in PRODUCTS if name in found) == expected
