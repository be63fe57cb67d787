"""Copies of tied repeats side by side, against the same copies one after another."""

from __future__ import annotations

import re
from collections import Counter
from math import comb
from pathlib import Path

import pytest
from space_texts import space_text

from nasdsl.language.check import machine_of
from nasdsl.language.decisions import Answer, Decision
from nasdsl.language.errors import SpaceError
from nasdsl.language.fold import Fold, counting, least, most
from nasdsl.language.machine import Machine
from nasdsl.language.quantities import ADDITIVE
from nasdsl.language.reading import parse
from nasdsl.language.space import Space
from nasdsl.language.valid import Bounds
from nasdsl.language.weaving import Unwoven

CELLS = Path("spaces/nas_bench_201.space")
# Tied repeats: by index, nested, with a let decided within, ending on the wire they began on or not.
TIED = (
    "repeat i in 3 tied { repeat 2 tied { conv2d(w * i, kernel = 1 | 3) }; if i < 3 { max_pool(2) | avg_pool(2) } }",
    "repeat i in 3 tied { if i == 2 { conv2d(w, kernel = 1 | 3) } else { conv2d(2 | 4) }; conv2d(2) }",
    "repeat i in 2 tied { if i > 1 { block_of(2 | 4) } else { block_of(3) }; conv2d(2) }",
    "repeat i in 3 tied { if i > 1 { relu | gelu }; conv2d(2, kernel = 1 | 3); if i < 3 { dropout(0.1)? } }",
    "repeat i in 2 tied { conv2d(2 * i, kernel = 1 | 3); relu? }",
    "repeat 1..3 tied { conv2d(2, kernel = 1 | 3); repeat 2 tied { conv2d(2 | 4); conv2d(2) } }",
    "repeat 2 tied { repeat 0..2 tied { conv2d(2 | 3) } }",
    "repeat i in 3 tied { residual { conv2d(w) }; if i < 3 { conv2d(w, stride = 2) | max_pool(2) } }",
    "repeat i in 2 tied { conv2d(4) | relu; if i > 1 { conv2d(w) } }",
    "repeat i in 2 tied { if i > 1 { conv2d(4, kernel = 1 | 3) } ; conv2d(2, kernel = 1 | 3) }",
    "repeat 2 tied { conv2d(4, kernel = 3 | 5, padding = valid) }",
    "repeat 2 tied { conv2d(2..70); conv2d(2) }",
    "repeat 2 tied { conv2d(2..70) }",
    "repeat 2 tied { widen(experts = 2 | 3) { linear(64) } }",
    "repeat 1..2 { repeat 2 tied { conv2d(2, kernel = 1 | 3) } }",
    "repeat 2 tied { cell(inputs = 2, nodes = 4, edges = any(1), output = concat unused) { relu | conv2d(2) }; conv2d(2) }",
    "repeat 2 shared { conv2d(2, kernel = 1 | 3); repeat 2 tied { conv2d(2, kernel = 1 | 3) } }",
    "repeat 2 tied { permute { a: conv2d(2, kernel = 1 | 3); b: relu?; c: conv2d(2) } }",
)


def tied_text(body: str) -> str:
    flat = "global_avg_pool\n" if "widen" in body else ""
    block = "block block_of(c) { conv2d(c, kernel = 1 | 3); relu? }"
    return f"task classification on digits\n{block}\nnetwork {{\nlet w = 2 | 4\nconv2d(2)\n{flat}{body}\nflatten\nlinear(outputs)\n}}\n"


def machine(space: Space, weaves: bool) -> Machine:
    program = space._program
    return machine_of(program.statement, program.frame_size, space.task, weaves=weaves)


def folds(space: Space, weaves: bool) -> list[Fold]:
    runs = machine(space, weaves)
    costs = [fold(runs, cost) for cost in ADDITIVE.values() for fold in (least, most)]
    return [counting(runs), *costs]


def assert_woven_alike(space: Space) -> bool:
    """Whether the copies go side by side; and then all folds find the same."""
    try:
        woven = [fold.begin() for fold in folds(space, weaves=True)]
    except Unwoven:
        return False
    assert [sum(f) for f in woven if f[1] is not None] == [  # type: ignore[arg-type]
        sum(f)  # type: ignore[arg-type]
        for f in (fold.begin() for fold in folds(space, weaves=False))
        if f[1] is not None
    ]
    return True


APART = TIED[:4]


@pytest.mark.parametrize("body", APART)
def test_copies_that_differ_by_their_index_go_side_by_side(body: str) -> None:
    assert assert_woven_alike(parse(tied_text(body)))


def test_a_stack_of_two_cells_is_counted_as_the_two_cells() -> None:
    cell = "cell(inputs = 2, nodes = 6, edges = any(2), output = concat unused) { relu | gelu | tanh }"
    space = parse(
        f"""task classification on shape(3, 32, 32, classes = 10)
        block normal(w) {{ conv2d(w, 1); {cell} }}
        block reduction(w) {{ conv2d(w, 1, stride = 2); {cell} }}
        network {{
            repeat i in 3 tied {{ repeat 6 tied {{ normal(16 * i) }}; if i < 3 {{ reduction(32 * i) }} }}
            global_avg_pool
            linear(outputs)
        }}"""
    )
    assert space.count() == (180 * 3**8) ** 2
    assert space.contains(space.unrank(space.count() // 3))


@pytest.mark.parametrize("body", TIED)
def test_folds_find_the_same_side_by_side(body: str) -> None:
    assert_woven_alike(parse(tied_text(body)))


@pytest.mark.parametrize("body", TIED)
def test_limits_hold_whether_or_not_copies_go_side_by_side(body: str) -> None:
    plain = parse(tied_text(body))
    sizes = sorted(plain.quantities(point)["params"] for point in plain.enumerate())
    limit = sizes[len(sizes) // 3]
    space = parse(f"{tied_text(body)}require params <= {limit}\n")
    valid = sum(size <= limit for size in sizes)
    assert space.count_valid() == Bounds(valid, valid)
    for n in range(8):
        for uniform in ("decisions", "points"):
            drawn = space.sample(n, uniform)
            assert plain.contains(drawn) and plain.quantities(drawn)["params"] <= limit


@pytest.mark.parametrize("seed", range(100, 140))
def test_random_spaces_are_the_same_side_by_side(seed: int) -> None:
    text = re.sub(r"repeat ([^{]*?)(shared )?\{", r"repeat \1tied {", space_text(seed).replace("tied ", ""))
    if "tied" not in text:
        pytest.skip("no repeat")
    try:
        space = parse(text)
    except SpaceError:
        pytest.skip("nothing fits")
    if space.count() > 1000:
        pytest.skip("too many points")
    assert_woven_alike(space)


def test_a_cell_is_counted_once_for_all_its_copies() -> None:
    """NAS-Bench-201: parameters depend on how many edges have which convolution, so that an oracle can count."""
    plain = parse(CELLS.read_text())

    def params(ones: int, threes: int) -> int:
        ways = iter(["conv1x1"] * ones + ["conv3x3"] * threes + ["zero"] * 6)

        def choose(decision: Decision) -> Answer:
            return next(ways)

        return plain.quantities(plain.decide(choose))["params"]

    least = params(0, 0)
    one, three = params(1, 0) - least, params(0, 1) - least
    costs: Counter[int] = Counter()
    for ones in range(7):
        for threes in range(7 - ones):
            ways = comb(6, ones) * comb(6 - ones, threes) * 3 ** (6 - ones - threes)
            costs[least + ones * one + threes * three] += ways
    assert sum(costs.values()) == plain.count() == 15_625
    for limit in (least, least + three, least + 2 * three + one, max(costs) - 1):
        space = parse(f"{CELLS.read_text()}\nrequire params <= {limit}\n")
        valid = sum(ways for cost, ways in costs.items() if cost <= limit)
        assert space.count_valid() == Bounds(valid, valid)
        assert space.quantities(space.sample(limit, "points"))["params"] <= limit
    assert sum(bound.fold.n_places for bound in space._prospects.bounds) < 50
