"""Operations that take a body, and the other names of the language that stand in a network.

`residual` is worked out by the walk: its body, then `project` or `pad` on the input where the shape
changed, then `add`. Rows marked `later` are known by name, so that using one says what is missing.
"""

from __future__ import annotations

from nasdsl.language.shapes import Shape, at_least, vector
from nasdsl.language.signatures.rules import (
    WEIGHT,
    channels_of,
    dim,
    need_equal,
    need_layout,
    positions,
    whole,
    with_channels,
)
from nasdsl.language.signatures.signature import (
    BOOL,
    STRING,
    Argument,
    Arguments,
    Kind,
    Need,
    Signature,
    integer,
    name_of,
    real,
)

# No operation: what a node of a graph tells of the wires that it reads, beside the costs of operations.
EDGES = Signature("edges", "layer", "wires that a node reads")

_RANK = Argument("rank", integer(1), "rank of the bottleneck", 8)


def _later(name: str, doc: str, *arguments: Argument, body: bool = True, positional: int = 0) -> Signature:
    group = "wrapper" if body else "layer"
    return Signature(name, group, doc, arguments, positional=positional, body=body, later=True)


def _by_token(args: Arguments, source: Shape) -> bool:
    """Whether each token of a sample goes its own way."""
    return source.layout == "tokens" and args["route"] == "token"


def copies_of(args: Arguments) -> int:
    """How many copies of its body a wrapper has."""
    return whole(args["experts"])


def applications(args: Arguments, source: Shape) -> int:
    """How often a copy of the body works for one sample, tokens that find no room included."""
    if args["route"] == "enforced":
        return 1
    return whole(args["top_k"]) * (source.sizes()[0] if _by_token(args, source) else 1)


def _expert_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    need(
        at_least(dim(args["experts"]), dim(args["top_k"])),
        f"`widen` sends each token to {args['top_k']} of {args['experts']} experts",
        "`top_k` is at most `experts`",
    )
    need_layout(
        inputs[0],
        ("vector", "tokens", "sequence", "image", "volume"),
        "widen",
        "put `token_embedding` before it",
        need,
    )
    return vector(inputs[0].channels) if _by_token(args, inputs[0]) else inputs[0]


def _widened_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    source, given = inputs
    if not _by_token(args, source):
        return given
    need(
        given.layout == "vector",
        f"an expert gives {given} for a token",
        "the body of `widen` turns a vector into a vector",
    )
    return Shape((source.dims[0], given.channels), "tokens")


def _router_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return 0 if args["route"] == "enforced" else channels_of(inputs[0]) * whole(args["experts"])


def _router_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    tokens = inputs[0].sizes()[0] if _by_token(args, inputs[0]) else 1
    return tokens * _router_params(args, inputs, output)


_LAYOUTS = ("vector", "tokens", "sequence", "image", "volume")


def _gated_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    for shape in inputs:
        need_layout(shape, _LAYOUTS, "gate", "put `token_embedding` before it", need)
    return inputs[-1]


def _gate_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return channels_of(inputs[0]) * channels_of(output)


def _gate_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return _gate_macs(args, inputs, output) + channels_of(output)


def adapts_input(args: Arguments) -> bool:
    """Whether an adapter stands before its body."""
    return args.get("place") == "input"


def reads_output(args: Arguments) -> bool:
    """Whether the path of an adapter reads what its body gives."""
    return args["place"] == "output" or (args["place"] == "body" and args["form"] == "sequential")


def _adapted_shape(args: Arguments, inputs: tuple[Shape, ...], need: Need) -> Shape:
    source, given = inputs
    for shape in inputs:
        need_layout(shape, _LAYOUTS, "adapter", "put `token_embedding` before it", need)
    if args["place"] == "body" and args["form"] == "parallel":
        need_equal((with_channels(source, 1), with_channels(given, 1)), "adapter", need)
    return given


def _adapter_widths(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    read = output if reads_output(args) else inputs[0]
    written = inputs[0] if adapts_input(args) else output
    return channels_of(read) + channels_of(written)


def _adapter_params(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    rank, written = whole(args["rank"]), inputs[0] if adapts_input(args) else output
    return rank * _adapter_widths(args, inputs, output) + rank + channels_of(written)


def _adapter_macs(args: Arguments, inputs: tuple[Shape, ...], output: Shape) -> int:
    return whole(args["rank"]) * _adapter_widths(args, inputs, output) * positions(output)


SIGNATURES = (
    Signature(
        "residual",
        "wrapper",
        "The body's output plus its input.",
        (
            Argument(
                "shortcut",
                name_of("project", "pad", "error"),
                "what brings the input to the body's shape where that differs",
                "project",
                shapes=True,
            ),
        ),
        positional=0,
        body=True,
    ),
    Signature(
        "parallel",
        "wrapper",
        "Branches on one input, joined; each statement of the body is a branch.",
        (Argument("merge", name_of("add", "concat", "mean", "mul"), "how the branches are joined", "add"),),
        positional=0,
        body=True,
    ),
    Signature(
        "dag",
        "wrapper",
        "Named wires: `a = conv2d(32) from input; output = concat from a, input`.",
        positional=0,
        body=True,
    ),
    Signature(
        "cell",
        "wrapper",
        "A graph of nodes; each reads all earlier ones, or `edges = any(k)` of them, each through a "
        "fresh body (Dong & Yang 2020; Liu et al. 2019). `output = concat` joins all inner nodes, "
        "`output = concat unused` those that no other reads (Zoph et al. 2018).",
        (
            Argument("nodes", integer(2), "nodes, the inputs among them", 4),
            Argument(
                "inputs",
                integer(1, 2),
                "how many nodes are inputs; the second is the input of the cell before",
                1,
            ),
            Argument(
                "shortcut",
                name_of("project", "pad", "error"),
                "what brings the second input to the shape of the first",
                "project",
            ),
            Argument("merge", name_of("add", "concat", "mean", "mul"), "how a node joins its edges", "add"),
            Argument("edges", Kind("call"), "which earlier nodes each node reads; all if not given"),
            Argument("output", Kind("call"), "how inner nodes are joined; the last alone if not given"),
        ),
        positional=0,
        body=True,
    ),
    Signature(
        "widen",
        "wrapper",
        "A mixture of experts: copies of the body, to some of which a learned router sends each token "
        "(Shazeer et al. 2017; Xue et al. 2021). Tokens are routed one by one; a vector or a map is one token.",
        (
            Argument("experts", integer(1), "copies of the body", required=True, shapes=True),
            Argument("top_k", integer(1), "experts that each token uses", 1, shapes=True),
            Argument(
                "capacity",
                real(0, open_low=True),
                "room of an expert in training, as a multiple of the even share; what is too much for it gives 0",
                1.25,
            ),
            Argument("balance", real(0), "weight of the loss that evens the load", 0.01),
            Argument(
                "route",
                name_of("token", "enforced"),
                "enforced: the data name an expert for each sample (`route` of csv and npz; `compiler.routing.enforced` "
                "in Python), experts begin alike, and the body gets whole samples",
                "token",
                shapes=True,
            ),
        ),
        positional=1,
        body=True,
        inner=_expert_shape,
        shape=_widened_shape,
        params=_router_params,
        macs=_router_macs,
    ),
    Signature(
        "gate",
        "wrapper",
        "Channels of the body's output switched off, sample by sample, by a predictor that learns which of them "
        "hold `mass` of the activation (Elkerdawy et al. 2022). `macs` counts all channels.",
        (
            Argument("mass", real(0, 1, open_low=True), "share of activation mass that stays", 0.8),
            Argument(
                "decoupled", BOOL, "whether the loss of the predictor leaves the layers before it alone", True
            ),
        ),
        positional=1,
        body=True,
        shape=_gated_shape,
        params=_gate_params,
        macs=_gate_macs,
    ),
    Signature(
        "adapter",
        "wrapper",
        "A small path that adds scale * up(f(down(h))) to a hidden state, and begins at zero (Houlsby et al. 2019; "
        "He et al. 2022).",
        (
            Argument(
                "form",
                name_of("parallel", "sequential"),
                "parallel: the path reads what the body reads; sequential: what the body gives",
                "parallel",
                shapes=True,
            ),
            Argument(
                "f", Kind("call", groups=("activation",)), "activation within the path; none if not given"
            ),
            Argument(
                "place",
                name_of("body", "input", "output"),
                "body: as `form` says; input: the path changes what the body reads; output: it reads and changes "
                "what the body gives",
                "body",
                shapes=True,
            ),
            _RANK,
            Argument("scale", real(), "factor on the path", 1.0),
            Argument(
                "connected",
                BOOL,
                "whether the path goes on from that of the adapter before, past the bodies (Ma et al. 2022)",
                False,
            ),
        ),
        positional=0,
        body=True,
        tunes=True,
        weighted=True,
        shape=_adapted_shape,
        params=_adapter_params,
        macs=_adapter_macs,
    ),
    _later(
        "prefix", "Learned key and value tokens.", Argument("length", integer(1), "tokens", 8), body=False
    ),
    _later("prompt", "Learned input tokens.", Argument("length", integer(1), "tokens", 8), body=False),
    _later(
        "hypernet",
        "A network that gives the weights of its body.",
        Argument("kind", name_of("mlp", "rnn"), "what gives the weights", "mlp"),
        Argument("encoding", name_of("raw", "mip"), "how its input is encoded", "raw"),
    ),
    _later(
        "ode",
        "The body as the right-hand side of a differential equation.",
        Argument("solver", name_of("tsit5", "dopri5", "rk4", "euler"), "method of integration", "tsit5"),
        Argument("tolerance", real(0, open_low=True), "error that a step may make", 1e-3),
        Argument(
            "regularize",
            name_of("none", "error", "stiffness", "both"),
            "solver heuristic in the loss",
            "none",
        ),
    ),
    _later("icnn", "An input-convex network."),
    _later("prox", "A learned proximal operator, the gradient of an input-convex network."),
    _later(
        "elastic",
        "Sub-networks of several depths and widths, trained together.",
        Argument("depths", Kind("numbers", 1), "depths to train"),
        Argument("widths", Kind("numbers", 1), "widths to train"),
    ),
    Signature(
        "frozen",
        "wrapper",
        "A body whose weights are not trained, but for what tuning methods such as `lora` add to them; its batch "
        "norms use the statistics that they have.",
        positional=0,
        body=True,
    ),
    Signature(
        "pretrained",
        "wrapper",
        "A body that starts from the weights of a file.",
        (
            Argument(
                "file",
                STRING,
                'a safetensors file beside the space, or "package.module:function" with --trust, which '
                "returns tensors by name",
                required=True,
            ),
            Argument(
                "match",
                name_of("name", "order"),
                "name: a layer's tensors go by the path of the layer in the body, `conv1.weight`; order: layers "
                "with weights and those of the file, in the order of their names, one by one",
                "name",
            ),
            Argument("prefix", STRING, "what names in the file begin with; others are left out", ""),
        ),
        positional=1,
        body=True,
    ),
    Signature(
        "with",
        "wrapper",
        "A default for all layers that it encloses, those of blocks included; a decision in it is taken by "
        "each layer afresh. A layer's own argument comes first, then the innermost `with`.",
        (Argument("weight", WEIGHT.kind, WEIGHT.doc),),
        positional=0,
        body=True,
    ),
)
