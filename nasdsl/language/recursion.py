"""Blocks that use themselves, directly or through others: allowed only where it must end."""

from __future__ import annotations

from collections.abc import Iterator

import nasdsl.language.syntax as s
from nasdsl.language.scope import Checker

DEPTH = "max_depth"
MOST_DEEP = 50  # that it may say: what a check goes through in its time


def carries_depth(block: s.BlockDefinition) -> bool:
    """Whether a block uses itself with `max_depth = n`, which is not a parameter of its own."""
    uses = _uses(block.body, {block.name: block}, ())
    return all(p.name != DEPTH for p in block.parameters) and any(_is_limited(call) for call, _ in uses)


def _is_limited(call: s.Call) -> bool:
    return any(argument.name == DEPTH for argument in call.arguments)


def refuse_unbounded(c: Checker, blocks: list[s.BlockDefinition]) -> None:
    """Report each block that can use itself without passing a smaller number under an `if`."""
    by_name = {block.name: block for block in blocks}
    uses = {block.name: list(_uses(block.body, by_name, ())) for block in blocks}
    cycles = _cycles({name: {call.name for call, _ in found} for name, found in uses.items()})
    for name, found in uses.items():
        for call, conditions in found:
            if cycles[call.name] == cycles[name] and not (
                call.name == name
                and (_shrinks(by_name[name], call, conditions) or (name in c.bounded and _is_limited(call)))
            ):
                through, help = (
                    "itself",
                    f"say how deep it may stand in itself, `{name}(max_depth = 3)`, or pass a smaller whole number, "
                    f"as in `{name}(depth - 1)`, under `if depth > 0 {{ }}`",
                )
                if call.name != name:
                    through = f"itself through `{call.name}`"
                    help = f"let one block use itself, with what `{call.name}` does written inside it"
                c.problems.error(
                    "unbounded-recursion",
                    f"unbounded recursion: block `{name}` uses {through}",
                    call.span,
                    help,
                )


def _cycles(direct: dict[str, set[str]]) -> dict[str, int]:
    """A number for each block: blocks that reach one another have the same one (Kosaraju's method)."""
    users: dict[str, set[str]] = {name: set() for name in direct}
    for name, called in direct.items():
        for other in called:
            users[other].add(name)
    numbers: dict[str, int] = {}
    for number, root in enumerate(reversed(_finished(direct))):
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if name not in numbers:
                numbers[name] = number
                waiting += users[name]
    return numbers


def _finished(direct: dict[str, set[str]]) -> list[str]:
    """All blocks, each after those that it reaches first."""
    order: list[str] = []
    seen: set[str] = set()
    for root in direct:
        waiting = [(root, False)]
        while waiting:
            name, is_done = waiting.pop()
            if is_done:
                order.append(name)
            elif name not in seen:
                seen.add(name)
                waiting.append((name, True))
                waiting += [(other, False) for other in sorted(direct[name])]
    return order


def _uses(
    node: object, blocks: dict[str, s.BlockDefinition], conditions: tuple[s.Value, ...]
) -> Iterator[tuple[s.Call, tuple[s.Value, ...]]]:
    """All uses of blocks below a node, with the conditions they stand under."""
    if isinstance(node, s.Name) and node.id in blocks:
        yield s.Call(node.id, span=node.span), conditions
    elif isinstance(node, s.Call) and node.name in blocks:
        yield node, conditions
    if isinstance(node, s.If):
        yield from _uses(node.then, blocks, (*conditions, node.condition))
        yield from _uses(node.otherwise, blocks, conditions)
        return
    if isinstance(node, s.Syntax):
        for name in node._fields:
            yield from _uses(getattr(node, name), blocks, conditions)
    elif isinstance(node, tuple):
        for item in node:
            yield from _uses(item, blocks, conditions)


def _shrinks(block: s.BlockDefinition, call: s.Call, conditions: tuple[s.Value, ...]) -> bool:
    """Whether a parameter gets smaller at each use, and a condition above bounds it from below."""
    for position, parameter in enumerate(p for p in block.parameters if p.kind != "wire"):
        for at, argument in enumerate(call.arguments):
            given = argument.name == parameter.name or (argument.name is None and at == position)
            if given and _is_less(argument.value, parameter.name):
                return any(_bounds(condition, parameter.name) for condition in conditions)
    return False


def _is_less(node: s.Value, name: str) -> bool:
    """`name - 1`, or any other whole number above 0."""
    match node:
        case s.Binary(operator="-", left=s.Name(id=left), right=s.Number(value=int(step))):
            return left == name and step >= 1
        case _:
            return False


def _bounds(condition: s.Value, name: str) -> bool:
    """`name > 0`, `name >= 1`, `0 < name`, also as a part of an `and`."""
    match condition:
        case s.Binary(operator="and", left=left, right=right):
            return _bounds(left, name) or _bounds(right, name)
        case s.Binary(operator=">" | ">=", left=s.Name(id=left), right=s.Number()):
            return left == name
        case s.Binary(operator="<" | "<=", left=s.Number(), right=s.Name(id=right)):
            return right == name
        case _:
            return False
