"""Where the nodes of a syntax tree stand, changed for all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span


def with_places(node: Any, change: Callable[[Span], Span]) -> Any:
    """A tree, or a tuple of trees, with `change` made to the place of every node."""
    if isinstance(node, tuple) and not isinstance(node, Span):
        return tuple(with_places(one, change) for one in node)
    if not isinstance(node, s.Syntax):
        return node
    inner = {name: with_places(getattr(node, name), change) for name in node._fields if name != "span"}
    return type(node)(**inner, span=change(node.span))
