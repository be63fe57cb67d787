"""Published spaces in the language: each whole in at most 40 lines, and counted by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import nasdsl
from nasdsl.language.parser import parse
from nasdsl.language.printer import print_file
from nasdsl.language.shapes import Shape
from nasdsl.language.space import Space

FOLDER = Path("examples/spaces")
SPACES = sorted(FOLDER.glob("*.space"))


def _hierarchical() -> int:
    """The grammar of Schrodi et al. (2023), counted level by level."""
    convolution = 3 * 3 * 3
    cell = (1 + 1 + 2 * convolution + 1) ** 6
    chain = cell**2 + 2 * cell**3
    down = 2 * cell + cell**2
    stage = chain**2 * cell + chain**3 * cell + chain**2 * cell * cell
    falling = chain**2 * down + chain**3 * down + chain**2 * down * down
    return 2 * falling**2 * stage + falling**2 * stage**2


_TOWER = 4 * sum((4 * 2) ** layers for layers in range(4))
COUNTS = {
    "keras_tuner_cnn": (16**3 + 16**4 + 16**5) * 8 * 6,
    "pyglove_mnist": 2 * 2 + 2 * 2 * 2,
    "hierarchical_201": _hierarchical(),
    "darts_unused": (1 * 3 * 6 * 10 * 7**8) ** 2,
    "nas_bench_101": 1 * 3 * 7 * 15 * 31 * 63 * 3**5,
    "ofa_mobilenetv3": (9**2 + 9**3 + 9**4) ** 5,
    "autoformer": 3 * (4**12 + 4**13 + 4**14),
    "unet": 2 * 2 * 2 * 4 * 3,
    "two_towers": _TOWER**2 * 4 * 2 * (1 + 2 + 4) * 4 * 4,
    "bert_lora": (1 + 3 * 5) ** 12 * 3,
}


def test_every_example_is_counted() -> None:
    assert {path.stem for path in SPACES} == set(COUNTS)


def load(path: Path) -> Space:
    """A space; without the weights of BERT, which do not come along."""
    text = re.sub(r"pretrained\(.*?\) \{", "{", path.read_text("utf-8"))
    return nasdsl.parse(text, path.name)


def _positions(task):
    """Of which each has an answer; () where a sample has one."""
    return next(iter(task.inputs.values())).sizes()[1:] if task.kind == "segmentation" else ()


def _empty(shape: Shape) -> torch.Tensor:
    kind = torch.long if shape.layout == "index" else torch.float
    return torch.empty(2, *shape.sizes(), dtype=kind)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_an_example_is_short_and_counted(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    assert not text.count("\nuse ")
    file = parse(text)
    assert parse(print_file(file)) == file
    space = load(path)
    assert [warning.render() for warning in space.warnings] == []
    assert space.doc and space.count() == COUNTS[path.stem]
    assert {warning.code for warning in nasdsl.load(path).warnings} <= {"missing-file"}


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_points_of_an_example_are_networks(path: Path) -> None:
    space = load(path)
    for seed in range(2):
        point = space.sample(seed)
        planned = nasdsl.plan(space, point)
        with torch.device("meta"):
            module = nasdsl.build(space, point).eval()
            assert space.task is not None
            outputs = module(*(_empty(shape) for shape in space.task.inputs.values()))
        found = outputs if isinstance(outputs, torch.Tensor) else next(iter(outputs.values()))
        assert space.task is not None and tuple(found.shape) == (
            2,
            space.task.outputs,
            *_positions(space.task),
        )
        assert sum(p.numel() for p in module.parameters()) == planned.params


def test_the_documents_list_every_space_with_its_count() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)\.space` \| (.+?) \|", Path("docs/spaces.md").read_text("utf-8"), re.M)
    )
    paths = {path.stem: path for path in (*SPACES, *Path("spaces").glob("*.space"))}
    assert rows.keys() == paths.keys()
    for name, said in rows.items():
        count = nasdsl.load(paths[name]).count()
        assert said == (f"{count}" if count < 10**24 else f"about 10^{len(str(count)) - 1}")
