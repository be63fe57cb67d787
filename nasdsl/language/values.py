"""From the syntax of a value to its term: names, calls, expressions, and the three value decisions."""

from __future__ import annotations

from dataclasses import replace

from nasdsl.language import syntax as s
from nasdsl.language.alternatives import answers_of, weights_of
from nasdsl.language.decisions import Answer, Options
from nasdsl.language.errors import Span
from nasdsl.language.expressions import FUNCTIONS, OPERATORS, fold
from nasdsl.language.habits import ARGUMENTS, CALLS, plain
from nasdsl.language.kinds import as_kind, check_constant, check_term, describe
from nasdsl.language.laws import PLACES, STEP_LAW, is_law, step_law
from nasdsl.language.network import Spec
from nasdsl.language.options import are_options, as_options, is_option
from nasdsl.language.ranges import range_hole
from nasdsl.language.remedies import for_example, sum_up
from nasdsl.language.scanner import MAX_NESTING
from nasdsl.language.scope import Checker, Scope, Wanted
from nasdsl.language.signatures import table
from nasdsl.language.signatures.matrices import MATRICES
from nasdsl.language.signatures.methods import UNDEMANDING
from nasdsl.language.signatures.signature import Argument, Kind, Signature
from nasdsl.language.stacking import is_stack, methods_in, stack
from nasdsl.language.terms import (
    bent_operands,
    children,
    mark,
    mark_bent,
    may_ask,
    may_be_nothing,
    outcomes,
    parts,
)
from nasdsl.language.tree import (
    CONTROL,
    PLAIN,
    SHAPES,
    Cell,
    ChoiceHole,
    Constant,
    Make,
    Operation,
    OptionalHole,
    Quantity,
    RangeHole,
    ValueTerm,
)

TRUTH = {"yes": True, "true": True, "no": False, "false": False}
_MOST_TERMS = 10_000  # of one value, once every let in it is written out
UNKNOWN = Constant(None)  # stands where a problem has been reported


def value(c: Checker, node: s.Value, scope: Scope, wanted: Wanted) -> ValueTerm:
    """The term of a value. Problems are reported, and something harmless comes back."""
    match node:
        case s.Number() | s.String():
            return _literal(c, node, wanted)
        case s.Name():
            return _name(c, node, scope, wanted)
        case s.Call():
            return _call(c, node, scope, wanted)
        case s.Unary(operator=operator, operand=operand):
            return _operation(c, node, f"unary {operator}", (operand,), scope, wanted)
        case s.Binary() if is_stack(node, wanted):
            return stack(c, node, scope, wanted, value)
        case s.Binary(operator=operator, left=left, right=right):
            return _operation(c, node, operator, (left, right), scope, wanted)
        case s.Range():
            return range_hole(c, node, scope, wanted, value)
        case s.Choice():
            return _choice(c, node, scope, wanted)
        case s.Optional():
            return _optional(c, node, scope, wanted)
        case s.Labelled(label=label, value=inner):
            return _labelled(c, node, label, inner, scope, wanted)
        case s.Block():
            message = "a block `{ … }` stands where a value is expected"
            c.problems.error(
                "wrong-kind", message, node.span, "give it a name at the top of the file: `block NAME { … }`"
            )
        case s.Attribute():
            help = "give the decision a name with `let` and use that name"
            if wanted.kind is not None and wanted.kind.type == "string":
                help = f'a text stands in quotes: `"{c.unparse(node)}"`'
            c.problems.error("unknown-name", "only `require` looks into a block's use", node.span, help)
    return UNKNOWN


def _labelled(
    c: Checker, node: s.Labelled, label: str, inner: object, scope: Scope, wanted: Wanted
) -> ValueTerm:
    if isinstance(inner, s.Repeat | s.Pick | s.Permute):
        help = "`repeat`, `pick` and `permute` stand on a line of their own"
        c.problems.error("wrong-kind", "a statement stands where a value is expected", node.span, help)
        return UNKNOWN
    return value(c, inner, scope, Wanted(label, wanted.kind, wanted.role))  # type: ignore[arg-type]


def _literal(c: Checker, node: s.Number | s.String, wanted: Wanted) -> ValueTerm:
    kind, found = wanted.kind, node.value
    if not check_constant(c.problems, found, kind, node.span, wanted.called):
        return UNKNOWN
    if kind is not None and kind.type == "real":
        return Constant(float(found), span=node.span)
    return Constant(found if kind is None else as_kind(found, kind), span=node.span)


def _name(c: Checker, node: s.Name, scope: Scope, wanted: Wanted) -> ValueTerm:
    kind, name = wanted.kind, node.id
    found = scope.find(name, node.span)
    if found is not None:
        if _is_too_large(c, found, node.span):
            return UNKNOWN
        found = as_options(found, kind) if kind is not None and kind.type == "name" else found
        check_term(c.problems, found, kind, node.span, wanted.called)
        mark(found, wanted.role)
        return found
    if name == STEP_LAW:
        return _law(c, node, wanted)
    if name == "outputs":
        return Quantity(name, span=node.span)
    if kind is not None and kind.type == "bool" and name in TRUTH:
        return Constant(TRUTH[name], span=node.span)
    if kind is not None and kind.type == "name":
        return _option(c, node, scope, wanted)
    if (kind is None and _is_constructor(c, name)) or _row(name, kind) is not None:
        return _call(c, s.Call(name, span=node.span), scope, wanted)
    if kind is None and name in TRUTH:
        return Constant(TRUTH[name], span=node.span)
    if kind is None and is_option(name):
        return Constant(name, span=node.span)
    if kind is not None and (name in TRUTH or name in table.SIGNATURES):
        message = f"`{wanted.called}` takes {describe(kind)}, not `{name}`"
        c.problems.error("wrong-kind", message, node.span, for_example(wanted.called, kind))
        return UNKNOWN
    if name in c.beside and name != wanted.called:
        _refuse_beside(c, node)
        return UNKNOWN
    if kind is None and name in c.blocks:
        _refuse_block(c, node)
        return UNKNOWN
    known = [*scope.visible(), *_known(kind), "outputs"]
    expected = f"; {describe(kind)} is expected here" if kind is not None else ""
    help = for_example(wanted.called, kind) if kind is not None else _value_first(name)
    c.problems.unknown("unknown-name", f"nothing is called `{name}`{expected}", node.span, name, known, help)
    return UNKNOWN


def _refuse_beside(c: Checker, node: s.Name) -> None:
    """`lora(rank = 2 | 4, scale = 8 / rank)`: an argument is no name for the others of its call."""
    name, given = node.id, c.unparse(c.beside[node.id])
    message = f"`{name}` is an argument of this call, which the other arguments cannot use as a name"
    help = f"name it first, `let {name} = {given}`, and write `{name} = {name}` here"
    c.problems.error("unknown-name", message, node.span, help)


def _value_first(name: str) -> str:
    return f'give it a value first, `let {name} = …`; if a text is meant, put it in quotes: `"{name}"`'


def _law(c: Checker, node: s.Name, wanted: Wanted) -> ValueTerm:
    """`step_law`, where a rate or a batch size is asked for."""
    if wanted.law or (wanted.kind is not None and wanted.kind.law):
        c.problems.facts.rows[node.span.start] = table.SIGNATURES[STEP_LAW]
        return Constant(step_law(), span=node.span)
    places = " and ".join(f"`{place}`" for place in PLACES)
    message = f"`{STEP_LAW}` stands for {places} in `train {{ }}`, not for `{wanted.called}`"
    help = for_example(wanted.called, wanted.kind) if wanted.kind else "write a number"
    c.problems.error("wrong-kind", message, node.span, help)
    return UNKNOWN


def _is_too_large(c: Checker, term: ValueTerm, span: Span) -> bool:
    """Report a let that grows beyond the limits: `let b = a + a` doubles what `a` is."""
    size, depth = _measured(term, c.measured)
    if depth <= MAX_NESTING and size <= _MOST_TERMS:
        return False
    limit = f"deeper than {MAX_NESTING}" if depth > MAX_NESTING else f"larger than {_MOST_TERMS:,} terms"
    help = "let fewer lets be made of one another: `2^n * width` says what doubling it n times says"
    c.problems.error("nesting-limit", f"the lets in this make it {limit}, which is the limit", span, help)
    return True


def _measured(term: ValueTerm, known: dict[int, tuple[ValueTerm, int, int]]) -> tuple[int, int]:
    """How many terms a term is made of, and how deeply they nest; lets count at each use."""
    if id(term) not in known:
        inner = [_measured(one, known) for one in children(term)]
        size = 1 + sum(size for size, _ in inner)
        known[id(term)] = (term, size, 1 + max((depth for _, depth in inner), default=0))
    return known[id(term)][1:]


def _option(c: Checker, node: s.Name, scope: Scope, wanted: Wanted) -> ValueTerm:
    kind = wanted.kind
    assert kind is not None
    if node.id in kind.options:
        return Constant(node.id, span=node.span)
    listed = ", ".join(f"`{option}`" for option in kind.options)
    message = f"`{wanted.called}` cannot be `{node.id}`; it is one of {listed}"
    c.problems.unknown(
        "unknown-option",
        message,
        node.span,
        node.id,
        [*kind.options, *scope.visible()],
        for_example(wanted.called, kind),
    )
    return UNKNOWN


def _is_constructor(c: Checker, name: str) -> bool:
    """In a space without a network every unknown call is a value of its own."""
    return not c.has_network and name not in TRUTH


def _row(name: str, kind: Kind | None) -> Signature | None:
    if kind is None:
        return table.SIGNATURES.get(name)
    return table.find(name, kind.groups) if kind.type == "call" else None


def _known(kind: Kind | None) -> list[str]:
    if kind is None:
        return list(table.SIGNATURES)
    if kind.type == "bool":
        return ["yes", "no"]
    return table.names(kind.groups) if kind.type == "call" else list(kind.options)


# --- calls ----------------------------------------------------------------------------------


def _call(c: Checker, node: s.Call, scope: Scope, wanted: Wanted) -> ValueTerm:
    if (node.name in FUNCTIONS and scope.find(node.name) is None and wanted.kind is None) or (
        node.name in FUNCTIONS and wanted.kind is not None and wanted.kind.type in ("int", "real")
    ):
        operands = tuple(a.value for a in node.arguments)
        return _operation(c, node, node.name, operands, scope, wanted)
    inner = scope.inner(wanted.name)
    row = _row(node.name, wanted.kind)
    if not c.has_network and wanted.kind is None:
        return Make(*_constructor(c, node, inner), span=node.span)
    if row is None:
        _unknown_call(c, node, wanted)
        return UNKNOWN
    if refuse_later(c, row, node.span):
        return UNKNOWN
    return make(c, row, node, inner)


def _refuse_block(c: Checker, node: s.Name | s.Call) -> None:
    """A block is a statement: what is decided once for several uses of it is a text, or a `tied` repeat."""
    name = node.id if isinstance(node, s.Name) else node.name
    message = f"a value, such as that of a `let`, cannot hold a use of the block `{name}`"
    help = (
        f'name what is chosen by a text, `let kind = "{name}" | "other"`, and use the block under it: '
        f'`if kind == "{name}" {{ {name} }}`; or decide once for all copies of `repeat 2 tied {{ … }}`'
    )
    c.problems.error("misplaced-block", message, node.span, help)


def _unknown_call(c: Checker, node: s.Call, wanted: Wanted) -> None:
    if wanted.kind is not None and wanted.kind.type != "call":
        message = f"`{wanted.called}` takes {describe(wanted.kind)}, not a call of `{node.name}`"
        help = CALLS.get(plain(node.name)) or for_example(wanted.called, wanted.kind)
        c.problems.error("wrong-kind", message, node.span, help)
        return
    if wanted.kind is None and node.name in c.blocks:
        _refuse_block(c, node)
        return
    what = " or ".join(wanted.kind.groups) if wanted.kind else "operation"
    message = f"no {what} is called `{node.name}`"
    usual = for_example(wanted.called, wanted.kind) if wanted.kind else "`nasdsl ops` lists what there is"
    help = CALLS.get(plain(node.name)) or usual
    c.problems.unknown("unknown-op", message, node.span, node.name, _known(wanted.kind), help)


def make(c: Checker, row: Signature, node: s.Call, inner: Scope) -> ValueTerm:
    """A call as a value; a Constant where nothing in it is open."""
    arguments = bind(c, row, node, inner)
    c.shares_vectors = c.shares_vectors or row.name == "intrinsic"
    return Make(row, arguments, open_checks(row, arguments), span=node.span)


def open_checks(row: Signature, arguments: tuple[tuple[str, ValueTerm], ...]) -> tuple[Argument, ...]:
    """The arguments whose values are not known to suit before they are worked out, or which may be left out."""
    given = dict(arguments)
    return tuple(one for one in row.arguments if one.name in given and needs_check(given[one.name], one))


def needs_check(term: ValueTerm, argument: Argument) -> bool:
    """Whether a value has to be looked at in each point. What decides whether it suits decides whether the
    network is one."""
    unsure = is_unsure(term, argument.kind)
    if unsure:
        mark(term, SHAPES)
    return unsure or may_be_nothing(term)


def is_unsure(term: ValueTerm, kind: Kind) -> bool:
    """Whether a value is only known to suit, and to be of the type asked for, once it is worked out."""
    if kind.type in ("int", "real", "numbers"):
        return any(_is_open(part, kind) for part in parts(term))
    return any(isinstance(one, Cell | Quantity) for one in outcomes(term))


def _is_open(part: ValueTerm, kind: Kind) -> bool:
    match part:
        case Cell() | Operation() | RangeHole(domain=None):
            return True
        case Quantity():
            return kind.type == "real"
        case RangeHole(domain=Options(values=values)):  # a real range by steps
            return kind.type != "real" and any(type(one) is float for one in values)
        case Constant(value=float()):
            return kind.type != "real"
        case _:
            return False


def _constructor(
    c: Checker, node: s.Call, inner: Scope
) -> tuple[Signature, tuple[tuple[str, ValueTerm], ...]]:
    bound = []
    for number, argument in enumerate(node.arguments):
        name = argument.name or f"arg{number}"
        bound.append((name, value(c, argument.value, inner, Wanted(name, None, PLAIN))))
    if node.body is not None:
        c.problems.error(
            "no-body", f"`{node.name}` takes no body here", node.body.span, "leave out the `{ … }`"
        )
    return Signature(node.name, "constructor", ""), tuple(bound)


def refuse_later(c: Checker, row: Signature, span: Span) -> bool:
    """Report what the language names and this version does not have."""
    if row.later:
        c.problems.error(
            "not-yet",
            f"`{row.name}` is part of the language, but not of this version of nasdsl",
            span,
            "`nasdsl ops` lists what there is",
        )
    return row.later


def bind(c: Checker, row: Signature, node: s.Call, scope: Scope) -> tuple[tuple[str, ValueTerm], ...]:
    """All arguments of a call in the order of the signature, defaults filled in."""
    c.problems.facts.rows[node.span.start] = row
    given = by_name(c, row, node)
    outer, c.beside = c.beside, given
    bound = _bound(c, row, node, scope, given)
    c.beside = outer
    bound += scope.surroundings.marks(row)
    if row.name in MATRICES and _may_misfit(dict(bound)["weight"]):
        for _, term in bound:
            mark(term, SHAPES)
    return tuple(bound)


def _bound(
    c: Checker, row: Signature, node: s.Call, scope: Scope, given: dict[str, s.Value]
) -> list[tuple[str, ValueTerm]]:
    bound: list[tuple[str, ValueTerm]] = []
    for argument in row.arguments:
        if argument.name in given:
            wanted = Wanted(argument.name, argument.kind, SHAPES if argument.shapes else PLAIN)
            bound.append((argument.name, value(c, given[argument.name], scope, wanted)))
            if argument.required and may_be_nothing(bound[-1][1]):
                message = f"`{row.name}` needs `{argument.name}`, and the `?` may leave it out"
                help = "put the `?` behind the whole call, or write what stands in its place: `A | B`"
                c.problems.error("missing-argument", message, given[argument.name].span, help)
        else:
            if argument.required:
                message = f"`{row.name}` needs `{argument.name}`: {argument.doc}"
                c.problems.error("missing-argument", message, node.span, usage(row))
            bound.append((argument.name, _default(c, row, argument, scope)))
    return bound


def _default(c: Checker, row: Signature, argument: Argument, scope: Scope) -> ValueTerm:
    """What a layer has where nothing is given: the default of the `with` around it, or its own."""
    found = scope.surroundings.default_of(argument)
    if found is None or row.group != "layer":
        return Constant(argument.default)
    c.taken_defaults.add(id(found.value))
    role = SHAPES if argument.shapes else PLAIN
    there = replace(scope, names={}, parent=found.where)
    return value(c, found.value, there, Wanted(argument.name, argument.kind, role))


def _may_misfit(weight: ValueTerm) -> bool:
    """Whether a weight may ask something of its layer, so that what either is decides if both fit."""
    if weight == Constant(Spec("plain")) or weight is UNKNOWN:
        return False
    names = {name for joined in methods_in(weight) for name in joined}
    known = all(isinstance(one, Make | Constant) for one in outcomes(weight))
    return not known or not names <= UNDEMANDING


def by_name(c: Checker, row: Signature, node: s.Call) -> dict[str, s.Value]:
    """The arguments that a call gives, by their names."""
    given: dict[str, s.Value] = {}
    position = 0
    for argument in node.arguments:
        name = argument.name
        if name is None:
            if position >= min(row.positional, len(row.arguments)):
                c.problems.error(
                    "too-many-arguments",
                    f"`{row.name}` takes {_positions(row)}; name the others",
                    argument.value.span,
                    usage(row),
                )
                continue
            name = row.arguments[position].name
            position += 1
            _warn_label(c, row, argument)
        if argument.unused:
            refuse_unused(c, argument)
        if name not in row.by_name:
            message = f"`{row.name}` has no argument `{name}`"
            help = ARGUMENTS.get(plain(name), "")
            c.problems.unknown("unknown-argument", message, argument.span, name, row.by_name, help)
        elif name in given:
            c.problems.error("duplicate-argument", f"`{name}` is given twice", argument.span, usage(row))
        else:
            given[name] = argument.value
            if argument.name is not None:
                c.problems.facts.arguments[argument.span.start] = row.by_name[name]
    return given


def _warn_label(c: Checker, row: Signature, argument: s.Argument) -> None:
    """`kernel: 3` names a decision of the first argument, and gives none by name."""
    match argument.value:
        case s.Labelled(label=label, value=inner) if label in row.by_name:
            message = f"`{label}:` is a label here, and does not say which argument of `{row.name}` is meant"
            help = f"write `{label} = {c.unparse(inner)}`"  # type: ignore[arg-type]
            c.problems.warn("label-as-argument", message, argument.span, help)
        case _:
            return


def refuse_unused(c: Checker, argument: s.Argument) -> None:
    """`unused` stands where wires are named, and nowhere else."""
    message = "`unused` stands in `cell(output = concat unused)` and in the wires of a dag"
    c.problems.error("bad-wire", message, argument.span, "leave it out here")


def _positions(row: Signature) -> str:
    count = min(row.positional, len(row.arguments))
    if count == 0:
        return "no argument by position"
    return f"{count} argument{'s' if count > 1 else ''} by position"


def usage(row: Signature) -> str:
    """`usage: conv2d(filters, kernel = 3, …)`."""
    return "usage: " + row.name + "(" + ", ".join(a.usage for a in row.arguments) + ")"


# --- expressions ----------------------------------------------------------------------------


def _operation(
    c: Checker, node: s.Value, name: str, operands: tuple[s.Value, ...], scope: Scope, wanted: Wanted
) -> ValueTerm:
    law = wanted.law or (wanted.kind is not None and wanted.kind.law)
    inner = Wanted(wanted.name, None, wanted.role, law)
    terms = tuple(value(c, o, scope, inner) for o in operands)
    if any(isinstance(term, Constant) and term.value is None for term in terms):
        return UNKNOWN  # reported already
    if _misuses_law(c, node, name, terms):
        return UNKNOWN
    function = OPERATORS.get(name) or FUNCTIONS[name]
    if name in ("and", "or") and may_ask(terms[1]):
        mark(terms[0], CONTROL)  # what comes second is only asked where the first does not settle it
    if not scope.in_train:  # what trains a network costs none of what is bounded
        for bent in bent_operands(name, terms):
            mark_bent(bent)
    term = Operation(name, function, terms, span=node.span)
    constant = fold(term)
    if isinstance(constant, Exception):
        message = f"`{name.removeprefix('unary ')}` cannot be worked out: {constant}"
        c.problems.error("bad-expression", message, node.span, sum_up(constant))
        return UNKNOWN
    if constant is None:
        return term
    if not check_constant(c.problems, constant.value, wanted.kind, node.span, wanted.called):
        return UNKNOWN
    found = constant.value if wanted.kind is None else as_kind(constant.value, wanted.kind)
    return Constant(found, span=node.span)


def _misuses_law(c: Checker, node: s.Value, name: str, terms: tuple[ValueTerm, ...]) -> bool:
    """Report a law that something else is done with than multiplying it by a number."""
    laws = [any(isinstance(one, Constant) and is_law(one.value) for one in outcomes(term)) for term in terms]
    if not any(laws) or (name == "*" and sum(laws) == 1) or (name == "/" and laws == [True, False]):
        return False
    message = f"`{STEP_LAW}` can be multiplied by a number, and not used with `{name.removeprefix('unary ')}`"
    c.problems.error("bad-expression", message, node.span, "for example `lr = step_law * (0.1..10 log)`")
    return True


# --- decisions ------------------------------------------------------------------------------


def _choice(c: Checker, node: s.Choice, scope: Scope, wanted: Wanted) -> ValueTerm:
    name = scope.fresh(wanted.name or "value")
    options: dict[Answer, ValueTerm] = {}
    alternatives = []
    given = node if wanted.kind is not None else _with_options(c, node, scope)
    for answer, alternative in zip(answers_of(c, node, wanted.kind), given.alternatives, strict=True):
        inner = scope.inner(name, str(answer)).alternative()
        options[answer] = value(
            c, alternative.value, inner, Wanted("", wanted.kind, wanted.role, said=wanted.called)
        )
        alternatives.append(inner)
    scope.absorb(*alternatives)
    domain = Options(tuple(options), weights_of(c, node), ordered=_all_numbers(options))
    role = CONTROL if any(may_ask(term) for term in options.values()) else wanted.role
    cell = scope.frame.cell()
    key, site = scope.prefix + name, scope.site + name
    return ChoiceHole(cell, scope.label, key, site, role, domain, options, span=node.span)


def _with_options(c: Checker, node: s.Choice, scope: Scope) -> s.Choice:
    """A choice among options of one argument, `nearest | linear`, with the texts of their names."""
    names = [one.value.id for one in node.alternatives if isinstance(one.value, s.Name)]
    hidden = any(scope.find(name) is not None for name in names)
    if not c.has_network or hidden or len(names) < len(node.alternatives) or not are_options(names):
        return node
    texts = (
        s.Alternative(s.String(name, span=one.value.span), one.weight, span=one.span)
        for name, one in zip(names, node.alternatives, strict=True)
    )
    return s.Choice(tuple(texts), span=node.span)


def _all_numbers(answers: dict[Answer, ValueTerm]) -> bool:
    return all(isinstance(a, int | float) and not isinstance(a, bool) for a in answers)


def _optional(c: Checker, node: s.Optional, scope: Scope, wanted: Wanted) -> ValueTerm:
    name = scope.fresh(wanted.name or "value")
    inner = value(
        c, node.value, scope.inner(name, "yes"), Wanted("", wanted.kind, wanted.role, said=wanted.called)
    )
    role = CONTROL if may_ask(inner) else wanted.role
    key, site = scope.prefix + name, scope.site + name
    return OptionalHole(scope.frame.cell(), scope.label, key, site, role, inner, span=node.span)
