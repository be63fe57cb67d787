"""Valid files changed so that they most often still mean something: numbers, answers, statements, bodies, wires,
calls as blocks, `require` lines. Places come from the syntax tree; whether the outcome checks is left to the checker."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from nasdsl.language import syntax as s
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import SpaceError
from nasdsl.language.node import Node
from nasdsl.language.parser import parse

QUANTITIES = (
    "params",
    "trainable_params",
    "merged_params",
    "macs",
    "depth",
    "edges",
    "train_memory",
    "aspect",
)
NUMBERS = (
    "0",
    "1",
    "2",
    "3",
    "4",
    "8",
    "16",
    "100",
    "1000",
    "0.1",
    "0.5",
    "1..2",
    "1 | 2",
    "2..64",
    "8 | 16 @ 2",
)
LAYERS = (
    "relu",
    "gelu | silu",
    "identity",
    "zero",
    "batch_norm?",
    "layer_norm",
    "dropout(0.1..0.5)",
    "linear(4..16)",
    "conv2d(2 | 4, kernel = 1 | 3, stride = 1..2)",
    "max_pool(2)?",
    "avg_pool(3, stride = 1, padding = same)",
    "mlp(hidden = 8 | 16)",
    "attention(heads = 1 | 2)",
    "global_avg_pool",
    "squeeze_excite(2)",
    "widen(experts = 2) { mlp(hidden = 4) }",
)
BODIES = (
    "repeat 2 { %s }",
    "repeat 0..3 { %s }",
    "repeat 1..3 tied { %s }",
    "repeat 1 | 3 shared { %s }",
    "repeat 2 shared except batch_norm { %s }",
    "repeat i in 1..3 { %s; dropout(0.1 * i) }",
    "repeat 2 tied { repeat 1..2 tied { %s } }",
    "residual { %s }",
    "residual(shortcut = pad) { %s }",
    "parallel(merge = add | concat) { %s; relu; identity }",
    "dag { one = { %s } from input; output = concat from any(1..2, earlier) }",
    "dag { one = { %s } from input; two = relu from any(1, earlier); output = add from unused }",
    "cell(nodes = 3, merge = add) { %s }",
    "cell(inputs = 2, nodes = 4, edges = any(2), output = concat unused) { %s }",
    "permute { a: { %s }; relu; b: gelu? }",
    "pick 0..2 of { a: { %s }; relu; gelu }",
    "with(weight = plain | low_rank(rank = 1..4)) { %s }",
    "frozen { %s }",
    "{ %s } | identity",
    "{ %s }?",
    "{ let one = 1 | 2; if one > 1 { %s } else { relu? } }",
)


def changed(rng: random.Random, text: str) -> str:
    """A text with one more change; as it is where it does not parse or has no such place."""
    with deep_recursion():
        try:
            file = parse(text, "fuzz")
        except SpaceError:
            return text
        return rng.choice(_WAYS)(rng, text, list(_nodes(file)))


def _nodes(node: object) -> Iterator[s.Syntax]:
    """A node and all below it."""
    if isinstance(node, s.Syntax):
        yield node
    if isinstance(node, Node):
        for name in node._fields:
            yield from _nodes(getattr(node, name))
    elif isinstance(node, tuple):
        for part in node:
            yield from _nodes(part)


def _text_of(node: s.Syntax, text: str) -> str:
    return text[node.span.start : node.span.end]


def _put(text: str, node: s.Syntax, other: str) -> str:
    """The text with another in the place of a node."""
    return text[: node.span.start] + other + text[node.span.end :]


def _one(rng: random.Random, nodes: list[s.Syntax], *kinds: type[s.Syntax]) -> s.Syntax | None:
    found = [node for node in nodes if isinstance(node, kinds)]
    return rng.choice(found) if found else None


def _statements(nodes: list[s.Syntax]) -> list[s.Syntax]:
    """What stands in a body."""
    return [one for node in nodes if isinstance(node, s.Block) for one in node.statements]


def _number(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """A number becomes one near to it, or a decision."""
    node = _one(rng, nodes, s.Number)
    if node is None:
        return text
    value = getattr(node, "value", 0)
    near = (
        [str(n) for n in (value + 1, 2 * value, value // 2, max(0, value - 1))] if type(value) is int else []
    )
    return _put(text, node, rng.choice([*near, *near, *NUMBERS]))


def _answer(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """An alternative comes, goes or gets a weight; a value becomes a decision."""
    node = _one(rng, nodes, s.Choice, s.Choice, s.Argument, s.Range)
    if isinstance(node, s.Choice):
        given = [_text_of(one, text) for one in node.alternatives]
        match rng.randrange(4):
            case 0 if len(given) > 2:
                del given[rng.randrange(len(given))]
            case 1:
                given.insert(rng.randrange(len(given)), rng.choice(given))
            case 2:
                rng.shuffle(given)
            case _:
                at = rng.randrange(len(given))
                given[at] = f"{given[at].split(' @ ')[0]} @ {rng.choice((0, 1, 0.5, 3))}"
        return _put(text, node, " | ".join(given))
    if isinstance(node, s.Range):
        low, high = _text_of(node.low, text), _text_of(node.high, text)
        others = (f"{low}..{high}", f"{low}..{high} log", f"{low}..{high} step 2", f"{low} | {high}", high)
        return _put(text, node, rng.choice(others))
    if isinstance(node, s.Argument):
        value = _text_of(node.value, text)
        other = rng.choice((f"({value})?", f"{value} | {rng.choice(NUMBERS)}", rng.choice(NUMBERS)))
        return _put(text, node.value, other)
    return text


def _statement(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """A statement goes, comes twice, changes places with another or makes room for a layer."""
    found = _statements(nodes)
    if not found:
        return text
    node, other = rng.choice(found), rng.choice(found)
    said = _text_of(node, text)
    match rng.randrange(5):
        case 0:
            return _put(text, node, "identity")
        case 1:
            return _put(text, node, f"{said}\n{said}")
        case 2:
            first, last = sorted((node, other), key=lambda one: one.span.start)
            if first.span.end > last.span.start:
                return text
            return _put(_put(text, last, _text_of(first, text)), first, _text_of(last, text))
        case 3:
            return _put(text, node, f"{said}\n{rng.choice(LAYERS)}")
        case _:
            return _put(text, node, rng.choice(LAYERS))


def _body(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """A statement, or all of a body, is put into another body."""
    block = _one(rng, nodes, s.Block)
    if isinstance(block, s.Block) and block.statements and rng.random() < 0.3:
        inner = text[block.statements[0].span.start : block.statements[-1].span.end]
        body = rng.choice(BODIES) % f"\n{inner}\n"
        return text[: block.statements[0].span.start] + body + text[block.statements[-1].span.end :]
    found = [one for one in _statements(nodes) if not isinstance(one, s.Let | s.Wire)]
    found += [one.value for one in nodes if isinstance(one, s.Wire)]
    if not found:
        return text
    node = rng.choice(found)
    return _put(text, node, rng.choice(BODIES) % _text_of(node, text))


def _wire(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """A wire of a dag comes from others, or there is one more."""
    wires = [node for node in nodes if isinstance(node, s.Wire) and node.sources]
    if not wires:
        return _body(rng, text, nodes)
    node = rng.choice(wires)
    names = ["input", "unused", *(".".join(wire.target) for wire in wires if wire.target[0] != "output")]
    sources = rng.choice(
        (
            rng.choice(names),
            f"{rng.choice(names)}, {rng.choice(names)}",
            f"any({rng.choice(('1', '2', '1..2', '0..3', '1 | 3'))}, earlier)",
            f"any(1, earlier), {rng.choice(names)}",
        )
    )
    if rng.random() < 0.3:
        extra = f"more{rng.randrange(9)} = {rng.choice(LAYERS)} from {sources}\n"
        return text[: node.span.start] + extra + text[node.span.start :]
    first, last = node.sources[0].span.start, node.sources[-1].span.end
    return text[:first] + sources + text[last:]


def _call(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """A statement moves into a block of its own; the block counts down, takes a wire or a number."""
    found = [one for one in _statements(nodes) if isinstance(one, s.Do)]
    network = _one(rng, nodes, s.Network)
    if not found or network is None:
        return text
    node, name = rng.choice(found), f"moved_{rng.randrange(99)}"
    said = _text_of(node, text)
    block, use = rng.choice(
        (
            (f"block {name} {{\n{said}\n}}", name),
            (f"block {name}(w = 2 | 4) {{\n{said}\nconv2d(w)?\n}}", f"{name}(w = 1 | 3)"),
            (
                f"block {name}(n) {{\nif n > 0 {{ {name}(n - 1); relu? }} else {{ {said} }}\n}}",
                f"{name}(0..3)",
            ),
            (
                f"block {name}(a: wire) {{\ndag {{ x = {{ {said} }} from a; output = concat from any(1..2, earlier) }}\n}}",
                name,
            ),
        )
    )
    text = _put(text, node, use)
    at = min(item.span.start for item in nodes if isinstance(item, s.Network | s.BlockDefinition))
    return f"{text[:at]}{block}\n{text[at:]}"


def _require(rng: random.Random, text: str, nodes: list[s.Syntax]) -> str:
    """One line more of what must hold."""
    names = [node.name for node in nodes if isinstance(node, s.Let | s.BlockDefinition)]
    names += [node.label for node in nodes if isinstance(node, s.Labelled)]
    names += [node.name for node in nodes if isinstance(node, s.Argument) and node.name]
    line = _comparison(rng, names)
    while rng.random() < 0.4:
        line = f"{line} {rng.choice(('and', 'or', 'and not', 'or not'))} {_comparison(rng, names)}"
    return f"{text}\nrequire {line}\n"


def _comparison(rng: random.Random, names: list[str]) -> str:
    kind = rng.randrange(6)
    sign = rng.choice(("<=", ">=", "<", ">", "==", "!="))
    number = str(round(10 ** rng.uniform(0, 8)) if kind < 3 else round(10 ** rng.uniform(-0.5, 2.5), 1))
    if kind < 3 or not names:
        first, other = rng.choice(QUANTITIES), rng.choice(QUANTITIES)
        return rng.choice(
            (f"{first} {rng.choice(('<=', '>='))} {number}",) * 4 + (f"{first} {sign} {other} + 10",)
        )
    one, other = rng.choice(names), rng.choice(names)
    return rng.choice(
        (
            f"{one} {sign} {number}",
            f"all({one}) {sign} {number}",
            f"{rng.choice(('max', 'min', 'sum'))}({one}) {sign} {number}",
            f"{one} {sign} {other}",
            f"sum({one} * {other}) {sign} {number}",
        )
    )


_Way = Callable[[random.Random, str, list[s.Syntax]], str]
_WAYS: tuple[_Way, ...] = (
    _number,
    _number,
    _answer,
    _answer,
    _statement,
    _statement,
    _body,
    _body,
    _wire,
    _call,
    _require,
)
