"""Whether the weight methods of a space can fail to fit their layers, before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from nasdsl.language.estimates import Range, Survey, low_of, shape_values, values_of
from nasdsl.language.network import Spec, Value
from nasdsl.language.shapes import Interval, Shape
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.language.signatures.methods import STACK
from nasdsl.language.signatures.signature import Argument, ShapeError, Signature
from nasdsl.language.signatures.weighing import can_misfit, need_weight
from nasdsl.language.tree import ChoiceHole, Constant, Make, OptionalHole, Outer, ValueTerm

_COUNTING = ("expand", "layers")  # arguments that say how many matrices there are
_SWITCHING = ("squeeze_excite", "bidirectional")


def need_fitting_weight(
    v: Survey, row: Signature, terms: Mapping[str, ValueTerm], source: Shape, target: Shape
) -> None:
    """Raise ShapeError where no alternative of the weight can fit; note in `v` where some may not."""
    if row.name not in MATRICES or "weight" not in terms:
        return
    weights = _options(v, terms["weight"])
    if weights is None:
        v.can_fail = True
        return
    if not any(can_misfit(weight) for weight in weights):
        return
    given = {
        name: _estimate(v, row.by_name[name], term)
        for name, term in terms.items()
        if name in row.by_name and name != "weight"
    }
    v.can_fail = v.can_fail or any(isinstance(given.get(name), Interval) for name in _COUNTING)
    errors = []
    for weight in weights:
        try:
            need_weight(row.name, {**given, "weight": weight}, (source,), target, v.need)
        except ShapeError as error:
            errors.append(error)
    v.can_fail = v.can_fail or bool(errors)
    if len(errors) == len(weights):
        raise errors[0]


def _options(v: Survey, term: ValueTerm) -> list[Spec] | None:
    """The weights that a term can stand for, with intervals for what is open in them; None: not known."""
    match term:
        case Constant(value=None):
            return [Spec("plain")]
        case Constant(value=Spec() as spec):
            return [spec]
        case Outer(inner=inner):
            return _options(v, inner)
        case OptionalHole(inner=inner):
            return _together([[Spec("plain")], _options(v, inner)])
        case ChoiceHole(options=options):
            return _together([_options(v, option) for option in options.values()])
        case Make(signature=signature, arguments=arguments) if signature.name == STACK:
            halves = [_options(v, argument) for _, argument in arguments]
            if any(half is None for half in halves):
                return None
            pairs = product(*(half or [] for half in halves))
            return [Spec(STACK, {"first": first, "second": second}) for first, second in pairs]
        case Make(signature=signature, arguments=arguments):
            given = {name: _estimate(v, signature.by_name[name], inner) for name, inner in arguments}
            return [Spec(signature.name, given)]
        case _:
            return None


def _together(several: list[list[Spec] | None]) -> list[Spec] | None:
    if any(one is None for one in several):
        return None
    return [spec for one in several for spec in one or []]


def _estimate(v: Survey, argument: Argument, term: ValueTerm) -> Value:
    """What a rule may take for an argument: all whole numbers as an interval, else the first or the least value,
    with a note that others may not fit."""
    if argument.kind.type in ("int", "numbers"):
        found: list[Any] = shape_values(v, term, argument)
    else:
        values = values_of(v, term)
        v.can_fail = v.can_fail or any(isinstance(one, Range | Interval) for one in values)
        found = sorted((_least(one) for one in values), key=repr)
    if not found:
        v.can_fail = v.can_fail or argument.name in _SWITCHING
        return argument.default
    if len(found) > 1 or isinstance(found[0], float):
        v.can_fail = v.can_fail or argument.kind.type != "bool" or argument.name in _SWITCHING
    first: Value = found[0]
    return first


def _least(value: Any) -> Any:
    return low_of(value) if isinstance(value, Range | Interval) else value
