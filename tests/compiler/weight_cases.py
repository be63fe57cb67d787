"""Weight methods and layers to put them on, for the tests of the compiler."""

from __future__ import annotations

from collections.abc import Mapping

from plan_examples import Net

from compiler.plan import Plan, plan_of
from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.layers import LAYER_SIGNATURES
from nasdsl.language.signatures.methods import METHODS, STACK

ROWS = {row.name: row for row in LAYER_SIGNATURES if row.group == "weight"}
_GIVEN: Mapping[str, Mapping[str, Value]] = {
    "low_rank": {"rank": 2},
    "svfit": {"rank": 2},
    "lora": {"rank": 2},
    "lora_xs": {"rank": 2},
    "lora_sb": {"rank": 2},
    "intrinsic": {"d": 5},
}
MORE = {
    "low_rank by ratio": ("low_rank", {"ratio": 1.5}),
    "nm_sparse structure": ("nm_sparse", {"n": 1, "m": 4, "decay": "structure"}),
    "nm_sparse ste": ("nm_sparse", {"decay": "ste"}),
    "mask_tuned half": ("mask_tuned", {"select": 0.5}),
    "intrinsic said": ("intrinsic", {"d": 20, "said": True}),
    "weight_compander effective": ("weight_compander", {"decay_on": "effective"}),
}


def weight(name: str, **given: Value) -> Spec:
    """A method with all its arguments."""
    arguments = {a.name: a.default for a in ROWS[name].arguments}
    return Spec(name, arguments | dict(_GIVEN.get(name, {})) | given)


def stack(first: Spec, second: Spec) -> Spec:
    return Spec(STACK, {"first": first, "second": second})


WEIGHTS = {
    **{name: weight(name) for name in METHODS},
    **{title: weight(name, **given) for title, (name, given) in MORE.items()},
    "low_rank + weight_norm + nm_sparse": stack(
        stack(weight("low_rank"), weight("weight_norm")), weight("nm_sparse")
    ),
    "lora + nm_sparse": stack(weight("lora"), weight("nm_sparse", decay="ste")),
    "lora + mask_tuned": stack(weight("lora"), weight("mask_tuned")),
}

# Layers whose every matrix is at least 4 wide and reads a multiple of 4 channels.
LAYERS: Mapping[str, tuple[tuple[int, ...], str, Mapping[str, Value]]] = {
    "linear": ((8,), "linear", {"width": 12}),
    "mlp": ((8,), "mlp", {"hidden": 16}),
    "conv1d": ((4, 9), "conv1d", {"filters": 8}),
    "conv2d": ((8, 6, 5), "conv2d", {"filters": 4, "stride": 2, "kernel": 2}),
    "conv2d in groups": ((8, 5, 5), "conv2d", {"filters": 8, "groups": 2}),
    "conv2d_transpose": ((4, 5, 3), "conv2d_transpose", {"filters": 8, "kernel": 3}),
    "separable_conv2d": ((4, 5, 5), "separable_conv2d", {"filters": 8}),
    "factorized_conv2d": ((4, 5, 5), "factorized_conv2d", {"filters": 8, "kernel": 3}),
    "project": ((4, 6, 6), "project", {"width": 8, "size": (3, 3)}),
    "squeeze_excite": ((16, 4, 4), "squeeze_excite", {}),
    "inverted_bottleneck": ((16, 5, 5), "inverted_bottleneck", {"filters": 8, "squeeze_excite": True}),
    "lstm": ((4, 7), "lstm", {"width": 4, "layers": 2, "bidirectional": True}),
    "attention": ((4, 6), "attention", {"heads": 2}),
    "attention of wide heads": ((4, 6), "attention", {"heads": 3, "kv_heads": 1, "head_dim": 4}),
    "swiglu": ((8,), "swiglu", {"hidden": 12}),
    "patch_embed": ((4, 8, 8), "patch_embed", {"width": 8}),
}


def plan_with(layer: str, spec: Spec, **given: Value) -> Plan:
    """A network of one layer (attention: of tokens made from a sequence)."""
    sizes, op, arguments = LAYERS[layer]
    net = Net()
    x = net.input(*sizes)
    if op == "attention":
        x = net("linear", net("to_tokens", x), width=8)
    return plan_of(net.decided(net(op, x, **arguments, weight=spec, **given)))
