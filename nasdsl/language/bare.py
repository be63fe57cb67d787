"""A file as if it had never been laid out: what its hash is taken of.

`fmt` may write the default `shortcut = project` into a residual, which then means what it meant before; so that
argument is left out here, unless the file has given one of its two words another meaning.
"""

from __future__ import annotations

from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import NOWHERE, Source
from nasdsl.language.node import Node, replace

DEFAULT_SHORTCUT = s.Argument("shortcut", s.Name("project"))


@deep_recursion()
def bare(file: s.File) -> s.File:
    """The items of a file without places, comments and written defaults."""
    plain = means_the_operation(file)
    return s.File(file.name, _bare(file.items, plain), source=Source("", ""))


def _bare(node: Any, plain: bool) -> Any:
    if isinstance(node, tuple):
        return tuple(_bare(one, plain) for one in node)
    if not isinstance(node, s.Syntax):
        return node
    inner = {name: _bare(getattr(node, name), plain) for name in node._fields if name != "span"}
    made = type(node)(**inner, span=NOWHERE)
    if plain and isinstance(made, s.Call) and made.name == "residual":
        return replace(made, arguments=tuple(a for a in made.arguments if a != DEFAULT_SHORTCUT))
    return made


def means_the_operation(file: s.File) -> bool:
    """Whether `residual(shortcut = project)` is the operation of the table: no block, let, parameter or index has
    taken its words."""
    return not any(_names(item) & {"residual", "project"} for item in file.items)


def _names(node: object) -> set[str]:
    """All names that are given in a part of a file."""
    names = set[str]()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, tuple):
            waiting += one
        elif isinstance(one, Node):
            waiting += [getattr(one, name) for name in one._fields if name != "span"]
        match one:
            case s.Let(name=name) | s.BlockDefinition(name=name) | s.Parameter(name=name):
                names.add(name)
            case s.Repeat(index=str(name)):
                names.add(name)
    return names
