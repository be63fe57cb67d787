"""What the training of a network takes in memory at least, layer by layer, so that a limit on `train_memory` prunes.

What it takes exactly is known of a finished network alone, where values that two layers keep count once (memory.py).
Here are the parts that no other layer has: the weights with their gradients and the states of the optimizer, and of
what a layer keeps all that is its own. They add up, and no network takes less.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nasdsl.language.decisions import Integers, Options, Reals
from nasdsl.language.memory import STATES, states
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Shape
from nasdsl.language.signatures.kept_in_place import kept_in_place
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.table import LAYERS, TRAINING
from nasdsl.language.signatures.weighing import FROZEN, costs
from nasdsl.language.terms import may_be_nothing, outcomes
from nasdsl.language.tree import (
    Apply,
    Assign,
    Constant,
    Feed,
    Inputs,
    Keep,
    Make,
    RangeHole,
    Sequence,
    Statement,
    Term,
    ValueTerm,
)
from nasdsl.language.vocabulary import every_node

_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Footprint:
    """The bytes that one operation adds at least. `states`: numbers that the optimizer keeps of each trained weight,
    at least; `batch`: the fewest samples at once; `learns`: whether a gradient reaches all layers."""

    states: int
    batch: int
    learns: bool

    def __call__(self, row: Signature, arguments: dict[str, Value], source: Shape, target: Shape) -> int:
        weights = costs(row, arguments, (source,), target)
        if not self.learns:
            return _FLOAT * weights.params
        numbers = weights.params + weights.trainable * (1 + self.states)
        return _FLOAT * (numbers + self.batch * _own(row, arguments, source, target))


def _own(row: Signature, arguments: dict[str, Value], source: Shape, target: Shape) -> int:
    """Numbers of one sample that an operation keeps and no other does; of a body with several uses, nothing."""
    if row.uses != 1 or row.name not in LAYERS:
        return 0
    kept = kept_in_place(row.name, arguments, (source,), target)
    output = target.numel() if kept.output and not kept.alias else 0
    assert isinstance(output, int)
    return kept.inner + output


def footprint(program: Statement) -> Footprint:
    """The least costs of a checked program."""
    optimizers = _values(program, "optimizer")
    batches = _values(program, "batch_size")
    return Footprint(
        min((_states(one) for one in optimizers), default=0),
        max(1, min((_least(one) for one in batches), default=1)),
        _all_learn(program),
    )


def _values(program: Statement, name: str) -> list[Value | ValueTerm]:
    """All that a setting can be; its default too, unless every point sets it."""
    found: list[Value | ValueTerm] = []
    for node in every_node(program):
        if isinstance(node, Assign) and node.name == name:
            found += outcomes(node.value)
    is_sure = any(one.name == name and not may_be_nothing(one.value) for one in _settled(program))
    return found if is_sure else [*found, TRAINING[name].arguments[0].default]


def _settled(statement: Statement) -> Iterator[Assign]:
    """The settings that every point gives."""
    if isinstance(statement, Assign):
        yield statement
    elif isinstance(statement, Sequence):
        for item in statement.items:
            yield from _settled(item)


def _states(optimizer: Value | ValueTerm) -> int:
    match optimizer:
        case Spec():
            return states(optimizer)
        case Constant(value=Spec() as spec):
            return states(spec)
        case Make(signature=signature) if signature.name in STATES:
            return STATES[signature.name]({})  # those that momentum adds are left out
        case _:
            return 0


def _least(batch: Value | ValueTerm) -> int:
    """The fewest samples that a batch can have; 1 where that is not known."""
    match batch:
        case int(number) | Constant(value=int(number)):
            return number
        case RangeHole(domain=Integers(low=low)):
            return low
        case RangeHole(domain=Options(values=values)):
            return min((int(one) for one in values if isinstance(one, int | float)), default=1)
        case RangeHole(domain=Reals()) | _:
            return 1


def _all_learn(program: Statement) -> bool:
    """Whether a gradient certainly reaches every layer: the first one is trained, and nothing cuts a wire off."""
    if any(isinstance(node, Inputs | Keep | Feed) or _cuts(node) for node in every_node(program)):
        return False
    first = next(_layers(program), None)
    return isinstance(first, Apply) and first.signature.weighted and FROZEN not in dict(first.arguments)


def _cuts(node: object) -> bool:
    return isinstance(node, Apply | Make) and node.signature.name == "zero"


def _layers(statement: Term) -> Iterator[Statement]:
    """What stands in a row from the beginning."""
    if isinstance(statement, Sequence):
        for item in statement.items:
            yield from _layers(item)
    elif isinstance(statement, Statement) and type(statement).__name__ not in ("Enter", "Open", "Assign"):
        yield statement
