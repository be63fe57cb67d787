"""What one operation costs, its weight method and freezing included: the one place that counts.

The rows of the table count an operation with plain weights; a method changes that matrix by matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.matrices import MATRICES, Matrix
from nasdsl.language.signatures.methods import (
    METHODS,
    UNDEMANDING,
    covers,
    factored_rank,
    methods_of,
    need_outputs,
)
from nasdsl.language.signatures.rules import flag, whole
from nasdsl.language.signatures.signature import Arguments, Need, Signature

PLAIN_WEIGHT = Spec("plain")
FROZEN = "frozen"  # an argument that layers within `frozen { }` have besides those of their row
PRETRAINED = "pretrained"  # the same within `pretrained { }`: where weights start from


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one operation. params: scalars of its parameters as built, frozen ones included. trainable: those that
    are trained. merged: those that it exports with. macs: multiply-accumulates per sample. state: scalars of
    the buffers that its weight method keeps."""

    params: int
    trainable: int
    merged: int
    macs: int
    state: int


def costs(row: Signature, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Costs:
    """The costs of one decided operation. A row without `params` uses the weights of another layer."""
    params = row.params(args, inputs, output) if row.params else 0
    macs = row.macs(args, inputs, output) if row.macs else 0
    frozen, methods = FROZEN in args, methods_at(row.name, args)
    if not methods:
        return Costs(params, 0 if frozen else params, params, macs, 0)
    matrices = MATRICES[row.name](args, inputs, output)
    weighed = [_of_matrix(matrix, methods, frozen) for matrix in matrices]
    macs += row.uses * sum(cost.macs for cost in weighed)
    if row.params is None:
        return Costs(0, 0, 0, macs, 0)
    rest = params - row.copies * sum(matrix.size() for matrix in matrices)  # biases, norms, positions
    return Costs(
        row.copies * sum(cost.params for cost in weighed) + rest,
        row.copies * sum(cost.trainable for cost in weighed) + (0 if frozen else rest),
        row.copies * sum(cost.merged for cost in weighed) + rest,
        macs,
        row.copies * sum(cost.state for cost in weighed),
    )


def _of_matrix(matrix: Matrix, methods: tuple[Spec, ...], frozen: bool) -> Costs:
    """The costs of one matrix; of `macs` only what the method adds or saves."""
    size = matrix.size()
    acting = tuple(method for method in methods if covers(method, matrix))
    if not acting:
        return Costs(size, 0 if frozen else size, size, 0, 0)
    rows = [(METHODS[method.name], method.arguments) for method in acting]
    base = rows[0][0].base(rows[0][1], matrix)
    own = [method.own(args, matrix) for method, args in rows]
    tuning = [number for number, (method, _) in zip(own, rows, strict=True) if method.freezes]
    untuned = 0 if tuning else base
    factored = is_factored(acting, matrix)
    return Costs(
        base + sum(own),
        sum(tuning) if frozen else untuned + sum(own),
        base if factored else size,
        (base - size) * whole(matrix.uses) if factored else 0,
        sum(method.state(args, matrix) for method, args in rows),
    )


def is_factored(acting: tuple[Spec, ...], matrix: Matrix) -> bool:
    """Whether two layers take the place of one: `low_rank` alone, where torch has a layer to replace."""
    alone = len(acting) == 1 and acting[0].name == "low_rank"
    return alone and matrix.layered and matrix.groups == 1


def factored_ranks(op: str, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, ...]:
    """For each matrix of an operation the rank of the two layers that stand for it; 0: it is one. () if plain."""
    methods = methods_at(op, args)
    if not methods:
        return ()
    acting = [
        (tuple(m for m in methods if covers(m, matrix)), matrix)
        for matrix in MATRICES[op](args, inputs, output)
    ]
    return tuple(factored_rank(a[0].arguments, m) if is_factored(a, m) else 0 for a, m in acting)


def shared_params(layers: Iterable[tuple[str, Arguments, tuple[Shape, ...], Shape]]) -> int:
    """The scalars that layers of one network share: `intrinsic` has one vector for all of the same d and said.

    With `said` the scales of the matrices are taken out of d (Aghajanyan et al. 2020).
    """
    return sum(shared_vectors(layers).values())


def shared_vectors(
    layers: Iterable[tuple[str, Arguments, tuple[Shape, ...], Shape]],
) -> Mapping[tuple[int, bool], int]:
    """(d, said) -> length of the vector that the layers share, as above."""
    scales: dict[tuple[int, bool], int] = {}
    for op, args, inputs, output in layers:
        for method in methods_at(op, args):
            if method.name == "intrinsic":
                key = whole(method["d"]), flag(method["said"])
                changed = [m for m in MATRICES[op](args, inputs, output) if covers(method, m)]
                scales[key] = scales.get(key, 0) + len(changed)
    return {(d, said): d - number if said else d for (d, said), number in scales.items()}


def need_weight(op: str, args: Arguments, inputs: tuple[Shape, ...], output: Shape, need: Need) -> None:
    """The weight must fit every matrix of the operation that it changes, and change one."""
    methods = methods_at(op, args)
    if not methods:
        return
    matrices = MATRICES[op](args, inputs, output)
    for method in methods:
        row = METHODS[method.name]
        changed = [matrix for matrix in matrices if covers(method, matrix)]
        need(
            bool(changed),
            f"`{method.name}` has no matrix to work on: `{op}` looks at each channel alone",
            "leave its weights plain",
        )
        for matrix in changed:
            need_outputs(method.name, op, matrix, need)
            row.need(method.arguments, op, matrix, need)


def methods_at(op: str, args: Arguments) -> tuple[Spec, ...]:
    """The weight methods of one operation, in order; () where its weights are plain."""
    return methods_of(args.get("weight", PLAIN_WEIGHT)) if op in MATRICES else ()


def can_misfit(weight: Value) -> bool:
    """Whether a weight asks anything of the layer that it stands in."""
    return not {method.name for method in methods_of(weight)} <= UNDEMANDING
