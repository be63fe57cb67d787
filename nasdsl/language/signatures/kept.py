"""What each operation keeps from its forward pass for its backward pass, as torch's autograd does.

A rule says which values stay that other layers have as well (its inputs, its output), so that each can be counted
once, and how much else. Units are float32 numbers for one sample. The rules follow torch 2.13 on the CPU; a test
holds every one of them against what autograd saves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TypeAlias

from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.attention import decided_widths
from nasdsl.language.signatures.bottleneck import squeezed, squeezed_in_bottleneck
from nasdsl.language.signatures.rules import channels_of, flag, name, positions, spatial_sizes, whole
from nasdsl.language.signatures.signature import Arguments
from nasdsl.language.signatures.structure import applications, reads_output
from nasdsl.language.wide_and_deep import powers

_LONG = 2  # an int64 is as long as two float32


@dataclass(frozen=True, slots=True)
class Kept:
    """inputs, output: whether these values stay. inner: what else stays. alias: the output is the memory of the
    first input, seen otherwise. only: the one input that stays, where the others do not."""

    inputs: bool = False
    output: bool = False
    inner: int = 0
    alias: bool = False
    only: int | None = None

    def stay(self, inputs: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the inputs that stay."""
        if not self.inputs:
            return ()
        return inputs if self.only is None else (inputs[self.only],)


KeptRule: TypeAlias = Callable[[Arguments, tuple[Shape, ...], Shape], Kept]

_NOTHING, _INPUT, _OUTPUT, _ALIAS = Kept(), Kept(inputs=True), Kept(output=True), Kept(alias=True)


def kept_by(op: str, arguments: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """What one operation keeps, where a gradient passes through it."""
    rule = _RULES.get(op)
    return _ACTIVATIONS.get(op, _INPUT) if rule is None else rule(arguments, inputs, output)


def _always(kept: Kept) -> KeptRule:
    return lambda arguments, inputs, output: kept


def _size(shape: Shape) -> int:
    return prod(shape.sizes())


# Activations that keep their output; the others keep their input.
_ACTIVATIONS = dict.fromkeys(("relu", "tanh", "sigmoid"), _OUTPUT)


def activation_within(spec: Value, numbers: int) -> tuple[int, bool]:
    """Within a chain: what an activation of so many numbers keeps, and whether its output is among it."""
    assert isinstance(spec, Spec), spec
    if spec.name == "softsign":
        return 2 * numbers, False
    if spec.name == "singular_kernel":
        return (1 + _degree(spec["alpha"])) * numbers, False
    return numbers, _ACTIVATIONS.get(spec.name, _INPUT).output


def _degree(alpha: Value) -> int:
    """Of the polynomial, each of whose products keeps what it multiplies."""
    assert isinstance(alpha, int | float)
    return len(powers(alpha)) - 1


def _polynomial(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, inner=_degree(args["alpha"]) * _size(output))


def _softsign(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, inner=_size(output))


def _mlp(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    hidden = _size(inputs[0]) // channels_of(inputs[0]) * whole(args["hidden"])
    inner, has_output = activation_within(args["act"], hidden)
    if args["dropout"]:
        inner += 2 * hidden  # the mask, and what the second map gets
    elif not has_output:
        inner += hidden
    return Kept(inputs=True, inner=inner)


def _padded(args: Arguments, source: Shape) -> int:
    """Numbers of a map with zeros around it; 0 where the convolution itself pads."""
    around = whole(args["dilation"]) * (whole(args["kernel"]) - 1) if name(args["padding"]) == "same" else 0
    if around % 2 == 0:
        return 0
    return channels_of(source) * prod(size + around for size in spatial_sizes(source))


def _conv(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    padded = _padded(args, inputs[0])
    return Kept(inner=padded) if padded else _INPUT


def _separable(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    padded = _padded(args, inputs[0])
    between = channels_of(inputs[0]) * prod(spatial_sizes(output))
    return Kept(inputs=not padded, inner=padded + between)


def _factorized(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    (height, width), (_, columns) = spatial_sizes(inputs[0]), spatial_sizes(output)
    around = whole(args["kernel"]) - 1
    if around % 2 == 0:
        return Kept(inputs=True, inner=channels_of(output) * height * columns)
    padded = channels_of(inputs[0]) * height * (width + around)
    return Kept(inner=padded + channels_of(output) * (height + around) * columns)


def _max_pool(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, inner=_LONG * _size(output))


def _recurrent(op: str, args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """Per step: the states, and the gates; an LSTM works in the memory that oneDNN lays out."""
    shape, width, layers = inputs[0], whole(args["width"]), whole(args["layers"])
    directions = 1 + flag(args["bidirectional"])
    steps, features = _size(shape) // channels_of(shape), channels_of(shape)
    if op != "lstm":
        states = (steps + 1) * width if op == "rnn" else 7 * steps * width
        first, between = directions * steps * features, (layers - 1) * steps * directions * width
        return Kept(inner=first + between + layers * directions * states)
    inner = steps * features
    for layer in range(layers):
        widest = max(width, features if layer == 0 else directions * width)
        gates, states = _aligned(4 * width, 32), 6 * _aligned(widest, 16)
        work = (steps + 1) * (gates + states) + 5 * steps * width
        inner += directions * (work + steps * width + 4 * width)
        inner += steps * directions * width if layer else 0
    return Kept(inner=inner)


def _aligned(numbers: int, by: int) -> int:
    """oneDNN begins each row of its work space at a multiple."""
    return numbers + -numbers % by


def _attention(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    tokens, width = inputs[0].sizes()
    placed = 1 if name(args["position"]) == "learned" else 0
    heads = whole(args["heads"])
    scores = 3 * tokens * tokens * heads if args["dropout"] else tokens * heads
    # What is turned lies head by head, and so does what comes of it: joining the heads makes a copy.
    copied = 1 if name(args["position"]) == "rotary" and not args["dropout"] else 0
    queries, _ = decided_widths(args, width)
    return Kept(inputs=True, inner=tokens * ((4 + copied) * queries + placed * width) + scores)


def _swiglu(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, inner=4 * _size(inputs[0]) // channels_of(inputs[0]) * whole(args["hidden"]))


def _norm(groups: Callable[[Arguments, Shape], int]) -> KeptRule:
    """The input, and of each group a mean and a deviation."""
    return lambda arguments, inputs, output: Kept(inputs=True, inner=2 * groups(arguments, inputs[0]))


def _rows(args: Arguments, shape: Shape) -> int:
    return shape.sizes()[0] if shape.layout == "tokens" else 1


def _instance_norm(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, inner=(2 + flag(args["affine"])) * channels_of(inputs[0]))


def _rms_norm(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    scaled = _size(output) if flag(args["affine"]) else 0
    return Kept(inputs=True, inner=_rows(args, inputs[0]) + scaled)


def _excited(channels: int, hidden: int, gate: Value = "efficientnet") -> int:
    """The means, the features and the gates; a hard sigmoid keeps its input as well."""
    return (2 if gate == "efficientnet" else 3) * channels + hidden


def _squeeze_excite(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    channels = channels_of(inputs[0])
    return Kept(inputs=True, inner=_excited(channels, squeezed(channels, whole(args["reduction"]))))


def _inverted_bottleneck(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    source, channels, expand = inputs[0], channels_of(inputs[0]), whole(args["expand"])
    hidden = channels * expand
    before, after = hidden * prod(spatial_sizes(source)), hidden * prod(spatial_sizes(output))
    window = {**args, "padding": "same", "dilation": 1}
    inner = 0
    if expand > 1:
        act, has_output = activation_within(args["act"], before)
        padded = _padded(window, Shape((hidden, *source.dims[1:]), source.layout))
        inner += before + act + (padded or (0 if has_output else before))
    else:
        inner += _padded(window, source)
    act, has_output = activation_within(args["act"], after)
    inner += after + act
    inner += 0 if has_output else after
    if flag(args["squeeze_excite"]):
        inner += after + _excited(hidden, squeezed_in_bottleneck(args, channels, hidden), args["gate"])
    return Kept(inputs=expand > 1 or not _padded(window, source), inner=inner + _size(output))


def _dropout(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    if args["rate"] == 0:
        return _ALIAS
    by_channel = name(args["per"]) == "channel" and inputs[0].spatial
    return Kept(inner=channels_of(output) if by_channel else _size(output))


def _mul(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, inner=max(0, len(inputs) - 2) * _size(output))


def _project(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    grows = any(b > a for a, b in zip(spatial_sizes(inputs[0]), spatial_sizes(output), strict=True))
    return Kept(inner=channels_of(inputs[0]) * prod(spatial_sizes(output))) if grows else _INPUT


def _widen(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """Around the experts: rows sent to them, what they give, by which weights, and where it belongs."""
    uses, source = applications(args, inputs[0]), inputs[0]
    routed = source.layout == "tokens" and args["route"] == "token"
    tokens = source.sizes()[0] if routed else 1
    rows = uses * (_size(source) + _size(output)) // tokens
    shares = 0 if args["route"] == "enforced" else tokens * (2 * whole(args["experts"])) + 6 * uses
    return Kept(inputs=True, inner=rows + shares)


def _gate(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    return Kept(inputs=True, only=1, inner=channels_of(inputs[0]) + 3 * channels_of(output))


def _adapter(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> Kept:
    """What the path reads, and what is between its two maps; a connected one reads a sum of its own."""
    within = whole(args["rank"]) * positions(output)
    act, has_output = (0, False) if args["f"] is None else activation_within(args["f"], within)
    inner = act if has_output else act + within
    read = output if reads_output(args) else inputs[0]
    copied = read.layout != "tokens" and len(read.dims) > 1  # its channels go last for the path
    if len(inputs) > 2 or copied:
        return Kept(inner=inner + _size(read))
    return Kept(inputs=True, only=1 if reads_output(args) else 0, inner=inner)


_RULES: Mapping[str, KeptRule] = {
    "mlp": _mlp,
    "softsign": _softsign,
    "singular_kernel": _polynomial,
    **{f"{kind}conv{axes}d": _conv for kind in ("", "depthwise_") for axes in (1, 2, 3)},
    **{f"separable_conv{axes}d": _separable for axes in (1, 2, 3)},
    "factorized_conv2d": _factorized,
    "max_pool": _max_pool,
    "global_max_pool": _always(Kept(inputs=True, output=True)),
    **{op: partial(_recurrent, op) for op in ("rnn", "gru", "lstm")},
    "attention": _attention,
    "swiglu": _swiglu,
    "layer_norm": _norm(_rows),
    "group_norm": _norm(lambda arguments, shape: whole(arguments["groups"])),
    "instance_norm": _instance_norm,
    "rms_norm": _rms_norm,
    "squeeze_excite": _squeeze_excite,
    "inverted_bottleneck": _inverted_bottleneck,
    "dropout": _dropout,
    "mul": _mul,
    "project": _project,
    "widen": _widen,
    "gate": _gate,
    "adapter": _adapter,
    **{
        op: _always(_ALIAS)
        for op in ("identity", "flatten", "reshape", "to_tokens", "to_sequence", "take_token")
    },
    **{
        op: _always(_NOTHING)
        for op in (
            "add",
            "mean",
            "concat",
            "zero",
            "pad",
            "upsample",
            "global_avg_pool",
            "class_token",
            "learned_positions",
        )
    },
}
