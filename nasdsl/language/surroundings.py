"""What `with`, `frozen` and `pretrained` say of all that they enclose, blocks that are used in them included.

A block is a template, so one that is used within them is checked anew with what surrounds it: then a default is a
decision of each layer, in the layer's own frame, like one that was written there. The names in a default are those
of the place where it stands; into another block's frame they travel as parameters that the author does not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nasdsl.language import syntax as s
from nasdsl.language.network import Spec
from nasdsl.language.node import Node
from nasdsl.language.signatures.weighing import FROZEN, PRETRAINED
from nasdsl.language.tree import Constant, ValueTerm

if TYPE_CHECKING:
    from nasdsl.language.scope import Scope
    from nasdsl.language.signatures.signature import Argument, Signature


@dataclass(frozen=True)
class Default:
    """The value of an argument for all layers that have it and are given none.

    where: the scope in which its names are looked up.
    """

    argument: Argument
    value: s.Value
    where: Scope


@dataclass(frozen=True)
class Surroundings:
    """defaults: by the name of the argument. frozen: whether weights are left as they are. pretrained: where they
    start from, and the part of the path that the body stands under."""

    defaults: Mapping[str, Default] = field(default_factory=dict)
    frozen: bool = False
    pretrained: Spec | None = None

    def __bool__(self) -> bool:
        return bool(self.defaults or self.frozen or self.pretrained)

    def key(self) -> tuple[object, ...]:
        """Equal for surroundings in which a block means the same."""
        start = tuple(self.pretrained.arguments.items()) if self.pretrained else None
        return tuple((name, id(one.value)) for name, one in self.defaults.items()), self.frozen, start

    def default_of(self, argument: Argument) -> Default | None:
        """What stands for an argument that is not given; the same name may mean other things elsewhere."""
        found = self.defaults.get(argument.name)
        return found if found is not None and found.argument.kind == argument.kind else None

    def marks(self, row: Signature) -> tuple[tuple[str, ValueTerm], ...]:
        """The arguments that a layer with parameters has besides those of its row."""
        if row.params is None:
            return ()
        frozen = ((FROZEN, Constant(True)),) if self.frozen and not row.tunes else ()
        return (*frozen, *(((PRETRAINED, Constant(self.pretrained)),) if self.pretrained else ()))

    def free_names(self) -> tuple[str, ...]:
        """The names in the defaults that stand for something in the frame of a block."""
        names = (n for one in self.defaults.values() for n in _names(one.value) if one.where.is_local(n))
        return tuple(dict.fromkeys(names))

    def seen_from(self, scope: Scope) -> Surroundings:
        """The same inside a block, whose `scope` has the free names as parameters; the others are found where
        they were."""
        moved = {
            name: replace(one, where=replace(scope, parent=one.where)) for name, one in self.defaults.items()
        }
        return replace(self, defaults=moved)


def _names(node: object) -> Iterator[str]:
    """All names in a value, in the order of the text."""
    if isinstance(node, s.Name):
        yield node.id
    elif isinstance(node, tuple):
        for one in node:
            yield from _names(one)
    elif isinstance(node, Node):
        for name in node._fields:
            yield from _names(getattr(node, name))
