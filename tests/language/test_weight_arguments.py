"""Weights as choices: counted, pruned, bounded and joined exactly."""

from __future__ import annotations

import itertools

import pytest

import nasdsl
from compiler.plan import plan
from nasdsl.language.errors import Infeasible, SpaceError
from nasdsl.language.network import Spec
from nasdsl.language.quantities import measure
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.language.space import Space
from tests.operation_cases import OPERATIONS, TABLE, fitting_cases

HEAD = "task classification on shape(16, classes = 10)\n"


def space(network: str, rest: str = "") -> Space:
    return nasdsl.parse(f"{HEAD}network {{ {network} }}\n{rest}")


@pytest.mark.parametrize("op", [op for op in OPERATIONS if "weight" in TABLE[op].by_name])
def test_matrices_are_the_weights_that_the_table_counts(op: str) -> None:
    for case in fitting_cases(op, 20, seed=7):
        matrices = MATRICES[op](case.arguments, case.inputs, case.output)
        size = sum(matrix.size() for matrix in matrices)
        row = case.signature
        assert size <= row.params(case.arguments, case.inputs, case.output)
        macs = row.macs(case.arguments, case.inputs, case.output)
        used = sum(matrix.size() * matrix.uses for matrix in matrices)
        assert used == macs if op != "attention" else used <= macs


def test_ranks_that_do_not_fit_are_pruned_never_clamped() -> None:
    found = space("linear(8 | 32, weight = plain | low_rank(rank = 4..20)); linear(outputs)")
    # width 8: plain and ranks 4..8; width 32: plain and ranks 4..16, the 16 being those of the input.
    assert found.count() == (1 + 5) + (1 + 13)
    points = list(found.enumerate())
    assert len(set(points)) == found.count()
    assert [found.rank(point) for point in points] == list(range(found.count()))
    for point in points:
        rank = point.get("network/weight/rank", 4)
        assert 4 <= rank <= min(point["network/width"], 16)


@pytest.mark.parametrize("hidden", ["12", "4..12"])
def test_widths_inside_an_operation_decide_with_the_rank(hidden: str) -> None:
    found = space(f"mlp({hidden}, weight = low_rank(rank = 3..9)); linear(outputs)")
    widths = [12] if hidden == "12" else range(4, 13)
    assert found.count() == sum(1 for h, r in itertools.product(widths, range(3, 10)) if r <= h)


def test_a_weight_may_be_a_parameter_or_a_let() -> None:
    text = HEAD + (
        "block fc(n, w) { linear(n, weight = w) }\n"
        "network { let r = 2 | 12; fc(6 | 16, low_rank(r)); let w = lora(r) | plain; fc(13, w); fc(14, w); linear(outputs) }"
    )
    found = nasdsl.parse(text)
    # r = 2: both widths, and lora or plain for both; r = 12: width 16 alone.
    assert found.count() == 2 * 2 + 1 * 2
    for point in found.enumerate():
        layers = {layer.name: layer for layer in found.decided(point).layers}
        assert layers["fc_2_linear"].arguments["weight"] == layers["fc_3_linear"].arguments["weight"]


def test_methods_join_and_choices_in_them_stay_choices() -> None:
    found = space("linear(outputs, weight = (plain | low_rank(rank = 2..3)) + nm_sparse(2 | 1, 4))")
    assert found.count() == (1 + 2) * 2
    weights = [found.decided(point).layers[-1].arguments["weight"] for point in found.enumerate()]
    assert all(isinstance(weight, Spec) and weight.name == "+" for weight in weights)
    hashes = {plan(found, point).hash for point in found.enumerate()}
    assert len(hashes) == found.count()
    assert "low_rank(rank = 2..3)) + nm_sparse(2 | 1, 4)" in found.text


@pytest.mark.parametrize("quantity", ["params", "trainable_params", "merged_params", "macs"])
def test_requirements_bound_what_weights_cost(quantity: str) -> None:
    network = "repeat 2 { linear(16 | 24, weight = plain | low_rank(rank = 2..4) | lora(2)); relu }; linear(outputs)"
    every = space(network)
    values = sorted(measure(every.decided(point))[quantity] for point in every.enumerate())
    limit = values[len(values) // 3]
    bounded = space(network, f"require {quantity} <= {limit}")
    for seed in range(30):
        point = bounded.sample(seed)
        assert measure(bounded.decided(point))[quantity] <= limit
    with pytest.raises(SpaceError, match="no point holds"):
        space(network, f"require {quantity} <= {values[0] - 1}")


def test_plan_and_measure_agree() -> None:
    found = space(
        "linear(16, weight = intrinsic(d = 20, said = yes)); mlp(8, weight = intrinsic(d = 20, said = yes) | svfit(2))"
        "; linear(outputs, weight = nm_sparse(2, 4) | low_rank)"
    )
    for point in found.enumerate():
        planned, measured = plan(found, point), measure(found.decided(point))
        for quantity in ("params", "trainable_params", "merged_params", "macs", "depth"):
            assert getattr(planned, quantity) == measured[quantity], quantity


def test_intrinsic_layers_share_their_numbers_in_requirements_too() -> None:
    network = "repeat 3 { linear(16, weight = intrinsic(d = 50)) }; linear(outputs, bias = no, weight = intrinsic(d = 50))"
    (point,) = space(network).enumerate()
    assert plan(space(network), point).trainable_params == 3 * 16 + 50  # biases and one vector
    assert space(network, "require trainable_params <= 98 and params >= 1026").sample(0) == point
    for line in ("require trainable_params <= 97", "require params >= 1027"):
        with pytest.raises(Infeasible):
            space(network, line).sample(0)


@pytest.mark.parametrize(
    "text",
    [
        "network { linear(8, weight = lora(rank = 2 | 4, scale = 8 / rank)); linear(outputs) }",
        "network { linear(8, weight = lora(2 | 4, scale = 8 / rank)); linear(outputs) }",
        "block f(rank, width) { linear(width); linear(rank) }\nnetwork { f(rank = 2 | 4, width = 2 * rank); linear(outputs) }",
    ],
)
def test_an_argument_is_no_name_for_the_others_of_its_call(text: str) -> None:
    with pytest.raises(SpaceError) as told:
        nasdsl.parse("task classification on wine\n" + text)
    (problem,) = told.value.diagnostics
    assert "`rank` is an argument of this call" in problem.message
    assert "`let rank = 2 | 4`, and write `rank = rank`" in " ".join(problem.help)


def test_a_let_serves_several_arguments_of_a_call() -> None:
    space = nasdsl.parse(
        "task classification on wine\nnetwork { let rank = 2 | 4\n"
        "linear(8, weight = lora(rank = rank, scale = 8 / rank)); linear(outputs) }"
    )
    assert space.count() == 2
