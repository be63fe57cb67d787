"""Every shipped space, held against torch: shapes, parameters and products of random points."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.fx.passes.shape_prop import ShapeProp
from torch.utils.flop_counter import FlopCounterMode

from compiler.build import build
from compiler.plan import Plan, plan
from nasdsl.language.check import check
from nasdsl.language.errors import Diagnostic
from nasdsl.language.parser import parse
from nasdsl.language.point import Point
from nasdsl.language.printer import print_file
from nasdsl.language.space import Space

SPACES = sorted(Path("spaces").glob("*.space"))
BATCH = 2


def load(path: Path) -> Space:
    return Space(check(parse(path.read_text(encoding="utf-8"), str(path))))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_checks_without_a_word(path: Path) -> None:
    warnings: tuple[Diagnostic, ...] = load(path).warnings
    assert [w.render() for w in warnings] == []


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_is_written_canonically(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert print_file(parse(text)) == text


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_eight_points_are_what_torch_makes_of_them(path: Path) -> None:
    hold_against_torch(load(path), 8)


@pytest.mark.slow
@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_two_hundred_points_are_what_torch_makes_of_them(path: Path) -> None:
    hold_against_torch(load(path), 200)


def hold_against_torch(space: Space, points: int) -> None:
    seen = set()
    for seed in range(points):
        point = space.sample(seed)
        assert space.unrank(space.rank(point)).keys() == point.keys()
        planned = plan(space, point)
        if planned.hash not in seen:
            compare(planned)
        seen.add(planned.hash)


def compare(planned: Plan) -> None:
    with torch.device("meta"):
        module = build(planned).eval()
        symbols = any(node.op == "token_embedding" for node in planned.nodes)
        dtype = torch.long if symbols else torch.float
        inputs = [torch.empty(BATCH, *shape, dtype=dtype) for shape in planned.inputs.values()]
    with FlopCounterMode(display=False) as counter:
        ShapeProp(module).propagate(*inputs)
    shapes = {
        node.name: tuple(node.meta["tensor_meta"].shape) for node in module.graph.nodes if node.op != "output"
    }
    assert list(shapes.values()) == [(BATCH, *node.shape) for node in planned.nodes]
    assert sum(p.numel() for p in module.parameters()) == planned.params
    if any(getattr(node.arguments.get("weight"), "name", "plain") != "plain" for node in planned.nodes):
        assert (
            counter.get_total_flops() >= 2 * BATCH * planned.macs
        )  # and what makes the weights, once a pass
    else:
        assert counter.get_total_flops() == 2 * BATCH * planned.macs


# What the papers count, and for grammars of our own what their recurrence says.
COUNTS = {
    "deepconv": 60_466_176,
    "deepconv_trained": 247_669_456_896,
    "nas_bench_201": 15_625,
    "nas_bench_macro": 6_561,
    "fcnet": 62_208,
    "darts": 1 * 3 * 6 * 10 * 7**8,
    "mobilenet_supernet": (9**2 + 9**3 + 9**4) ** 5,
    "einspace": 1_421_167_445,
    "widenet": 4 * 2 * 2,
    "nasnet": 1 * 3 * 6 * 10 * 15 * 8**10,
    "fine_tuning": 1 + 15 * 3,
    # width, narrowing where something is repeated, activation, layers; optimizers, schedules, the rest
    "tabular_mlp": 4 * 3 * 4 * (1 + 2 * sum(8**n for n in range(1, 5))) * 2 * (1 + 1 + 2 * 8) * 3 * 2**3,
    # width, heads, depth, layer; schedules and batches
    "tiny_lm": 3 * 2 * 3 * (2 * 2 * 2 * 3 * 2) * 2 * 2,
    # widths, stages that are residual or halve the map (which four cannot: 8 rows are halved thrice), training
    "digits_cnn": 3 * (sum(36**n for n in range(1, 5)) - 18**4) * 2 * 2 * 3 * 2 * 2,
    # linear; dense of 1 to 3 layers; convolutional of 2 to 4; recurrent; training
    "mnist1d": (1 + 3 * (6 + 6**2 + 6**3) + 3 * (36**2 + 36**3 + 36**4) * 2 + 3 * 2 * 2) * 2**5,
    "wine_mlp": 3 * sum((57 * 3 * 2) ** n for n in (1, 2, 3)) * 2 * 3 * 2,
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_what_the_literature_counts(name: str) -> None:
    assert load(Path(f"spaces/{name}.space")).count() == COUNTS[name]


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_says_in_few_lines_where_it_comes_from(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 60
    assert load(path).doc
    assert path.stem in COUNTS


@pytest.mark.parametrize(("size", "millions"), [("base", 29.7), ("large", 40.9), ("huge", 63.2)])
def test_widenet_has_the_parameters_of_the_paper(size: str, millions: float) -> None:
    space = load(Path("spaces/widenet.space"))
    planned = plan(space, Point({"network/size": size, "experts": 4, "top_k": 2}))
    assert round(planned.params / 1e6, 1) == millions
