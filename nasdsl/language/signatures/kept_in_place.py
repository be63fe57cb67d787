"""What a layer keeps for its backward pass in the place where it stands: within `frozen { }`, and with any weight.

The rules of kept.py are those of a layer that is trained, with plain weights. A frozen one keeps its input only where
the gradient that goes through it is worked out of it. Units are float32 numbers; a test holds both against autograd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod

from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.attention import decided_widths
from nasdsl.language.signatures.kept import Kept, KeptRule, activation_within, kept_by
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.language.signatures.methods import METHODS, covers
from nasdsl.language.signatures.rules import channels_of, flag, name, whole
from nasdsl.language.signatures.signature import Arguments
from nasdsl.language.signatures.table import LAYERS
from nasdsl.language.signatures.weighing import FROZEN, costs, factored_ranks, is_factored, methods_at


def kept_in_place(op: str, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """What one operation keeps of one sample, where a gradient passes through it."""
    rule = _FROZEN.get(op) if FROZEN in args else None
    if rule is not None and not costs(LAYERS[op], args, inputs, output).trainable:
        return rule(args, inputs, output)
    found = kept_by(op, args, inputs, output)
    ranks = factored_ranks(op, args, inputs, output)
    if not any(ranks):
        return found
    # Between the two layers that stand for a matrix there is a value of its own.
    matrices = MATRICES[op](args, inputs, output)
    between = sum(rank * whole(matrix.uses) for rank, matrix in zip(ranks, matrices, strict=True))
    return replace(found, inner=found.inner + between)


def weights_kept(
    op: str, args: Arguments, inputs: tuple[Shape, ...], output: Shape, passes: bool = True
) -> int:
    """Numbers that weight methods keep, once for a whole batch: the weights that they make of what is trained.

    passes: whether a gradient goes on beyond the input; `linear` has no use for its weight where none does.
    """
    methods = methods_at(op, args)
    if not methods:
        return 0
    kept = 0
    for matrix in MATRICES[op](args, inputs, output):
        acting = tuple(method for method in methods if covers(method, matrix))
        if not acting or is_factored(acting, matrix):
            continue
        made = 1 if passes or op != "linear" else 0
        tunes = any(METHODS[method.name].freezes for method in acting)
        if tunes or FROZEN not in args:
            made += sum(METHODS[one.name].keeps(one.arguments, i > 0) for i, one in enumerate(acting))
        kept += made * matrix.size()
    return kept


# --- layers whose weights are not trained ------------------------------------------------------


def _linear(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept()


def _mlp(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    hidden = _places(inputs[0]) * whole(args["hidden"])
    return Kept(inner=activation_within(args["act"], hidden)[0] + (hidden if args["dropout"] else 0))


def _swiglu(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inner=3 * _places(inputs[0]) * whole(args["hidden"]))


def _attention(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """All but what its linear maps read: the placed tokens, and the joined heads where those are a value of their own."""
    trained = kept_by("attention", args, inputs, output).inner
    tokens, width = inputs[0].sizes()
    position, (queries, _) = name(args["position"]), decided_widths(args, width)
    spared = queries if args["dropout"] or position == "rotary" else 0
    spared += width if position == "learned" else 0
    return Kept(inner=trained - spared * tokens)


def _rms_norm(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return kept_by("rms_norm", {**args, "affine": False}, inputs, output)


def _rnn(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inner=_states(args, inputs[0]))


def _gru(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inner=6 * _states(args, inputs[0]))


def _widen(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """All but what the router reads."""
    return replace(kept_by("widen", args, inputs, output), inputs=False)


def _states(args: Arguments, source: Shape) -> int:
    """Of all layers, in both directions, at each step."""
    return whole(args["layers"]) * (1 + flag(args["bidirectional"])) * _places(source) * whole(args["width"])


def _places(source: Shape) -> int:
    return prod(source.sizes()) // channels_of(source)


# The others keep as much as if they were trained: an LSTM the work space of oneDNN, a convolution its input.
_FROZEN: Mapping[str, KeptRule] = {
    "linear": _linear,
    "embed_columns": _linear,
    "mlp": _mlp,
    "swiglu": _swiglu,
    "attention": _attention,
    "rms_norm": _rms_norm,
    "rnn": _rnn,
    "gru": _gru,
    "widen": _widen,
}
