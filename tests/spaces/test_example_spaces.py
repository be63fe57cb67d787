"""Published spaces in the language: each whole in at most 40 lines, and counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import nasdsl
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file

FOLDER = Path("examples/spaces")
SPACES = sorted(FOLDER.glob("*.space"))
_STAGE = 2 * (30**6) ** 2 + (30**6) ** 3  # of two cells in one of two ways, or of three
COUNTS = {
    "keras_tuner_cnn": (16**3 + 16**4 + 16**5) * 8 * 6,
    "pyglove_mnist": 3 * (3 * 2) ** 2 * 2 * 10 * 2,
    "hierarchical_201": _STAGE**3,
    "darts_unused": 1 * 3 * 6 * 10 * 7**8,
    "nas_bench_101": 1 * 3 * 7 * 15 * 31 * 63 * 3**5,
    "autoformer": 3 * (4**12 + 4**13 + 4**14),
    "unet": 2 * (16 * 2 + 16**2 * 2 + 16**3 * 2),
    "two_towers": (2 + 4 + 8) * 2 * (2 + 4 + 8) * 3 * 2,
    "bert_lora": 1 + 3 * 4,
}


def test_every_example_is_counted() -> None:
    assert {path.stem for path in SPACES} == set(COUNTS)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_an_example_is_short_canonical_and_counted(path: Path) -> None:
    text = path.read_text("utf-8")
    space = nasdsl.load(path)
    assert len(text.splitlines()) <= 40
    assert print_file(parse(text)) == text
    assert [warning.render() for warning in space.warnings] == []
    assert space.doc and space.count() == COUNTS[path.stem]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_points_of_an_example_are_networks(path: Path) -> None:
    space = nasdsl.load(path)
    for seed in range(2):
        point = space.sample(seed)
        planned = nasdsl.plan(space, point)
        with torch.device("meta"):
            module = nasdsl.build(space, point).eval()
            outputs = module(*(torch.empty(2, *shape) for shape in planned.inputs.values()))
        found = outputs if isinstance(outputs, torch.Tensor) else next(iter(outputs.values()))
        assert space.task is not None and tuple(found.shape) == (2, space.task.outputs)
        assert sum(p.numel() for p in module.parameters()) == planned.params
