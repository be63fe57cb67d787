"""Short words for what a plan holds, alike in tables, pictures and files."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.plan import INPUT, Node, Plan
from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.methods import STACK
from nasdsl.language.signatures.table import SIGNATURES
from nasdsl.language.signatures.weighing import FROZEN


def call_text(node: Node) -> str:
    """The operation as a space would write it, without arguments that have their default value.

    `conv2d(16, kernel = 5)`: only what comes first goes without its name. `frozen` stands before what is not trained.
    """
    if node.op == INPUT:
        return node.op
    call = ("frozen " if FROZEN in node.arguments else "") + _call(node.op, node.arguments)
    return call if node.body is None else f"{call} {{ {body_text(node.body)} }}"


def body_text(plan: Plan) -> str:
    """The operations of a body, at most three of them."""
    calls = [call_text(node) for node in plan.nodes if node.op != INPUT]
    return "; ".join(calls[:3]) + (" …" if len(calls) > 3 else "")


def value_text(value: Value) -> str:
    """A decided value as a space would write it."""
    match value:
        case Spec(name, arguments) if name == STACK:
            return " + ".join(value_text(part) for part in arguments.values())
        case Spec(name, arguments):
            return _call(name, arguments)
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.4g}"
        case tuple():
            return "(" + ", ".join(str(part) for part in value) + ")"
    return str(value)


def shape_text(shape: tuple[int, ...]) -> str:
    """16 × 20 × 20"""
    return " × ".join(str(size) for size in shape)


def short_count(count: int) -> str:
    """At most four digits and a letter: 950, 12.3k, 4.56M."""
    for power, letter in ((9, "G"), (6, "M"), (3, "k")):
        if count >= 10**power:
            return f"{count / 10**power:.3g}{letter}"
    return str(count)


def _call(name: str, arguments: Mapping[str, Value]) -> str:
    row = SIGNATURES[name]
    parts = []
    for place, argument in enumerate(row.arguments):
        value = arguments.get(argument.name, argument.default)
        if value == argument.default:
            continue
        text = value_text(value)
        parts.append(text if place == 0 and row.positional else f"{argument.name} = {text}")
    return f"{name}({', '.join(parts)})" if parts else name
