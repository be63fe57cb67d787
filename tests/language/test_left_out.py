"""`X?` where a value stands, and values that reach an argument through a block."""

import pytest

from nasdsl.language.errors import SpaceError
from nasdsl.language.reading import parse
from nasdsl.language.space import Space

BLOCKS = "block wide(w) { conv2d(w) }\nblock weighted(w) { conv2d(8, weight = w) }\nblock padded(w) { conv2d(8, padding = w) }\n"


def space_of(body: str) -> Space:
    return parse(
        f"task classification on digits\n{BLOCKS}network {{\nconv2d(4)\n{body}\nflatten\nlinear(outputs)\n}}"
    )


@pytest.mark.parametrize(
    ("body", "op", "argument", "found"),
    [
        ("conv2d(8, kernel = 5?)", "conv2d", "kernel", [3, 5]),
        ("conv2d(8, kernel = 1 | 5?)", "conv2d", "kernel", [1, 3, 5]),
        ("conv2d(8, weight = low_rank(2)?)", "conv2d", "weight", ["low_rank", "plain"]),
        ("wide(2 | 8?)", "conv2d", "filters", [2, 8]),  # a required argument: without it there is no network
        ("weighted(low_rank(2)?)", "conv2d", "weight", ["low_rank", "plain"]),
        ("weighted(low_rank(2) | relu | 3)", "conv2d", "weight", ["low_rank"]),
    ],
)
def test_an_argument_left_out_has_its_default(body: str, op: str, argument: str, found: list[object]) -> None:
    space = space_of(body)
    values = [
        [layer.arguments[argument] for layer in space.decided(point).layers if layer.op == op][-1]
        for point in space.enumerate()
    ]
    assert sorted(getattr(value, "name", value) for value in values) == found  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("conv2d(8?)", "missing-argument", (7, 8)),
        ("let w = 8?\nconv2d(w)", "missing-argument", (8, 8)),
        ("dropout(0.5?)", "missing-argument", (7, 9)),
        ("weighted(3)", "wrong-kind", (3, 21)),
        ("weighted(relu)", "wrong-kind", (3, 21)),
        ("padded(3)", "wrong-kind", (4, 19)),
        ("wide(low_rank(2))", "wrong-kind", (2, 17)),
        ("parallel(merge = concat?) { relu; gelu }", "bad-wire", (7, 18)),
        ("parallel(merge = add | 8) { relu; gelu }", "wrong-kind", (7, 24)),
        ("wide(0)", "out-of-range", (2, 17)),
    ],
)
def test_what_no_point_can_have_is_refused_where_it_stands(
    body: str, code: str, place: tuple[int, int]
) -> None:
    with pytest.raises(SpaceError) as caught:
        space_of(body)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.span.line, problem.span.column) == (code, *place)
