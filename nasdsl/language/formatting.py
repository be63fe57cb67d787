"""What `fmt` makes of a file: the canonical text, with the shortcuts that it takes by default.

Shapes never adapt in silence, so `shortcut = project` is written into a residual that may change the shape. A file
that does not check is laid out as it is.
"""

from __future__ import annotations

from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.answers import task_quantities
from nasdsl.language.bare import DEFAULT_SHORTCUT, means_the_operation
from nasdsl.language.check import Examination, examine
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import Span
from nasdsl.language.keeping import Keeping
from nasdsl.language.printer import print_file
from nasdsl.language.scope import Problems
from nasdsl.language.tree import Residual
from nasdsl.language.vocabulary import every_node


def formatted(file: s.File, trust: bool = False) -> str:
    """The canonical text of a file as it was parsed; `trust` as for `check`."""
    return print_file(with_shortcuts(file, examine(file, trust=trust)))


@deep_recursion()
def with_shortcuts(file: s.File, found: Examination) -> s.File:
    """The file with `shortcut = project` in every residual that may change the shape and says nothing of it."""
    if found.program is None or not means_the_operation(found.program.file):
        return file
    changing = _changing(found)
    written: s.File = _written(file, changing) if changing else file
    return written


def _changing(found: Examination) -> set[Span]:
    """Where residuals stand that may give another shape than they get, as far as the check followed them."""
    assert found.program is not None
    keeping = Keeping(Problems(found.program.file.source), found.facts, task_quantities(found.program.task))
    residuals = [one for one in every_node(found.program.statement) if isinstance(one, Residual)]
    return {one.span for one in residuals if one.span in found.facts.unsteady and not keeping.keeps(one.body)}


def _written(node: Any, changing: set[Span]) -> Any:
    if isinstance(node, Span) or not isinstance(node, tuple | s.Syntax):
        return node
    if isinstance(node, tuple):
        return tuple(_written(one, changing) for one in node)
    inner = {name: _written(getattr(node, name), changing) for name in node._fields}
    if isinstance(node, s.Call) and node.span in changing and not _says(node):
        inner["arguments"] = (*inner["arguments"], DEFAULT_SHORTCUT)
    return type(node)(**inner)


def _says(node: s.Call) -> bool:
    return node.name != "residual" or any(argument.name in ("shortcut", None) for argument in node.arguments)
