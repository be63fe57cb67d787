"""Blocks of mobile networks over sequences, images and volumes: squeeze-excite, inverted bottleneck.

Costs: `macs` counts the products of convolutions and linear maps; norms and gates count 0.
"""

from __future__ import annotations

from math import prod

from nasdsl.language.network import Spec
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.pooling import SPATIAL
from nasdsl.language.signatures.rules import (
    WEIGHT,
    ceil_share,
    channels_of,
    dim,
    flag,
    need_layout,
    spatial_sizes,
    whole,
)
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Arguments,
    Need,
    Signature,
    call_of,
    integer,
    name_of,
)

_HELP = "use it before the axes are flattened or pooled away"

_REDUCTION_IN_BOTTLENECK = 4
_GATES = ("efficientnet", "mobilenet_v3")


def squeezed(channels: int, reduction: int) -> int:
    """Features between the two linear maps of squeeze-excite."""
    return max(1, channels // reduction)


def squeezed_in_bottleneck(args: Arguments, channels_in: int, hidden: int) -> int:
    """The same within an inverted bottleneck: a quarter of the channels that enter it (Tan & Le 2019), or of those
    inside (Howard et al. 2019)."""
    if args["gate"] == "efficientnet":
        return squeezed(channels_in, _REDUCTION_IN_BOTTLENECK)
    return _divisible(hidden // _REDUCTION_IN_BOTTLENECK)


def _divisible(width: int) -> int:
    """The multiple of 8 nearest to a width, but less than a tenth below it, as in published mobile networks."""
    nearest = max(8, (width + 4) // 8 * 8)
    return nearest if 10 * nearest >= 9 * width else nearest + 8


def _squeeze_weights(channels: int, hidden: int) -> int:
    return 2 * channels * hidden


def _squeeze_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], SPATIAL, "squeeze_excite", _HELP, need)
    return inputs[0]


def _squeeze_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    channels = channels_of(output)
    hidden = squeezed(channels, whole(args["reduction"]))
    return _squeeze_weights(channels, hidden) + channels + hidden


def _squeeze_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    channels = channels_of(output)
    return _squeeze_weights(channels, squeezed(channels, whole(args["reduction"])))


def _bottleneck_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], SPATIAL, "inverted_bottleneck", _HELP, need)
    sizes = (ceil_share(size, dim(args["stride"])) for size in inputs[0].spatial)
    return Shape((dim(args["filters"]), *sizes), inputs[0].layout)


def _expand_weights(args: Arguments, channels: int) -> int:
    expand = whole(args["expand"])
    return channels * channels * expand if expand > 1 else 0


def _depthwise_weights(args: Arguments, inputs: tuple[Shape, ...]) -> int:
    axes = len(spatial_sizes(inputs[0]))
    return channels_of(inputs[0]) * whole(args["expand"]) * prod([whole(args["kernel"])] * axes)


def _bottleneck_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    channels, filters = channels_of(inputs[0]), channels_of(output)
    hidden = channels * whole(args["expand"])
    weights = _expand_weights(args, channels) + _depthwise_weights(args, inputs) + hidden * filters
    norms = 2 * (hidden * (2 if whole(args["expand"]) > 1 else 1) + filters)
    if not flag(args["squeeze_excite"]):
        return weights + norms
    narrow = squeezed_in_bottleneck(args, channels, hidden)
    return weights + norms + _squeeze_weights(hidden, narrow) + hidden + narrow


def _bottleneck_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    channels, hidden = channels_of(inputs[0]), channels_of(inputs[0]) * whole(args["expand"])
    before, after = prod(spatial_sizes(inputs[0])), prod(spatial_sizes(output))
    narrow = squeezed_in_bottleneck(args, channels_of(inputs[0]), hidden)
    gates = _squeeze_weights(hidden, narrow) if flag(args["squeeze_excite"]) else 0
    behind = _depthwise_weights(args, inputs) + hidden * channels_of(output)
    return _expand_weights(args, channels) * before + behind * after + gates


SIGNATURES = (
    Signature(
        "squeeze_excite",
        "layer",
        "Each channel scaled by a gate between 0 and 1: from the means of all, linear to channels // reduction features, "
        "relu, linear back, sigmoid (Hu et al. 2018).",
        (
            Argument("reduction", integer(1), "channels per feature between the two linear maps", 4),
            WEIGHT,
        ),
        weighted=True,
        shape=_squeeze_shape,
        params=_squeeze_params,
        macs=_squeeze_macs,
    ),
    Signature(
        "inverted_bottleneck",
        "layer",
        "Convolution of kernel 1 to more channels, depthwise convolution, perhaps squeeze-excite, convolution "
        "of kernel 1 to `filters`; each convolution with batch norm, the first two with the activation "
        "(Sandler et al. 2018). Stands in `residual { }` where a shortcut is wanted.",
        (
            Argument("filters", integer(1), "output channels", required=True, shapes=True),
            Argument("kernel", integer(1), "size of the depthwise window along each axis", 3),
            Argument("stride", integer(1), "step of the depthwise window", 1, shapes=True),
            Argument("expand", integer(1), "how many times more channels inside; 1: no first convolution", 4),
            Argument("squeeze_excite", BOOL, "whether channels inside are gated", False),
            Argument(
                "gate",
                name_of(*_GATES),
                "how they are: between two linear maps stands a quarter of the channels that enter, and a sigmoid "
                "behind (efficientnet), or a quarter of those inside as a multiple of 8, and a hard sigmoid "
                "(mobilenet_v3)",
                "efficientnet",
            ),
            Argument("act", call_of("activation"), "activation", Spec("relu6")),
            WEIGHT,
        ),
        positional=2,
        weighted=True,
        shape=_bottleneck_shape,
        params=_bottleneck_params,
        macs=_bottleneck_macs,
    ),
)
