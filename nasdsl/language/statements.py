"""From the syntax of statements to their terms."""

from __future__ import annotations

from dataclasses import replace

from nasdsl.language import syntax as s
from nasdsl.language.cells import cell
from nasdsl.language.configuration import MAX_COPIES
from nasdsl.language.decisions import Integers
from nasdsl.language.enclosing import enclosing
from nasdsl.language.errors import Span
from nasdsl.language.forking import choice, name_of, optional
from nasdsl.language.graphs import dag, parallel
from nasdsl.language.habits import CALLS, SIGNS, begins, plain
from nasdsl.language.node import Node
from nasdsl.language.remedies import its_place
from nasdsl.language.scope import Binding, Checker, Scope, Wanted
from nasdsl.language.settings import assign, setting_call
from nasdsl.language.signatures import table
from nasdsl.language.signatures.signature import Signature, integer
from nasdsl.language.terms import is_open, mark, outcomes
from nasdsl.language.tree import (
    CONTROL,
    PLAIN,
    SHAPES,
    Apply,
    ApplyValue,
    Around,
    Branch,
    Cell,
    Close,
    Constant,
    Definition,
    Loop,
    Make,
    Merge,
    Permute,
    Pick,
    RangeHole,
    Residual,
    Sequence,
    Statement,
    ValueTerm,
)
from nasdsl.language.uses import use
from nasdsl.language.values import UNKNOWN, bind, open_checks, refuse_later, value
from nasdsl.language.vocabulary import every_node
from nasdsl.language.wires import present

NETWORK_GROUPS = ("layer", "activation", "wrapper")
TRAIN_GROUPS = ("setting", "regularizer", "augmentation")
AUGMENT_GROUPS = ("augment",)


def body(c: Checker, block: s.Block, scope: Scope) -> Sequence:
    """The statements of a body in a scope that is new; names bound in it end with it."""
    first = scope.frame.size
    scope = replace(scope, fed=None, joined=False)
    items = [statement(c, node, scope) for node in block.statements]
    for name, binding in scope.names.items():
        if not binding.used and binding.what == "let":
            message = f"`{name}` is never used, and decides nothing"
            c.problems.warn("unused-let", message, binding.span, "use its name, or leave the line out")
    slots = (first, scope.frame.size) if any(b.what == "let" for b in scope.names.values()) else (0, 0)
    return Sequence(slots, tuple(item for item in items if item is not None), span=block.span)


def statement(c: Checker, node: s.Statement, scope: Scope, label: str = "") -> Statement | None:
    """The term of one statement; None where it only binds a name or a problem was reported."""
    match node:
        case s.Let():
            let(c, node, scope)
            return None
        case s.Do(value=inner):
            return do(c, inner, scope, label)
        case s.If():
            return _branch(c, node, scope)
        case s.Repeat():
            return _loop(c, node, scope, label)
        case s.Permute():
            return _permute(c, node, scope, label)
        case s.Pick():
            return _pick(c, node, scope, label)
        case s.Wire():
            return assign(c, node, scope)


def let(c: Checker, node: s.Let, scope: Scope) -> None:
    """Bind a name to the term of its value: every use is the same term."""
    previous = scope.names.get(node.name)
    if previous is not None:
        message = f"`{node.name}` is already bound in this body, {c.problems.where(previous.span)}"
        c.problems.error("duplicate-name", message, node.span, "choose another name")
        return
    if node.name in table.SIGNATURES or node.name in c.quantities:
        what = "an operation" if node.name in table.SIGNATURES else "a quantity"
        help = f"choose another name where {what} is meant to be used below"
        c.problems.warn("shadowed-name", f"`{node.name}` hides {what} of that name", node.span, help)
    term = value(c, node.value, scope, Wanted(node.name, None, PLAIN))
    scope.names[node.name] = Binding(term, node.span, "let")


# --- operations and blocks ------------------------------------------------------------------


def do(c: Checker, node: s.Value, scope: Scope, label: str = "") -> Statement | None:
    """A value that stands as a statement."""
    c.expand(node.span)
    match node:
        case s.Labelled(label=name, value=inner):
            if isinstance(inner, s.Repeat | s.Pick | s.Permute):
                return statement(c, inner, scope, name)
            return do(c, inner, scope, name)
        case s.Name(id=name):
            return _call(c, s.Call(name, span=node.span), scope, label)
        case s.Call():
            return _call(c, node, scope, label)
        case s.Choice():
            return choice(c, node, scope, label, do)
        case s.Optional(value=inner):
            return optional(c, node, inner, scope, label, do)
        case s.Block():
            return body(c, node, scope.inner(label))
        case _:
            message = "a statement is an operation, a block's use, or a choice of them"
            help = "a value goes into a `let`: `let NAME = …`"
            if isinstance(node, s.Binary):
                help = SIGNS.get(node.operator, help)
            if label:
                help = (
                    f"write `{label} = {c.unparse(node)}`"
                    if scope.in_train
                    else f"a value goes into a `let`: `let {label} = …`"
                )
            c.problems.error("not-a-statement", message, node.span, help)
            return None


def _call(c: Checker, node: s.Call, scope: Scope, label: str) -> Statement | None:
    found = None if node.arguments or node.body else scope.find(node.name, node.span)
    if found is not None:
        return _let_as_statement(c, node, found, scope, label)
    if not scope.in_train and node.name in scope.definitions:
        return use(c, node, scope.definitions[node.name], scope, label)
    groups = _groups(scope)
    row = table.find(node.name, groups)
    if row is None:
        _unknown(c, node, scope, groups, label)
        return None
    if refuse_later(c, row, node.span) or _joins_one(c, row, node.span):
        return None
    if node.body is not None and not row.body:
        help = f"what comes after `{row.name}` stands on the next line, or after a `;`, without braces"
        c.problems.error("no-body", f"`{row.name}` takes no body `{{ … }}`", node.body.span, help)
    if row.group == "augmentation":
        return _augmentation(c, node, scope, label)
    if scope.in_train:
        return setting_call(c, row, node, scope, label)
    return _wrapper(c, row, node, scope, label) if row.body else _apply(c, row, node, scope, label)


def _joins_one(c: Checker, row: Signature, span: Span) -> bool:
    """Report a way to join wires where only one flows."""
    if row.arity == (1, 1):
        return False
    message = f"`{row.name}` joins several wires, and one flows here"
    help = f"name the wires in a dag, `x = {row.name} from a, b`, or write `parallel(merge = {row.name}) {{ … }}`"
    c.problems.error("bad-wire", message, span, help)
    return True


def _groups(scope: Scope) -> tuple[str, ...]:
    if not scope.in_train:
        return NETWORK_GROUPS
    return AUGMENT_GROUPS if scope.in_augment else TRAIN_GROUPS


def _augmentation(c: Checker, node: s.Call, scope: Scope, label: str) -> Statement | None:
    """The body of `augment { }`: its calls are settings of their own, in the order in which they act."""
    if node.body is None:
        help = "write `augment { flip; crop(pad = 2) }`, the `{` on the same line"
        c.problems.error("needs-body", "`augment` needs a body", node.span, help)
        return None
    inner = scope.inner(label or "augment")
    inner.in_augment = True
    return body(c, node.body, inner)


def _wrapper(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str) -> Statement | None:
    """An operation around a body."""
    if node.body is None:
        call = c.unparse(node).removesuffix("()")
        help = f"write `{call} {{ … }}`, the `{{` on the same line"
        c.problems.error("needs-body", f"`{row.name}` needs a body", node.span, help)
        return None
    match row.name:
        case "parallel":
            return parallel(c, row, node, scope, label, do)
        case "dag":
            return dag(c, row, node, scope, label, do, let)
        case "cell":
            return cell(c, row, node, scope, label, do)
        case "with" | "frozen" | "pretrained":
            return enclosing(c, row, node, scope, label, body)
        case "residual":
            return _residual(c, row, node, scope, label)
        case _:
            return _around(c, row, node, scope, label)


def _unknown(c: Checker, node: s.Call, scope: Scope, groups: tuple[str, ...], label: str) -> None:
    known = [*table.names(groups), *scope.visible()]
    if not scope.in_train:
        known += scope.definitions
    elsewhere = table.SIGNATURES.get(node.name)
    if elsewhere is not None:
        place = "in a network" if not scope.in_train else "in `train { }`"
        place = "in `augment { }`" if scope.in_augment else place
        message = f"`{node.name}` ({elsewhere.group}) does not stand as a statement {place}"
        help = its_place(node.name, elsewhere.group)
        if scope.in_train and table.find(label, ("setting",)) is not None:
            help = f"a setting gets its value by `=`: `{label} = {c.unparse(node).removesuffix('()')}`"
        c.problems.error("misplaced-op", message, node.span, help)
        return
    what = "training setting" if scope.in_train else "operation"
    help = CALLS.get(plain(node.name)) or begins(node.name) or "`nasdsl ops` lists what there is"
    if not scope.in_train and not CALLS.get(plain(node.name)):
        help += f"; a part of your own is made by `block {node.name} {{ … }}`"
    c.problems.unknown("unknown-op", f"no {what} is called `{node.name}`", node.span, node.name, known, help)


def _let_as_statement(
    c: Checker, node: s.Call, term: ValueTerm, scope: Scope, label: str
) -> Statement | None:
    mark(term, CONTROL)
    for outcome in outcomes(term):
        if isinstance(outcome, Make) and not scope.joined and _joins_one(c, outcome.signature, node.span):
            return None
        if isinstance(outcome, Make) and outcome.signature.group not in NETWORK_GROUPS:
            message = f"`{node.name}` can be `{outcome.signature.name}`, which is no operation of a network"
            help = its_place(outcome.signature.name, outcome.signature.group)
            c.problems.error("misplaced-op", message, node.span, help)
            return None
        if isinstance(outcome, Make) and outcome.signature.body:
            message = f"`{node.name}` can be `{outcome.signature.name}`, which stands around a body"
            c.problems.error(
                "needs-body", message, node.span, "write it where it is used, with its body: `… { … }`"
            )
            return None
        if not isinstance(outcome, Make | Cell) and outcome is not UNKNOWN:
            help = f"give it to an operation: `linear({node.name})`"
            c.problems.error(
                "not-a-statement", f"`{node.name}` is a value, not an operation", node.span, help
            )
            return None
    return ApplyValue((0, 0), term, scope.label, scope.fresh_place(label or node.name), span=node.span)


def _apply(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str) -> Statement:
    first = scope.frame.size
    inner = scope.inner(label)
    arguments = bind(c, row, node, inner)
    closed = all(type(term) is Constant for _, term in arguments)
    constant = {n: t.value for n, t in arguments if type(t) is Constant} if closed else None
    place = scope.fresh_place(label or row.name)
    slots = (first, scope.frame.size)
    checks = open_checks(row, arguments)
    return Apply(slots, row, arguments, constant, checks, scope.label, place, span=node.span)


def _around(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str) -> Statement:
    assert node.body is not None
    first = scope.frame.size
    arguments = bind(c, row, node, scope.inner(label))
    skip = scope.frame.cell()
    place = scope.fresh_place(label or row.name)
    # A network of its own: no wire from outside is to be had in it.
    inner = body(c, node.body, replace(scope.inner(label), wires={}))
    checks = open_checks(row, arguments)
    close = Close((first, skip + 1), row, arguments, checks, skip, scope.label, place, span=node.span)
    return Around((0, 0), inner, close, span=node.span)


def _residual(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str) -> Statement | None:
    assert node.body is not None
    first = scope.frame.size
    skip = scope.frame.cell()
    place = scope.fresh_place(label or row.name)
    arguments = dict(bind(c, row, node, scope.inner(label)))
    shortcut, last = arguments["shortcut"], scope.frame.size
    present(c, arguments, "shortcut")
    if not isinstance(shortcut, Constant):
        mark(shortcut, SHAPES)
    inner = body(c, node.body, scope.inner(label))
    marks = scope.surroundings.marks(table.LAYERS["project"])
    given = {name: term.value for name, term in marks if isinstance(term, Constant)}
    merge = Merge((first, last), skip, shortcut, given, scope.label, place, span=node.span)
    return Residual((0, 0), skip, inner, merge, span=node.span)


# --- decisions between statements -----------------------------------------------------------


def _branch(c: Checker, node: s.If, scope: Scope) -> Statement:
    first = scope.frame.size
    condition = value(c, node.condition, scope, Wanted("if", None, SHAPES))
    last = scope.frame.size
    then_scope, else_scope = scope.alternative(), scope.alternative()
    then = body(c, node.then, then_scope)
    otherwise = body(c, node.otherwise, else_scope) if node.otherwise else None
    if any(side is not None and _opens(c, side) for side in (then, otherwise)):
        mark(condition, CONTROL)
    scope.absorb(then_scope, else_scope)
    return Branch((first, last), condition, then, otherwise, span=node.span)


def _opens(c: Checker, term: Statement) -> bool:
    """Whether a decision may open in a statement: one of its own, or one outside that waits for its first use."""
    passed: list[Node] = []
    opens = False
    for node in every_node(term, c.opens):
        known = c.opens.get(id(node))
        asks = isinstance(node, Permute | Pick) or (isinstance(node, Definition) and node.body is None)
        opens = known[1] if known else asks or is_open(node)
        if opens:
            break
        passed.append(node)
    # Kept, so that conditions within one another do not go through the same bodies again and again.
    c.opens.update((id(node), (node, False)) for node in (() if opens else passed))
    c.opens[id(term)] = term, opens
    return opens


def _loop(c: Checker, node: s.Repeat, scope: Scope, label: str) -> Statement:
    first = scope.frame.size
    name = scope.unused(label or "repeat")
    count = value(c, node.count, scope, Wanted(name, integer(0)))  # its decision is called as the loop is
    _refuse_many(c, count, node.count.span)
    scope.taken.add(scope.prefix + name)
    after_count = scope.frame.size
    copy_label = scope.frame.cell()
    copy = scope.labelled(copy_label)
    index = scope.frame.cell() if node.index else None
    index_term = Cell(index, node.index, is_index=True) if node.index and index is not None else None
    if node.index and index_term is not None:
        copy.names[node.index] = Binding(index_term, node.span, "index")
    inner = body(c, node.body, copy)
    for apart in node.apart:
        if table.find(apart, NETWORK_GROUPS) is None:
            known = table.names(NETWORK_GROUPS)
            c.problems.unknown("unknown-op", f"no operation is called `{apart}`", node.span, apart, known)
    tied = node.sharing in ("tied", "shared")
    if tied and index is not None:
        _refuse_index_domains(c, (id(scope.frame), index), node.span)
    return Loop(
        (first, after_count),
        count,
        inner,
        scope.label,
        scope.prefix + name,
        copy_label,
        index,
        index_term,
        (copy_label, scope.frame.size),
        tied,
        node.sharing == "shared",
        frozenset(node.apart),
        span=node.span,
    )


def _refuse_many(c: Checker, count: ValueTerm, span: Span) -> None:
    """More copies than one point may have, as far as the count is written there."""
    most = max((_highest(one) for one in outcomes(count)), default=0)
    if most > MAX_COPIES:
        message = f"`repeat` of up to {most:,} copies is above the limit of {MAX_COPIES:,} in one point"
        c.problems.error("limit", message, span, "repeat fewer times, or nest repeats")


def _highest(count: ValueTerm) -> int:
    match count:
        case Constant(value=int(number)):
            return number
        case RangeHole(domain=Integers(high=high)):
            return high
        case _:
            return 0


def _refuse_index_domains(c: Checker, index: tuple[int, int], span: Span) -> None:
    """Under `tied` one decision serves all copies, so its domain cannot depend on the copy."""
    if index in c.index_ranges:
        message = "a decision in a tied repeat has a range that depends on its index"
        c.problems.error("tied-index", message, span, "leave out `tied`, or the index in the range")


def _permute(c: Checker, node: s.Permute, scope: Scope, label: str) -> Statement:
    first = scope.frame.size
    name = scope.fresh(label or "permute")
    scope.frame.cell()  # of the order itself: what a tied repeat replays lies inside its cells
    members, optional = _members(c, node.body, scope.inner(name))
    key = scope.prefix + name
    slots = (first, scope.frame.size)
    return Permute(slots, members, optional, scope.label, key, span=node.span)


def _pick(c: Checker, node: s.Pick, scope: Scope, label: str) -> Statement:
    first = scope.frame.size
    name = scope.fresh(label or "pick")
    count = value(c, node.count, scope.inner(name), Wanted("count", integer(0)))
    scope.frame.cell()
    members, optional = _members(c, node.body, scope.inner(name))
    counts = [
        one.value for one in outcomes(count) if isinstance(one, Constant) and isinstance(one.value, int)
    ]
    least = min(counts, default=0)
    if least > len(members) > 0:
        message = f"`pick {least}` of {len(members)} member{'s' * (len(members) != 1)}"
        c.problems.error("bad-range", message, node.count.span, f"pick at most {len(members)}")
    if optional:
        message = f"`{optional[0]}?` in `pick`: a member is there or not by being picked"
        c.problems.error("bad-member", message, node.span, f"leave out the `?`: `{optional[0]}`")
    slots = (first, scope.frame.size)
    return Pick(slots, members, count, scope.label, scope.prefix + name, span=node.span)


def _members(c: Checker, block: s.Block, scope: Scope) -> tuple[dict[str, Statement], tuple[str, ...]]:
    members: dict[str, Statement] = {}
    optional = []
    for node in block.statements:
        if not isinstance(node, s.Do):
            help = "put it before the members" if isinstance(node, s.Let) else "put it into braces: `{ … }`"
            c.problems.error("bad-member", "a member is an operation or a block's use", node.span, help)
            continue
        inner, is_optional = node.value, False
        if isinstance(inner, s.Optional):
            inner, is_optional = inner.value, True
        name, number = name_of(inner), 2
        while name in members:
            name, number = f"{name_of(inner)}#{number}", number + 1
        labelled = isinstance(inner, s.Labelled)  # a label names the member and its decision at once
        done = do(c, inner, scope if labelled else scope.inner(name))
        members[name] = done if done is not None else Sequence((0, 0), ())
        if is_optional:
            optional.append(name)
    return members, tuple(optional)
