"""Real ranges that bear on a network: a ratio of a rank, a share of masks. What fits and holds is offered, no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasdsl
from compiler.plan import plan
from nasdsl.language.decisions import Reals
from nasdsl.language.reals import part

LAYER = "linear(64, weight = low_rank(ratio = {}))"


def space(network: str, lines: str = "") -> nasdsl.Space:
    head = "space s\ntask classification on shape(64, classes = 10)\n"
    return nasdsl.parse(f"{head}network {{ {network}; linear(outputs) }}\n{lines}")


def params(found: nasdsl.Space, point: nasdsl.Point) -> int:
    return plan(found, point).params


def of_ratio(ratio: float) -> int:
    """Parameters of the network with one layer of this ratio, by the formula of the rank."""
    return int(64 * 64 / (ratio * 128)) * 128 + 64 + 64 * 10 + 10


@pytest.mark.parametrize(
    "line", ["params <= 10k", "params <= 1500", "params >= 4000", "params >= 3k\nrequire params <= 4k"]
)
def test_samples_hold_a_limit_wherever_in_the_range_it_lies(line: str) -> None:
    found = space(LAYER.format("1..20"), f"require {line}")
    for seed in range(20):
        point = found.sample(seed)
        assert found.holds(point)
        assert params(found, point) == of_ratio(next(v for k, v in point.items() if k.endswith("ratio")))
    assert found.count_valid() == (1, 1)


@settings(max_examples=40, deadline=None)
@given(st.floats(1, 20), st.floats(1, 20), st.integers(700, 5000), st.booleans())
def test_a_limit_can_be_met_where_an_end_of_the_range_meets_it(
    low: float, more: float, limit: int, upper: bool
) -> None:
    high = min(32.0, low + more)  # beyond, no rank is left
    best = of_ratio(high if upper else low)
    possible = best <= limit if upper else best >= limit
    line = f"require params {'<=' if upper else '>='} {limit}"
    if not possible:
        with pytest.raises(nasdsl.SpaceError):
            space(LAYER.format(f"{low!r}..{high!r}"), line)
        return
    found = space(LAYER.format(f"{low!r}..{high!r}"), line)
    for seed in range(3):
        number = params(found, found.sample(seed))
        assert number <= limit if upper else number >= limit


def test_ratios_that_leave_no_rank_are_not_offered() -> None:
    found = space(LAYER.format("1..200"))  # from 32 on there is none
    offered: list[Reals] = []

    def choose(decision: nasdsl.Decision) -> object:
        assert isinstance(decision.domain, Reals)
        offered.append(decision.domain)
        return decision.domain.high

    point = found.decide(choose)
    assert offered[0].low == 1 and offered[0].high == pytest.approx(32)
    assert params(found, point) == of_ratio(32)
    assert found.count() == 1
    assert params(found, found.unrank(0)) > 0
    assert found.rank(found.unrank(0)) == 0


def test_a_ratio_that_several_layers_share_fits_all_of_them() -> None:
    text = "let r = 1.0..40.0; linear(16 | 64, weight = low_rank(ratio = r)); " + LAYER.format("r")
    found = space(text, "require params <= 2500")
    for seed in range(20):
        assert params(found, found.sample(seed)) <= 2500
        assert params(found, found.sample(seed, uniform="points")) <= 2500


def test_a_whole_number_may_stand_for_a_ratio() -> None:
    found = space("let r = 2..40; " + LAYER.format("r"))
    assert found.count() == 31  # up to 32


def test_a_share_of_masks_counts() -> None:
    found = space("linear(64, weight = mask_tuned(select = 0.1..1.0))", "require params <= 6k")
    for seed in range(10):
        assert params(found, found.sample(seed)) <= 6000


def test_the_part_that_holds_is_exact_beside_one_bound() -> None:
    domain = Reals(1.0, 100.0, log=True)
    found = part(domain, lambda x: x >= 7.25)
    assert found is not None and found.low == pytest.approx(7.25, abs=1e-9) and found.high == 100.0
    assert part(domain, lambda x: True) is domain
    assert part(domain, lambda x: False) is None
