"""Shapes over the whole space at once: every wire as intervals, through every alternative.

Finds what can never work (an error, with the shapes that led there) and tells whether anything
can fail at all: where nothing can, a walk needs no look-ahead.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from nasdsl.language.adapting import adapt, same_shape
from nasdsl.language.answers import answer
from nasdsl.language.configuration import MAX_COPIES
from nasdsl.language.estimates import (
    COMBINATIONS,
    Copies,
    OutOfReach,
    Survey,
    Wires,
    high_of,
    low_of,
    product_size,
    shape_values,
    values_of,
    values_or_calls,
)
from nasdsl.language.misfits import need_fitting_weight
from nasdsl.language.network import Value
from nasdsl.language.scope import Problems
from nasdsl.language.shapes import INFINITE, Shape, hull_shape, interval, lower, same, upper
from nasdsl.language.signatures.signature import ShapeError, Signature
from nasdsl.language.signatures.structure import adapts_input
from nasdsl.language.tree import (
    Apply,
    ApplyValue,
    Around,
    Assign,
    Branch,
    Cell,
    ChoiceHole,
    Choosing,
    Feed,
    Finish,
    Fork,
    Inputs,
    Join,
    Keep,
    Loop,
    Make,
    OptionalHole,
    Outer,
    Permute,
    Pick,
    Previous,
    Refuse,
    Remember,
    Residual,
    Sequence,
    Sources,
    Statement,
    Use,
    ValueTerm,
)
from nasdsl.language.unsuited import refuse_unsuited

_FIXPOINT = 8  # copies of a repeat followed one by one before the ends are let go
_DEPTH = 40  # uses inside one another followed before shapes are given up


def survey(
    problems: Problems, program: Statement, inputs: Mapping[str, Wires], quantities: Mapping[str, Value]
) -> bool:
    """Report what can never work; return whether some point can fail. The first input flows."""
    found = Survey(problems, quantities, inputs)
    found.parameters.append({})
    found.cells.append({})
    try:
        _flow(found, program, next(iter(inputs.values())))
    except OutOfReach:
        return True  # what was found so far is true; the rest is left to the walk, which looks at each point
    for key, (message, span, help) in found.doubtful.items():
        if key in found.fitted:
            avoided = "it fits elsewhere: points that come here are never drawn"
            problems.warn("shape-mismatch", message, span, *help, avoided)
        elif key not in found.reported:
            problems.error("shape-mismatch", message, span, *help)
    return found.can_fail


def _flow(v: Survey, term: Statement, wires: Wires) -> Wires:
    """What comes out of a statement; an empty result: nothing gets through."""
    if not wires:
        return wires
    v.step()
    out = _through(v, term, wires)
    if not isinstance(
        term, Join | Keep | Feed | Previous | Remember | Inputs
    ):  # whose own wires are not those of the statement they are part of
        v.problems.facts.flow(term.span, wires, out)
    return out


def _through(v: Survey, term: Statement, wires: Wires) -> Wires:
    match term:
        case Sequence(items=items):
            for item in items:
                wires = _flow(v, item, wires)
            return wires
        case Apply(signature=signature, arguments=arguments, checks=checks):
            refuse_unsuited(v, checks, dict(arguments), term.span)
            return _apply(v, term, signature, arguments, wires)
        case ApplyValue(value=value):
            return _apply_value(v, term, value, wires)
        case Fork(bodies=bodies):
            return _decided(v, list(bodies.values()), wires)
        case Branch():
            return _branch(v, term, wires)
        case Loop():
            return _loop(v, term, wires)
        case Use():
            return _use(v, term, wires)
        case Residual(body=body, merge=merge):
            return _merge(v, merge.shortcut, term, wires, _flow(v, body, wires))
        case Around(close=close):
            refuse_unsuited(v, close.checks, dict(close.arguments), term.span)
            return _around(v, term, wires)
        case Keep(cell=cell):
            v.cells[-1][cell] = wires
            return wires
        case Join():
            return _join_parts(v, term, wires)
        case Feed():
            return _feed(v, term)
        case Previous(cell=cell):
            v.cells[-1][cell] = _previous(v, term, wires)
            return wires
        case Remember(given=given):
            v.before = _join([v.before, v.cells[-1][given]])
            return wires
        case Inputs(cells=cells):
            named = v.inputs if len(cells) > 1 else dict.fromkeys(cells, wires)
            v.cells[-1] |= {cell: named[name] for name, cell in cells.items()}
            return named[next(iter(cells))]
        case Permute(members=members) | Pick(members=members):
            return _unordered(v, list(members.values()), wires)
        case Assign(name=name, value=value, checked=checked):
            refuse_unsuited(v, (checked,) if checked else (), {name: value}, term.span)
            return wires
        case Refuse():
            v.can_fail = True
            return {}
        case Finish():
            return _finish(v, term, wires)
        case _:
            return wires


def _branch(v: Survey, term: Branch, wires: Wires) -> Wires:
    """The branch that is certain, or both."""
    holds = values_of(v, term.condition)
    bodies = [term.then, term.otherwise]
    if len(holds) == 1 and isinstance(holds[0], bool):
        bodies = bodies[:1] if holds[0] else bodies[1:]
    return _decided(v, bodies, wires)


def _decided(v: Survey, bodies: list[Statement | None], wires: Wires) -> Wires:
    """The bodies of which a decision takes one, or the one that is certain."""
    several = len(bodies) > 1
    v.decided += several
    joined = _join([wires if body is None else _alternative(v, body, wires) for body in bodies])
    v.decided -= several
    return joined


def _alternative(v: Survey, body: Statement, wires: Wires) -> Wires:
    """One of several bodies; what it adds to the trail is not on the way of the others."""
    length = len(v.trail)
    out = _flow(v, body, wires)
    del v.trail[length:]
    return out


def _join(several: Any) -> Wires:
    joined: dict[str, Shape] = {}
    for wires in several:
        for layout, shape in wires.items():
            known = joined.get(layout)
            both = shape if known is None else hull_shape(known, shape)
            joined[layout] = shape if both is None else both
    return joined


# --- operations -----------------------------------------------------------------------------


def _apply(
    v: Survey, term: Statement, row: Signature, arguments: tuple[tuple[str, ValueTerm], ...], wires: Wires
) -> Wires:
    _share(v, term, row, wires)
    outs, errors, misfits = [], [], []
    for given in combinations_of(v, row, arguments):
        v.step()
        for shape in wires.values():
            try:
                outs.append(_shaped(v, row, given, shape))
            except ShapeError as error:
                errors.append((error, shape))
                continue
            try:
                need_fitting_weight(v, row, dict(arguments), shape, outs[-1])
            except ShapeError as error:
                misfits.append(error)  # the shapes that follow are what they are all the same
    misfit = misfits[0] if misfits and len(misfits) == len(outs) else None
    _judge(v, term, (row.name, id(arguments)), misfit or (errors[0][0] if errors and not outs else None))
    v.can_fail = v.can_fail or bool(errors or misfits)
    joined = _join({shape.layout: shape} for shape in outs)
    v.trail.append((term.span, row.name, " or ".join(str(shape) for shape in joined.values())))
    return joined


def combinations_of(
    v: Survey, row: Signature, arguments: tuple[tuple[str, ValueTerm], ...]
) -> list[dict[str, Any]]:
    """All that the arguments can be together, those that no shape depends on by their default."""
    choices = []
    for name, argument in arguments:
        wanted = row.by_name.get(name)
        choices.append(shape_values(v, argument, wanted) if wanted and wanted.shapes else [None])
    combinations = list(product(*choices)) if product_size(choices) <= COMBINATIONS else []
    if not combinations:
        v.can_fail = True
        combinations = [tuple(c[0] for c in choices)]
    defaults = {a.name: a.default for a in row.arguments}
    names = [name for name, _ in arguments]
    return [
        defaults | {n: d for n, d in zip(names, combination, strict=True) if d is not None}
        for combination in combinations
    ]


def _around(v: Survey, term: Around, wires: Wires) -> Wires:
    """An operation around a body, for each shape and each of its own arguments apart."""
    row, outs, errors = term.close.signature, list[Shape](), list[ShapeError]()
    _share(v, term, row, wires)
    for given in combinations_of(v, row, term.close.arguments):
        for shape in wires.values():
            try:
                inner = row.inner(given, (shape,), v.need) if row.inner else shape
                for out in _alternative(v, term.body, {inner.layout: inner}).values():
                    before = adapts_input(given)
                    outs.append(out if before else _shaped(v, row, given, shape, out))
            except ShapeError as error:
                errors.append(error)
    _judge(v, term, row.name, errors[0] if errors and not outs else None)
    v.can_fail = v.can_fail or bool(errors)
    joined = _join({shape.layout: shape} for shape in outs)
    v.trail.append((term.span, row.name, " or ".join(str(shape) for shape in joined.values())))
    return joined


def _share(v: Survey, term: Statement, row: Signature, wires: Wires) -> None:
    """In a shared repeat an operation must get as many channels in each copy."""
    for copies in v.sharing:
        if row.params is None or row.name in copies.apart or copies.depth != len(v.parameters):
            continue
        first = copies.first.setdefault(id(term), wires)
        fits = (same(a.channels, b.channels) for a in first.values() for b in wires.values())
        if all(verdict is False for verdict in fits):
            one, other = (" or ".join(str(shape) for shape in w.values()) for w in (first, wires))
            help = "bring the wire back to its first width at the end of the copy, or name the operation after `except`"
            message = (
                f"copies of a shared repeat need equal weight shapes: `{row.name}` gets {one}, then {other}"
            )
            _judge(v, term, "shared", ShapeError(message, help))


def _shaped(v: Survey, row: Signature, arguments: dict[str, Any], *shapes: Shape) -> Shape:
    assert row.shape is not None
    return row.shape(arguments, shapes, v.need)


def _judge(v: Survey, term: Statement, part: object, error: ShapeError | None) -> None:
    """Report what cannot fit where it stands. On a branch that a decision takes, other answers may avoid it: it is an
    error there if it, or the `part` of it that is meant, fits nowhere."""
    key = (id(term), part)
    if error is None:
        v.fitted.add(key)
        return
    if id(term) in v.reported or v.uncertain:
        return
    if not v.decided:
        v.reported |= {id(term), key}
    chain = [
        f"{v.problems.where(span).removeprefix('on ')}: `{op}` gives {shape}"
        for span, op, shape in v.trail[-6:]
        if shape
    ]
    lines = [error.help] if error.help else []
    if chain:
        lines.append("the shapes that led here: " + "; ".join(chain))
    if v.decided:
        v.doubtful.setdefault(key, (str(error), term.span, lines))
    else:
        v.problems.error("shape-mismatch", str(error), term.span, *lines)


def _apply_value(v: Survey, term: ApplyValue, value: ValueTerm, wires: Wires) -> Wires:
    match value:
        case Outer(inner=inner):
            return _apply_value(v, term, inner, wires)
        case Make(signature=signature, arguments=arguments):
            refuse_unsuited(v, (), {"": value}, term.span)
            return _apply(v, term, signature, arguments, wires)
        case ChoiceHole(options=options):
            return _join(_apply_value(v, term, option, wires) for option in options.values())
        case OptionalHole(inner=inner):
            return _join([wires, _apply_value(v, term, inner, wires)])
        case _:
            v.can_fail = True
            return wires


def _merge(v: Survey, shortcut: ValueTerm, term: Residual, wires: Wires, inner: Wires) -> Wires:
    outs, errors = [], []
    for target in inner.values():
        for source in wires.values():
            if same_shape(source, target) is True:
                outs.append(target)
                continue
            for way in _ways(v, shortcut):
                try:
                    _adapted(v, way, source, target)
                    outs.append(target)
                except ShapeError as error:
                    errors.append(error)
    _judge(v, term, "residual", errors[0] if errors and not outs else None)
    v.can_fail = v.can_fail or bool(errors)
    return _join({shape.layout: shape} for shape in outs)


def _ways(v: Survey, shortcut: ValueTerm) -> list[str]:
    """What a shortcut can be. One that is decided is asked only where shapes differ, which a walk that works out
    no shapes cannot tell."""
    ways = [str(way) for way in values_of(v, shortcut)] or ["project", "pad", "error"]
    v.can_fail = v.can_fail or len(ways) > 1
    return ways


def _adapted(v: Survey, shortcut: str, source: Shape, target: Shape) -> None:
    if shortcut == "error" and same_shape(source, target) is None:
        v.can_fail = True
        return
    adapt(shortcut, source, target, v.need)


def _join_parts(v: Survey, term: Join, wires: Wires) -> Wires:
    """Every set of wires that can be joined, while there are few; else nothing is claimed."""
    outs: list[list[Shape]] = []
    for part in term.sources.parts:
        source = v.cells[-1].get(part.source, wires)
        through = source if part.body is None else _alternative(v, part.body, source)
        outs.append(list(through.values()))
    sets = _sets(v, term.sources)
    found: list[Shape] = []
    errors: list[ShapeError] = []
    for numbers in sets[:COMBINATIONS]:
        for shapes in product(*(outs[number] for number in numbers)):
            v.step()
            try:
                found.append(_joined_shape(v, term, shapes))
            except ShapeError as error:
                errors.append(error)
    v.can_fail = v.can_fail or bool(errors) or len(sets) > COMBINATIONS or _may_read_twice(term.sources)
    _judge(v, term, term.merge.name, errors[0] if errors and not found else None)
    return _join({shape.layout: shape} for shape in found)


def _may_read_twice(sources: Sources) -> bool:
    """Whether `any` offers what `unused` reads, in some points."""
    spare = {part.source for part in sources.parts if part.spare}
    return any(not part.spare and part.source in spare for part in sources.parts)


def _sets(v: Survey, sources: Sources) -> list[tuple[int, ...]]:
    """The parts that may take part. Where some are spare: all, and one alone with those that are sure;
    whatever joins wires takes any of them if it takes all, and gives a shape in between."""
    spare = [number for number, part in enumerate(sources.parts) if part.spare]
    sure = tuple(number for number in sources.sure if number not in spare)
    several = [sources.sure]
    if spare:
        several += [sure] if sure else [(number,) for number in spare]
    for one in sources.choosings:
        picked = [numbers for count in _counts(v, one) for numbers in one.subsets[count].chosen.values()]
        several = [first + numbers for first in several for numbers in picked[: COMBINATIONS + 1]]
        del several[COMBINATIONS + 1 :]
    return [tuple(sorted(numbers)) for numbers in several if numbers]


def _counts(v: Survey, choosing: Choosing) -> list[int]:
    """How many wires may be chosen, of the numbers that there are decisions for."""
    if choosing.count is None:
        return list(choosing.subsets)
    values = values_of(v, choosing.count)
    known = [n for n in values if isinstance(n, int)]
    v.can_fail = (
        v.can_fail or len(known) < max(len(values), 1) or any(n not in choosing.subsets for n in known)
    )
    exact = len(known) == len(values) and known
    return [n for n in known if n in choosing.subsets] if exact else list(choosing.subsets)


def _feed(v: Survey, term: Feed) -> Wires:
    chosen, parts = _sets(v, term.sources), term.sources.parts
    cells = v.cells[-1]
    for place, cell in enumerate(term.into):
        cells[cell] = _join(cells.get(parts[numbers[place]].source, {}) for numbers in chosen)
    return cells[term.into[0]]


def _previous(v: Survey, term: Previous, wires: Wires) -> Wires:
    """The second input of a cell: what it is brought to is the shape of the first. That it cannot be
    is no error here: which cell comes before, if any, may be for a decision to say."""
    for source, target in product(v.before.values(), wires.values()):
        try:
            if same_shape(source, target) is not True:
                for way in _ways(v, term.shortcut):
                    _adapted(v, way, source, target)
        except ShapeError:
            v.can_fail = True
    return wires


def _joined_shape(v: Survey, term: Join, shapes: tuple[Shape, ...]) -> Shape:
    if len(shapes) == 1:
        return shapes[0]

    assert term.merge.shape is not None
    return term.merge.shape(term.arguments, shapes, v.need)


def _finish(v: Survey, term: Finish, wires: Wires) -> Wires:
    if term.outputs:
        return wires
    wanted = answer(v.quantities)
    fine = {}
    for layout, shape in wires.items():
        verdict = same_shape(shape, wanted)
        if verdict is not True:
            v.can_fail = v.can_fail or not (verdict is None and not wanted.concrete)
        if verdict is not False:
            fine[layout] = shape
    if wires and not fine:
        last = " or ".join(str(shape) for shape in wires.values())
        message = f"the network ends with {last}, and the task asks for {wanted}"
        v.problems.error("wrong-output", message, term.span, _ending(wires, wanted))
    return fine


def _ending(wires: Wires, wanted: Shape) -> str:
    """How a network could end instead."""
    if wanted.spatial:
        return _ending_in_a_map(wires, wanted)
    if wanted.layout == "tokens" and "tokens" not in wires:
        return "keep the tokens to the end, without pooling, `take_token` or `flatten`: `linear(outputs)`"
    if wanted.layout != "vector" or all(shape.layout == wanted.layout for shape in wires.values()):
        return "end it with `linear(outputs)`"
    gather = "`take_token` or `global_avg_pool`" if "tokens" in wires else "`global_avg_pool` or `flatten`"
    return f"make one vector of it by {gather}, and end it with `linear(outputs)`"


# What gives each position of a map its own numbers.
_PER_POSITION = {
    "image": "`conv2d(outputs, kernel = 1)`",
    "sequence": "`conv1d(outputs, kernel = 1)`",
    "volume": "`conv3d(outputs, kernel = 1)`",
}


def _ending_in_a_map(wires: Wires, wanted: Shape) -> str:
    """What is wrong with the end first: no map at all, another size, other channels."""
    last = wires.get(wanted.layout)
    if last is None:
        return (
            "keep the map to the end, without `flatten` or `global_avg_pool`: " + _PER_POSITION[wanted.layout]
        )
    if last.spatial != wanted.spatial:
        return (
            "bring the map back to the size of the input: `upsample(2)` for each `max_pool(2)` or `stride = 2`"
            " before it, and `padding = same`"
        )
    return f"end it with {_PER_POSITION[wanted.layout]}"


# --- repetition -----------------------------------------------------------------------------


def _loop(v: Survey, term: Loop, wires: Wires) -> Wires:
    counts = [n for n in values_of(v, term.count) if n is not None]
    least = min((low_of(n) for n in counts), default=0)
    highest = max((high_of(n) for n in counts), default=MAX_COPIES)
    if not counts:
        v.can_fail = True
    reached: list[Wires] = [wires] if least <= 0 else []
    copies = 0
    if term.shared:
        v.sharing.append(Copies(term.apart, len(v.parameters)))
    while copies < highest and wires:
        length = len(v.trail)
        if term.index is not None:
            last = int(min(highest, INFINITE))
            index = copies + 1 if copies < _FIXPOINT else interval(copies + 1, max(copies + 1, last))
            v.parameters[-1][term.index] = [index]
        before = v.before
        spare = copies >= max(least, 1)  # a copy that need not be there may fail
        v.uncertain += spare
        after = _flow(v, term.body, wires)
        v.uncertain -= spare
        if copies >= 1:
            del v.trail[length:]
        copies += 1
        v.can_fail = v.can_fail or (term.shared and not _is_steady(term, wires, after))
        if copies >= least:
            reached.append(after)
        if after == wires and v.before == before and (term.index is None or copies > _FIXPOINT):
            reached.append(after)
            break
        wires = after if copies < _FIXPOINT else _let_go(wires, after)
    if term.shared:
        v.sharing.pop()
    return _join(reached)


def _is_steady(term: Loop, before: Wires, after: Wires) -> bool:
    """Whether every copy gets what the first one got, so that all weights fit."""
    known = len(before) == 1 and all(shape.concrete for shape in before.values())
    return known and before == after and term.index is None


def _let_go(before: Wires, after: Wires) -> Wires:
    """Widen what still changes to all sizes, so that a long repeat comes to rest."""
    widened = {}
    for layout, shape in after.items():
        old = before.get(layout, shape)
        dims = tuple(
            b if a == b else interval(1 if lower(b) < lower(a) else lower(a), _loose(upper(a), upper(b)))
            for a, b in zip(old.dims, shape.dims, strict=True)
        )
        widened[layout] = shape if dims == shape.dims else Shape(dims, layout, shape.symbols)
    return widened


def _loose(before: int, after: int) -> int:
    return INFINITE if after > before else before


def _use(v: Survey, term: Use, wires: Wires) -> Wires:
    if len(v.parameters) > _DEPTH:
        v.can_fail = True
        return wires
    cells = {i + 1: values_or_calls(v, argument) for i, argument in enumerate(term.arguments)}
    given = tuple(tuple(values) for values in cells.values())
    named = {i + 1: v.cells[-1].get(slot, {}) for i, slot in _wires_of(term)}
    shapes = tuple(tuple(one.items()) for one in (wires, v.before, *named.values()))
    key = (id(term.definition), given, shapes, v.uncertain > 0, v.decided > 0)
    if key not in v.uses:
        v.parameters.append(cells)
        v.cells.append(named)
        assert term.definition.body is not None
        v.uses[key] = _flow(v, term.definition.body, wires)
        v.parameters.pop()
        v.cells.pop()
    return v.uses[key]


def _wires_of(term: Use) -> list[tuple[int, int]]:
    """The arguments that are wires: which, and the cells that they come from."""
    names = term.definition.parameters
    return [
        (number, argument.slot)
        for number, (name, argument) in enumerate(zip(names, term.arguments, strict=True))
        if name in term.definition.wires and isinstance(argument, Cell)
    ]


def _unordered(v: Survey, members: list[Statement], wires: Wires) -> Wires:
    """Members in an order not known: all shapes that any number of them can lead to."""
    reached = wires
    v.uncertain += 1
    for _ in members:
        length = len(v.trail)
        reached = _join([reached, *(_flow(v, member, reached) for member in members)])
        del v.trail[length:]
    v.uncertain -= 1
    return reached
