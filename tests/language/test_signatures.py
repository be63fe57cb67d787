"""The rows of layers, and their shape rules over whole intervals of arguments and shapes."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter

import pytest

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Dim, Interval, Shape, interval, lower, shape_of, upper, vector
from nasdsl.language.signatures.depth import layer_depth
from nasdsl.language.signatures.layers import LAYER_SIGNATURES
from nasdsl.language.signatures.signature import Argument, ShapeError, Signature
from nasdsl.language.signatures.wiring import adaptation
from tests.operation_cases import OPERATIONS, TABLE, draw_arguments, draw_inputs, fitting_cases, strict

LATER = {
    "prefix",
    "prompt",
    "hypernet",
    "ode",
    "icnn",
    "prox",
    "elastic",
    "pst_sparse",
    "spectral",
    "pego",
    "sara",
}


def shape_given(op: str, *inputs: Shape, need=strict, **given: Value) -> Shape:
    signature = TABLE[op]
    arguments = {a.name: a.default for a in signature.arguments} | given
    return signature.shape(arguments, inputs, need)


# The table


def test_names_are_unique() -> None:
    assert max(Counter(row.name for row in LAYER_SIGNATURES).values()) == 1


def test_names_that_wait_are_known() -> None:
    assert {row.name for row in LAYER_SIGNATURES if row.later} == LATER


@pytest.mark.parametrize("row", LAYER_SIGNATURES, ids=lambda row: row.name)
def test_row_is_whole(row: Signature) -> None:
    assert row.doc.strip() == row.doc != ""
    assert row.positional <= len(row.arguments)
    assert row.group in ("layer", "activation", "wrapper", "weight")
    assert row.body == (row.group == "wrapper")
    for argument in row.arguments:
        assert argument.doc
        assert default_fits(argument), argument
    if row.weighted:
        assert row.params and row.macs
        assert row.body or row.by_name["weight"].default == Spec("plain")
    if row.group in ("layer", "activation") and not row.later:
        assert row.shape is not None


def default_fits(argument: Argument) -> bool:
    default, kind = argument.default, argument.kind
    if default is None:
        return True
    match kind.type:
        case "int" | "real":
            low = kind.low is None or default > kind.low or (default == kind.low and not kind.open_low)
            return not argument.required and low and (kind.high is None or default <= kind.high)
        case "bool":
            return isinstance(default, bool)
        case "name":
            return default in kind.options
        case "string":
            return isinstance(default, str)
        case "call":
            return TABLE[default.name].group in kind.groups
    return False


def test_layers_are_known_without_torch() -> None:
    code = "import sys, nasdsl.language.signatures.layers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Shapes that are worked out by hand


@pytest.mark.parametrize(
    ("size", "given", "expected"),
    [
        (28, {}, 28),
        (28, {"stride": 2}, 14),
        (7, {"stride": 2}, 4),
        (7, {"stride": 2, "padding": "valid"}, 3),
        (7, {"kernel": 5, "padding": "valid"}, 3),
        (9, {"kernel": 3, "dilation": 4, "padding": "valid"}, 1),
        (5, {"kernel": 4, "stride": 3}, 2),
    ],
)
def test_sizes_after_a_convolution(size: int, given: dict[str, Value], expected: int) -> None:
    assert shape_given("conv1d", shape_of((2, size)), filters=4, **given) == shape_of((4, expected))


def test_pools_stride_by_their_window() -> None:
    assert shape_given("max_pool", shape_of((3, 9, 8)), window=2) == shape_of((3, 4, 4))
    assert shape_given("max_pool", shape_of((3, 9, 8)), window=2, padding="same") == shape_of((3, 5, 4))
    assert shape_given("avg_pool", shape_of((3, 9, 8)), window=3, stride=1) == shape_of((3, 7, 6))


def test_concat_adds_channels_of_maps_and_widths_of_tokens() -> None:
    assert shape_given("concat", shape_of((3, 8)), shape_of((5, 8))) == shape_of((8, 8))
    tokens = Shape((4, 3), "tokens"), Shape((4, 6), "tokens")
    assert shape_given("concat", *tokens) == Shape((4, 9), "tokens")


def test_adaptation_reaches_its_target() -> None:
    for source, target in (
        (shape_of((3, 9, 7)), shape_of((8, 5, 4))),
        (vector(3), vector(8)),
        (Shape((5, 3), "tokens"), Shape((5, 8), "tokens")),
    ):
        assert shape_given("project", source, **adaptation(target)) == target
        assert shape_given("pad", source, **adaptation(target)) == target


@pytest.mark.parametrize(
    ("op", "shape", "given", "said", "help"),
    [
        ("linear", shape_of((3, 8, 8)), {"width": 4}, "takes a vector or tokens", "`flatten` or `global_avg_pool`"),
        ("conv2d", shape_of((3, 5, 5)), {"filters": 8, "kernel": 7, "padding": "valid"}, "window of 7", "`padding = same`"),
        ("conv2d", shape_of((3, 40)), {"filters": 8}, "gets a sequence (3, 40)", "`conv1d`"),
        ("conv1d", vector(13), {"filters": 8}, "gets a vector (13)", "`to_sequence`"),
        ("conv2d", shape_of((3, 5, 5)), {"filters": 8, "groups": 2}, "2 does not divide 3", "divisor"),
        ("depthwise_conv2d", shape_of((3, 5, 5)), {"filters": 8}, "no multiple of 3", "`separable_conv2d`"),
        ("max_pool", shape_of((3, 1, 1)), {"window": 2}, "window of 2", "`padding = same`"),
        ("group_norm", shape_of((6, 5)), {"groups": 4}, "4 does not divide 6", "divisor"),
        ("instance_norm", shape_of((6, 1)), {}, "one value", "`batch_norm`"),
        ("batch_norm", Shape((6, 4), "tokens"), {}, "gets tokens", "`layer_norm`"),
        ("pad", vector(6), {"width": 4}, "narrower", "`project`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_help(
    op: str, shape: Shape, given: dict[str, Value], said: str, help: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        shape_given(op, shape, **given)
    assert said in str(caught.value)
    assert help in caught.value.help


def test_add_refuses_inputs_of_two_shapes() -> None:
    with pytest.raises(ShapeError, match=r"a vector \(3\) and a vector \(4\)"):
        shape_given("add", vector(3), vector(4))


# Whole spaces: the same rules over intervals


def test_a_rule_notes_what_depends_and_goes_on_with_what_fits() -> None:
    noted = []
    shape = shape_given(
        "conv1d",
        Shape((1, Interval(4, 9)), "sequence"),
        filters=Interval(2, 3),
        kernel=5,
        padding="valid",
        need=lambda condition, message, help: noted.append(condition),
    )
    assert None in noted and False not in noted
    assert shape == Shape((Interval(2, 3), Interval(1, 5)), "sequence")


def test_a_rule_refuses_what_can_never_fit() -> None:
    def need(condition: bool | None, message: str, help: str) -> None:
        if condition is False:
            raise ShapeError(message, help)

    with pytest.raises(ShapeError):
        shape_given("max_pool", Shape((1, Interval(2, 4)), "sequence"), window=Interval(5, 7), need=need)


@pytest.mark.parametrize("op", OPERATIONS)
def test_rules_over_intervals_hold_for_every_value_within(op: str) -> None:
    rng = random.Random(op)
    for _ in range(400):
        signature = TABLE[op]
        inputs = draw_inputs(signature, rng)
        arguments = draw_arguments(signature, len(inputs[0].dims) - 1, rng)
        check_sound(signature, arguments, inputs, rng)


@pytest.mark.parametrize("op", OPERATIONS)
def test_rules_over_intervals_hold_around_cases_that_fit(op: str) -> None:
    rng = random.Random(op)
    for case in fitting_cases(op, 100, seed=5):
        assert check_sound(case.signature, case.arguments, case.inputs, rng)


def check_sound(
    signature: Signature, arguments: dict[str, Value], inputs: tuple[Shape, ...], rng: random.Random
) -> bool:
    """Widen a concrete case to intervals at random; whether the concrete case fits.

    A concrete result lies in the result over intervals; a concrete refusal means that the rule over
    intervals did not promise that all fits; a refusal of all intervals means a concrete one.
    """
    wide_arguments = {a.name: widened_argument(a, arguments[a.name], rng) for a in signature.arguments}
    wide_inputs = tuple(
        wide
        if (wide := Shape(tuple(widened(d, rng) for d in s.dims), s.layout, s.symbols)).dims != s.dims
        else s
        for s in inputs
    )
    claims: list[bool | None] = []
    try:
        wide = signature.shape(wide_arguments, wide_inputs, lambda *said: note(claims, *said))
    except ShapeError:
        wide = None
    try:
        exact = signature.shape(arguments, inputs, strict)
    except ShapeError:
        assert wide is None or None in claims, (arguments, inputs, wide_arguments, wide_inputs)
        return False
    assert wide is not None, (arguments, inputs, wide_arguments, wide_inputs)
    assert wide.layout == exact.layout
    for within, value in zip(wide.dims, exact.dims, strict=True):
        assert lower(within) <= lower(value) <= upper(within), (arguments, inputs, wide, exact)
        assert lower(within) >= 1
    return True


def note(claims: list[bool | None], condition: bool | None, message: str, help: str) -> None:
    claims.append(condition)
    if condition is False:
        raise ShapeError(message, help)


def widened(value: Dim, rng: random.Random) -> Dim:
    assert isinstance(value, int)
    if rng.random() < 0.4:
        return value
    return interval(max(1, value - rng.randint(0, 4)), value + rng.randint(0, 4))


def widened_argument(argument: Argument, value: Value, rng: random.Random) -> Value:
    if argument.kind.type == "int" and value is not None:
        return widened(value, rng)
    if isinstance(value, tuple):
        return tuple(widened(v, rng) for v in value)
    return value


# Depth


def test_depth_counts_chained_linear_maps() -> None:
    assert layer_depth(TABLE["conv2d"], {}) == 1
    assert layer_depth(TABLE["relu"], {}) == layer_depth(TABLE["batch_norm"], {}) == 0
    assert layer_depth(TABLE["mlp"], {}) == layer_depth(TABLE["separable_conv1d"], {}) == 2
    assert layer_depth(TABLE["gru"], {"layers": 3}) == 3
