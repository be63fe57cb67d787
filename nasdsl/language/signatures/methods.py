"""What each weight method asks of a matrix, and how many numbers it keeps for one.

A weight is one method, or several joined by `+`, which then act in the order of their stages: first what the
matrix is made of, then what bounds or normalizes it, last what masks it, so that sparsity is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from types import MappingProxyType

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Dim, at_least, divides, lower, upper
from nasdsl.language.signatures.matrices import Matrix
from nasdsl.language.signatures.rules import dim, flag, name, whole
from nasdsl.language.signatures.signature import Arguments, Need

STACK = "+"  # the name of the Spec of several methods: {"first": Spec, "second": Spec}
STRUCTURE, NORMALIZED, MASK = range(3)
STAGES = ("what the weights are made of", "what bounds or normalizes them", "what masks them")
DEFAULT_RATIO = 3.0  # of low_rank where neither rank nor ratio is given (PELA, 2024)


def _no_need(args: Arguments, op: str, matrix: Matrix, need: Need) -> None:
    pass


def _nothing(args: Arguments, matrix: Matrix) -> int:
    return 0


def _dense(args: Arguments, matrix: Matrix) -> int:
    return matrix.size()


@dataclass(frozen=True)
class Method:
    """One row of the table of methods; counts are of scalars for one matrix.

    base: parameters that the weights are made of. own: parameters that the method adds. state: buffers.
    freezes: only what the method adds is trained. mixes_only: depthwise parts of a layer stay plain.
    by_output: it speaks of what each output reads, so the rows of a matrix have to be outputs.
    keeps: of how many values of a matrix's size a training step is left with besides the weight that comes out, at most;
    the second argument says whether what comes in is made by another method, and so is one of them.
    """

    stage: int
    base: Callable[[Arguments, Matrix], int] = _dense
    own: Callable[[Arguments, Matrix], int] = _nothing
    state: Callable[[Arguments, Matrix], int] = _nothing
    need: Callable[[Arguments, str, Matrix, Need], None] = _no_need
    freezes: bool = False
    mixes_only: bool = False
    by_output: bool = False
    keeps: Callable[[Arguments, bool], int] = lambda args, made: int(made)


def methods_of(weight: Value) -> tuple[Spec, ...]:
    """The methods joined in a weight, in order; () where it is plain."""
    if weight is None:
        return ()
    assert isinstance(weight, Spec), weight
    if weight.name == STACK:
        return methods_of(weight["first"]) + methods_of(weight["second"])
    return () if weight.name == "plain" else (weight,)


def covers(method: Spec, matrix: Matrix) -> bool:
    """Whether a method changes this matrix of a layer, or leaves it plain."""
    return not matrix.plain and (matrix.mixes or not METHODS[method.name].mixes_only)


def factored_rank(args: Arguments, matrix: Matrix) -> int:
    """The rank of `low_rank`: as given, or floor(m n / (ratio (m + n))), so that factors have 1 / ratio of the
    weights (PELA, 2024)."""
    if args["rank"] is not None:
        return whole(args["rank"])
    rows, columns = whole(matrix.rows), whole(matrix.columns)
    return _rank_of_ratio(args, rows, columns)


def intrinsic_length(args: Arguments, matrix: Matrix) -> int:
    """The power of two that the random map of `intrinsic` works at."""
    length = max(matrix.size(), whole(args["d"]))
    return 1 << (length - 1).bit_length()


def masked_count(args: Arguments, size: int) -> int:
    """How many of `size` weights have a mask of their own under `mask_tuned`."""
    share = args["select"]
    assert isinstance(share, int | float)
    return max(1, ceil(share * size))


def _rank_of_ratio(args: Arguments, rows: int, columns: int) -> int:
    ratio = DEFAULT_RATIO if args["ratio"] is None else args["ratio"]
    assert isinstance(ratio, int | float)
    return int(rows * columns / (ratio * (rows + columns)))


def _between_factors(args: Arguments, matrix: Matrix) -> int:
    """rank (m + n), for the methods that name their rank."""
    return whole(args["rank"]) * (whole(matrix.rows) + whole(matrix.columns))


def _factors(args: Arguments, matrix: Matrix) -> int:
    return factored_rank(args, matrix) * (whole(matrix.rows) + whole(matrix.columns))


def _rank(args: Arguments, matrix: Matrix) -> int:
    return whole(args["rank"])


def _rank_squared(args: Arguments, matrix: Matrix) -> int:
    return whole(args["rank"]) ** 2


def _singular_vectors(args: Arguments, matrix: Matrix) -> int:
    return _between_factors(args, matrix) + whole(args["rank"])


def _need_rank(args: Arguments, op: str, matrix: Matrix, need: Need) -> None:
    _rank_fits(dim(args["rank"]), op, matrix, need)


def _rank_fits(rank: Dim, op: str, matrix: Matrix, need: Need) -> None:
    need(
        at_least(matrix.short_side, rank),
        f"a rank of {rank} is above {matrix.short_side}, the most that weights of "
        f"{matrix.rows} x {matrix.columns} in `{op}` have",
        "choose a smaller rank, or wider layers",
    )


def _need_factors(args: Arguments, op: str, matrix: Matrix, need: Need) -> None:
    if args["rank"] is not None:
        need(
            args["ratio"] is None,
            "`low_rank` is given a rank and a ratio",
            "give one of them; the other follows",
        )
        _rank_fits(dim(args["rank"]), op, matrix, need)
        return
    least = _rank_of_ratio(args, lower(matrix.rows), lower(matrix.columns))
    most = _rank_of_ratio(args, upper(matrix.rows), upper(matrix.columns))
    need(
        True if least >= 1 else None if most >= 1 else False,
        f"no rank of 1 or more makes the weights of {matrix.rows} x {matrix.columns} in `{op}` so few",
        "choose a smaller ratio, or a rank",
    )


def _need_blocks(args: Arguments, op: str, matrix: Matrix, need: Need) -> None:
    kept, block = dim(args["n"]), dim(args["m"])
    need(
        None if not isinstance(kept, int) or not isinstance(block, int) else kept < block,
        f"`nm_sparse` keeps {kept} of every {block} weights",
        "keep fewer than there are: `nm_sparse(2, 4)`",
    )
    need(
        divides(block, matrix.inputs),
        f"blocks of {block} weights do not divide the {matrix.inputs} inputs of `{op}`",
        "choose a divisor of it, or leave the layer out",
    )
    if name(args["decay"]) == "structure" and isinstance(kept, int) and isinstance(block, int):
        ratio = block // kept
        need(
            block % kept == 0 and ratio & (ratio - 1) == 0,
            f"`decay = structure` halves {block} until it is {kept}, which it never is",
            "choose n and m that are a power of two apart",
        )


def need_outputs(method: str, op: str, matrix: Matrix, need: Need) -> None:
    """A method that speaks of what each output reads fits no transposed convolution."""
    need(
        not (METHODS[method].by_output and matrix.turned),
        f"`{method}` speaks of the weights that each output reads, and those of `{op}` lie by what each input makes",
        "take a method that asks for no such rows, `lora`, `low_rank` or `weight_compander`, or leave it plain",
    )


def _need_several(args: Arguments, op: str, matrix: Matrix, need: Need) -> None:
    need(
        at_least(matrix.columns, 2),
        f"`weight_standardized` has no variance to set: an output of `{op}` has one weight",
        "use it on layers of several inputs or a kernel above 1",
    )


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "low_rank": Method(STRUCTURE, base=_factors, need=_need_factors, mixes_only=True),
        "svfit": Method(
            STRUCTURE,
            own=_rank,
            state=_singular_vectors,
            need=_need_rank,
            freezes=True,
            mixes_only=True,
        ),
        "lora": Method(STRUCTURE, own=_between_factors, need=_need_rank, freezes=True, mixes_only=True),
        "lora_xs": Method(
            STRUCTURE,
            own=_rank_squared,
            state=_between_factors,
            need=_need_rank,
            freezes=True,
            mixes_only=True,
        ),
        "lora_sb": Method(
            STRUCTURE,
            own=_rank_squared,
            state=lambda args, matrix: _between_factors(args, matrix) + 1,  # whether the first step is taken
            need=_need_rank,
            freezes=True,
            mixes_only=True,
        ),
        # The vector that all layers share is counted once for the network: see weighing.shared_params.
        "intrinsic": Method(
            STRUCTURE,
            own=lambda args, matrix: int(flag(args["said"])),
            state=lambda args, matrix: 3 * intrinsic_length(args, matrix),
            freezes=True,
            keeps=lambda args, made: int(flag(args["said"])),
        ),
        "weight_norm": Method(NORMALIZED, own=lambda args, matrix: whole(matrix.rows), by_output=True),
        "spectral_norm": Method(
            NORMALIZED,
            state=lambda args, matrix: whole(matrix.rows) + whole(matrix.columns),
            by_output=True,
        ),
        "orthogonal": Method(NORMALIZED, by_output=True, keeps=lambda args, made: 3),
        "weight_standardized": Method(
            NORMALIZED, need=_need_several, by_output=True, keeps=lambda args, made: 1 + made
        ),
        "weight_compander": Method(NORMALIZED, own=lambda args, matrix: 2, keeps=lambda args, made: 2 + made),
        "nm_sparse": Method(
            MASK,
            state=lambda args, matrix: 1,
            need=_need_blocks,
            mixes_only=True,
            by_output=True,
            # The mask; but for `decay = mask`, what it masks as well.
            keeps=lambda args, made: 1 + (made and name(args["decay"]) != "mask"),
        ),
        "mask_tuned": Method(
            MASK,
            own=lambda args, matrix: masked_count(args, matrix.size()),
            state=lambda args, matrix: 0 if args["select"] == 1 else masked_count(args, matrix.size()),
            freezes=True,
            keeps=lambda args, made: 2 * made,
        ),
    }
)


# Methods that fit every layer with weights.
UNDEMANDING = frozenset(
    {
        "plain",
        *(
            key
            for key, row in METHODS.items()
            if row.need is _no_need and not row.mixes_only and not row.by_output
        ),
    }
)


def clash(names: tuple[str, ...]) -> tuple[str, str] | None:
    """Why methods, none of them plain, cannot act on one tensor in this order, and what to do; None where they can."""
    stages = [METHODS[one].stage for one in names]
    for first, second in pairwise(names):
        a, b = METHODS[first].stage, METHODS[second].stage
        if a == b:
            return f"`{first}` and `{second}` both say {STAGES[a]}", "a weight has at most one of them"
        if a > b:
            order = " + ".join(one for _, one in sorted(zip(stages, names, strict=True)))
            return (
                f"`{second}` acts before `{first}`: first {STAGES[b]}, then {STAGES[a]}",
                f"write `{order}`",
            )
    if "orthogonal" in names and len(names) > 1:
        other = next(one for one in names if one != "orthogonal")
        return f"what is `orthogonal` is so no more, or cannot be, with `{other}`", "use one of them"
    return None
