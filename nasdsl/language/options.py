"""Names of options, such as `nearest` or `same`, as values of their own: `let up = nearest | linear`.

An option belongs to an argument, and a `let` stands before it is known for which; so it is the text of its name.
Some are names of operations too (`linear`, `project`, `add`): those mean the option where the operation could not
stand without arguments, or where the argument that a `let` is used for asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nasdsl.language.node import replace
from nasdsl.language.signatures import table
from nasdsl.language.signatures.signature import Kind
from nasdsl.language.terms import mark
from nasdsl.language.tree import CONTROL, ChoiceHole, Constant, Make, OptionalHole, Outer, ValueTerm


def are_options(names: Iterable[str]) -> bool:
    """Whether names are options of one argument, and are not all operations that stand by their names alone."""
    together = set(names)
    return not all(_stands_alone(name) for name in together) and any(
        together <= set(options) for options in _all_options()
    )


def is_option(name: str) -> bool:
    """Whether a name that is no operation is an option of some argument."""
    return name not in table.SIGNATURES and are_options([name])


def _all_options() -> Iterator[tuple[str, ...]]:
    for row in table.SIGNATURES.values():
        for argument in row.arguments:
            if argument.kind.type == "name":
                yield argument.kind.options


def _stands_alone(name: str) -> bool:
    row = table.SIGNATURES.get(name)
    return row is not None and not row.body and not any(argument.required for argument in row.arguments)


def as_options(term: ValueTerm, kind: Kind) -> ValueTerm:
    """A value where an option is asked for: operations of its name stand for it. The decision stays the same one."""
    match term:
        case Make(signature=row) if row.name in kind.options:
            return Constant(row.name, span=term.span)
        case Outer(inner=inner) | OptionalHole(inner=inner):
            seen = as_options(inner, kind)
            return term if seen is inner else replace(term, inner=seen)
        case ChoiceHole(options=options):
            found = {answer: as_options(option, kind) for answer, option in options.items()}
            if all(found[answer] is option for answer, option in options.items()):
                return term
            mark(term, CONTROL)  # of both, since either may be the one that asks
            return replace(term, options=found)
        case _:
            return term
