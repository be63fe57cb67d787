"""Random arguments and inputs for every operation of the table, small enough to run by the thousand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.layers import LAYER_SIGNATURES
from nasdsl.language.signatures.signature import Argument, ShapeError, Signature

TABLE: Mapping[str, Signature] = {row.name: row for row in LAYER_SIGNATURES}
OPERATIONS = tuple(
    row.name for row in LAYER_SIGNATURES if row.group in ("layer", "activation") and not row.later
)

_AXES = {"vector": 1, "sequence": 2, "image": 3, "volume": 4, "tokens": 2, "index": 1}
_WIDTHS = (1, 2, 3, 4, 6, 8, 12)
_INTEGERS = {
    "kernel": (1, 2, 3, 4, 5),
    "window": (1, 2, 3, 4),
    "stride": (1, 1, 2, 3),
    "dilation": (1, 1, 2, 3),
    "groups": (1, 1, 2, 3, 4),
    "layers": (1, 2, 3),
    "heads": (1, 2, 3, 4),
    "kv_heads": (1, 1, 2),
    "head_dim": (1, 2, 3, 4),
    "patch": (1, 2, 3, 4),
    "expand": (1, 2, 3),
    "reduction": (1, 2, 4),
    "factor": (1, 2, 3),
}


@dataclass(frozen=True)
class Case:
    """One operation with decided arguments and concrete inputs, and the shape that the rule gives."""

    op: str
    arguments: Mapping[str, Value]
    inputs: tuple[Shape, ...]
    output: Shape

    def __post_init__(self) -> None:
        """As in a plan, what the inputs settle is filled in."""
        if self.signature.fills is not None:
            filled = {**self.arguments, **self.signature.fills(self.arguments, self.inputs)}
            object.__setattr__(self, "arguments", filled)

    @property
    def signature(self) -> Signature:
        return TABLE[self.op]


def strict(condition: bool | None, message: str, help: str) -> None:
    """The `need` of a plan: everything is decided, so nothing depends."""
    assert condition is not None, message
    if not condition:
        raise ShapeError(message, help)


def fitting_cases(op: str, count: int, seed: int) -> Iterator[Case]:
    """`count` random cases that the shape rule takes."""
    rng = random.Random(f"{op}/{seed}")
    found = 0
    for _ in range(200 * count):
        inputs = draw_inputs(TABLE[op], rng)
        if op == "reshape":
            arguments = draw_axes(inputs[0], rng)
        else:
            arguments = draw_arguments(TABLE[op], len(inputs[0].dims) - 1, rng)
        try:
            output = TABLE[op].shape(arguments, inputs, strict)
        except ShapeError:
            continue
        yield Case(op, arguments, inputs, output)
        found += 1
        if found == count:
            return
    raise AssertionError(f"only {found} of {count} cases of {op} fit")


def draw_inputs(signature: Signature, rng: random.Random) -> tuple[Shape, ...]:
    """Shapes of one layout; where several wires are read, half the time all alike."""
    if signature.name == "embed_columns":
        sizes = [rng.choice((1, 1, 2, 3, 7)) for _ in range(rng.randint(1, 6))]
        return (Shape((sum(sizes),), "vector", columns=tuple((f"c{i}", n) for i, n in enumerate(sizes))),)
    first = draw_shape(rng.choice(tuple(_AXES)), rng)
    if signature.arity == (1, 1):
        return (first,)
    count = rng.randint(1, 3)
    if signature.name != "concat" or rng.random() < 0.2:
        return (first,) * count
    widths = rng.choices(_WIDTHS, k=count)
    if first.layout in ("vector", "tokens"):
        return tuple(Shape((*first.dims[:-1], w), first.layout) for w in widths)
    return tuple(Shape((w, *first.dims[1:]), first.layout) for w in widths)


def draw_axes(shape: Shape, rng: random.Random) -> dict[str, Value]:
    """Arguments of `reshape`: the values of a sample spread over one to four axes."""
    left, axes = prod(shape.sizes()), []
    for _ in range(rng.randint(0, 3)):
        axes.append(rng.choice([n for n in range(1, left + 1) if left % n == 0]))
        left //= axes[-1]
    names = [argument.name for argument in TABLE["reshape"].arguments]
    return dict.fromkeys(names) | dict(zip(names, [left, *axes], strict=False))


def draw_shape(layout: str, rng: random.Random) -> Shape:
    channels = rng.choice(_WIDTHS)
    longest = {2: 20, 3: 10, 4: 6}.get(_AXES[layout], 12)
    dims = (channels, *(rng.randint(1, longest) for _ in range(_AXES[layout] - 1)))
    return Shape(dims, layout, 3) if layout == "index" else Shape(dims, layout)


def draw_arguments(signature: Signature, n_spatial: int, rng: random.Random) -> dict[str, Value]:
    return {a.name: draw_argument(a, n_spatial, rng) for a in signature.arguments}


def draw_argument(argument: Argument, n_spatial: int, rng: random.Random) -> Value:
    """A value that the kind allows; the default now and then. Weights are plain: they have a suite of their own."""
    if argument.name == "weight" or (not argument.required and rng.random() < 0.2):
        return argument.default
    kind = argument.kind
    match kind.type:
        case "int":
            return rng.choice(_INTEGERS.get(argument.name, _WIDTHS))
        case "real":
            return round(rng.uniform(max(kind.low, 0.01), min(kind.high or 2.0, 2.0)), 3)
        case "bool":
            return rng.random() < 0.5
        case "name":
            return rng.choice(kind.options)
        case "numbers":
            return tuple(rng.randint(1, 12) for _ in range(n_spatial)) or None
        case "call":
            return draw_call(kind.groups, rng)
    raise AssertionError(argument)


def draw_call(groups: tuple[str, ...], rng: random.Random) -> Spec:
    rows = [row for row in LAYER_SIGNATURES if row.group in groups and not row.later]
    row = rng.choice(rows)
    return Spec(row.name, draw_arguments(row, 0, rng))
