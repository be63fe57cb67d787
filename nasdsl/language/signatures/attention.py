"""Transformers: attention and swiglu over tokens (tokens, width), and what makes tokens.

Costs: `macs` counts the linear maps and both products of attention, over all pairs of tokens whether
causal or not, as `scaled_dot_product_attention` is counted; lookups and softmax count 0.
"""

from __future__ import annotations

from itertools import combinations
from math import prod

from nasdsl.language.shapes import Dim, Shape, at_least, vector
from nasdsl.language.signatures.pooling import SPATIAL
from nasdsl.language.signatures.rules import (
    WEIGHT,
    channels_of,
    clamp_low,
    dim,
    flag,
    name,
    need_divides,
    need_layout,
    product,
    spatial_sizes,
    whole,
)
from nasdsl.language.signatures.signature import (
    BOOL,
    Argument,
    Arguments,
    Need,
    Signature,
    integer,
    name_of,
    real,
)

_TOKENS = ("tokens",)
_SOME_OF_QKVO = tuple("".join(some) for n in range(1, 5) for some in combinations("qkvo", n))
_TOKENS_HELP = "put `to_tokens`, `patch_embed` or `token_embedding` before it"


def _tokens(op: str, shape: Shape, need: Need) -> Shape:
    need_layout(shape, _TOKENS, op, _TOKENS_HELP, need)
    return shape


def _attention_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    tokens, heads = _tokens("attention", inputs[0], need), dim(args["heads"])
    if args["head_dim"] is None:
        need_divides(heads, tokens.channels, "heads of the width of tokens", need)
    if args["kv_heads"] is not None:
        need_divides(dim(args["kv_heads"]), heads, "kv_heads of the heads", need)
    if name(args["position"]) == "rotary":
        # Pairs of features turn together, so each head has an even number of them.
        if args["head_dim"] is None:
            need_divides(2 * heads, tokens.channels, "pairs of features in each head", need)
        else:
            need_divides(2, dim(args["head_dim"]), "pairs of features in each head", need)
    return tokens


def head_widths(args: Arguments, width: Dim) -> tuple[Dim, Dim]:
    """The features of all queries together, and of all keys: `head_dim` for each head, or its share of the width;
    fewer heads have keys where `kv_heads` says so."""
    heads = dim(args["heads"])
    if args["head_dim"] is None:
        return width, width if args["kv_heads"] is None else width // heads * dim(args["kv_heads"])
    size = dim(args["head_dim"])
    return heads * size, (heads if args["kv_heads"] is None else dim(args["kv_heads"])) * size


def decided_widths(args: Arguments, width: int) -> tuple[int, int]:
    """The same of a decided layer."""
    queries, keys = head_widths(args, width)
    assert isinstance(queries, int) and isinstance(keys, int), args
    return queries, keys


def _attention_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    tokens, width = inputs[0].sizes()
    queries, keys = decided_widths(args, width)
    biases = queries + 2 * keys + width if flag(args["bias"]) else 0
    positions = tokens * width if name(args["position"]) == "learned" else 0
    return 2 * width * (queries + keys) + biases + positions


def _attention_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    tokens, width = inputs[0].sizes()
    queries, keys = decided_widths(args, width)
    return 2 * tokens * width * (queries + keys) + 2 * tokens * tokens * queries


def _swiglu_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(inputs[0], ("vector", "tokens"), "swiglu", "put `flatten` or `to_tokens` before it", need)
    return inputs[0]


def _swiglu_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    width, hidden = channels_of(inputs[0]), whole(args["hidden"])
    return 3 * width * hidden + (2 * hidden + width if flag(args["bias"]) else 0)


def _swiglu_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return 3 * prod(inputs[0].sizes()) * whole(args["hidden"])


def _patch_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(
        inputs[0], SPATIAL, "patch_embed", "use it before the axes are flattened or pooled away", need
    )
    patch = dim(args["patch"])
    counts: list[Dim] = []
    for size in inputs[0].spatial:
        need_divides(patch, size, "patches of an axis", need)
        counts.append(clamp_low(size // patch, 1))
    return Shape((product(counts), dim(args["width"])), "tokens")


def _patch_weights(args: Arguments, inputs: tuple[Shape, ...]) -> int:
    axes = len(spatial_sizes(inputs[0]))
    return channels_of(inputs[0]) * whole(args["width"]) * prod([whole(args["patch"])] * axes)


def _patch_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _patch_weights(args, inputs) + (whole(args["width"]) if flag(args["bias"]) else 0)


def _patch_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _patch_weights(args, inputs) * output.sizes()[0]


def _embedding_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need_layout(
        inputs[0],
        ("index",),
        "token_embedding",
        "numbers go through `linear` or `patch_embed`; symbols come with `text(…)` or `shape(128, symbols = 1000)`",
        need,
    )
    given, there = args["symbols"], inputs[0].symbols
    if given is not None:
        need(
            at_least(dim(given), there),
            f"`token_embedding` has {given} places, and the data {there:,} symbols",
            "leave `symbols` out: the data say how many there are",
        )
    return Shape((inputs[0].dims[0], dim(args["width"])), "tokens")


def _embedding_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return whole(_embedding_symbols(args, inputs)["symbols"]) * whole(args["width"])


def _embedding_symbols(args: Arguments, inputs: tuple[Shape, ...]) -> Arguments:
    return {"symbols": inputs[0].symbols if args["symbols"] is None else args["symbols"]}


def _class_token_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    count, width = _tokens("class_token", inputs[0], need).dims
    return Shape((count + 1, width), "tokens")


def _class_token_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return channels_of(output)


def _take_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    return vector(_tokens("take_token", inputs[0], need).channels)


def _positions_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    return _tokens("learned_positions", inputs[0], need)


def _positions_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return prod(output.sizes())


ATTENTION = Signature(
    "attention",
    "layer",
    "Multi-head attention of tokens to each other (Vaswani et al. 2017); with `kv_heads`, several heads of "
    "queries share keys and values (Ainslie et al. 2023).",
    (
        Argument(
            "heads",
            integer(1),
            "heads, a divisor of the width unless `head_dim` is given",
            required=True,
            shapes=True,
        ),
        Argument("kv_heads", integer(1), "heads of keys and values; as many if not given", shapes=True),
        Argument("causal", BOOL, "whether a token sees only itself and those before it", False),
        Argument(
            "position",
            name_of("none", "rotary", "learned"),
            "rotary: queries and keys turn with their place (Su et al. 2021); learned: a vector per place is "
            "added before queries and keys are formed",
            "none",
            shapes=True,
        ),
        Argument("dropout", real(0, 1), "share of attention weights dropped in training", 0.0),
        Argument("bias", BOOL, "whether the linear maps have offsets", True),
        WEIGHT,
        Argument(
            "weight_on",
            name_of(*_SOME_OF_QKVO),
            "which matrices `weight` changes: those that make queries, keys, values and what comes out, each by a "
            "letter; the others stay plain",
            "qkvo",
            shapes=True,  # a rank that fits queries may not fit fewer keys
        ),
        Argument(
            "head_dim",
            integer(1),
            "features of each head; width / heads if not given. What the heads give goes back to the width",
            shapes=True,
        ),
    ),
    weighted=True,
    sized=True,
    shape=_attention_shape,
    params=_attention_params,
    macs=_attention_macs,
)

SWIGLU = Signature(
    "swiglu",
    "layer",
    "silu(linear(hidden)) times linear(hidden), then linear back to the input width (Shazeer 2020).",
    (
        Argument("hidden", integer(1), "features between the linear maps", required=True),
        Argument("bias", BOOL, "whether the linear maps have offsets", False),
        WEIGHT,
    ),
    weighted=True,
    shape=_swiglu_shape,
    params=_swiglu_params,
    macs=_swiglu_macs,
)

PATCH_EMBED = Signature(
    "patch_embed",
    "layer",
    "A map cut into patches, each a token by one linear map (Dosovitskiy et al. 2020).",
    (
        Argument("width", integer(1), "width of tokens", required=True, shapes=True),
        Argument("patch", integer(1), "length of a patch along each axis, a divisor of it", 4, shapes=True),
        Argument("bias", BOOL, "whether the linear map has offsets", True),
        WEIGHT,
    ),
    positional=2,
    weighted=True,
    shape=_patch_shape,
    params=_patch_params,
    macs=_patch_macs,
)

TOKEN_EMBEDDING = Signature(
    "token_embedding",
    "layer",
    "Each symbol looked up in a learned table.",
    (
        Argument("width", integer(1), "width of tokens", required=True, shapes=True),
        Argument("symbols", integer(1), "places of the table; as many as the data have symbols", shapes=True),
    ),
    positional=2,
    shape=_embedding_shape,
    fills=_embedding_symbols,
    params=_embedding_params,
)

CLASS_TOKEN = Signature(
    "class_token",
    "layer",
    "One learned token put before all others; `take_token` reads it out.",
    positional=0,
    shape=_class_token_shape,
    params=_class_token_params,
)

TAKE_TOKEN = Signature(
    "take_token",
    "layer",
    "One token as a vector.",
    (Argument("place", name_of("first", "last"), "which one", "first"),),
    shape=_take_shape,
)

LEARNED_POSITIONS = Signature(
    "learned_positions",
    "layer",
    "A learned vector added to each token, by its place.",
    positional=0,
    shape=_positions_shape,
    params=_positions_params,
)

SIGNATURES = (
    ATTENTION,
    SWIGLU,
    PATCH_EMBED,
    TOKEN_EMBEDDING,
    CLASS_TOKEN,
    TAKE_TOKEN,
    LEARNED_POSITIONS,
)
