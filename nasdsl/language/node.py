"""Frozen classes with fields, like frozen dataclasses but made without generating code.

A tree has some sixty kinds of node; as dataclasses they took most of the time that `nasdsl check`
needs to start. A subclass lists its fields as annotations, with defaults as values.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform


def keyword(*, default: Any, kw_only: Literal[True]) -> Any:
    """A field that goes by name only, after those of every subclass."""
    return default


@dataclass_transform(frozen_default=True, eq_default=False, field_specifiers=(keyword,))
class Node:
    """The base: fields by position or by name, no change afterwards."""

    _fields: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        own = [name for name in cls.__annotations__ if name not in cls._fields and name[0] != "_"]
        # A field with a default that is inherited comes after the own ones, by name only.
        inherited = tuple(n for n in cls._fields if n not in cls._defaults)
        late = tuple(n for n in cls._fields if n in cls._defaults)
        cls._fields = (*inherited, *own, *late)
        cls._defaults = {**cls._defaults, **{n: cls.__dict__[n] for n in own if n in cls.__dict__}}
        cls.__match_args__ = cls._fields  # type: ignore[misc,attr-defined]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = self._fields
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__} takes {len(fields)} fields, not {len(args)}")
        values = {**self._defaults, **dict(zip(fields, args, strict=False)), **kwargs}
        if len(values) != len(fields):
            wrong = set(values) ^ set(fields)
            raise TypeError(f"{type(self).__name__}: missing or unknown fields {sorted(wrong)}")
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: `{name}` cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: `{name}` cannot be deleted")

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}={getattr(self, n)!r}" for n in self._fields if n not in _UNSHOWN)
        return f"{type(self).__name__}({shown})"


_UNSHOWN = ("span", "source")
Kind = TypeVar("Kind", bound=Node)


def replace(node: Kind, **changes: Any) -> Kind:
    """The node with some fields changed."""
    return type(node)(**{**{name: getattr(node, name) for name in node._fields}, **changes})
