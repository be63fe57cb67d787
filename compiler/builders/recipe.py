"""A module as data: the constructor call that makes it, to be run or to be printed.

Build and export read the same Recipe, so a network and its source file cannot drift apart.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, TypeAlias

from torch import nn

from compiler import modules

Ingredient: TypeAlias = "bool | int | float | str | tuple[int | float, ...] | Makes | None"


class Makes(Protocol):
    """What a module is made of that is made itself."""

    def build(self) -> nn.Module: ...
    def source(self) -> str: ...
    def helpers(self) -> tuple[str, ...]: ...


_PLAIN = (bool, int, float, str, tuple, type(None))


@dataclass(frozen=True, slots=True)
class Recipe:
    """One constructor call: `nn.Conv2d(16, 32, 3, padding=1)`.

    `target` is `nn.X` for a class of torch.nn, or the name of a class or function in `compiler/modules/`.
    """

    target: str
    positional: tuple[Ingredient, ...]
    named: Mapping[str, Ingredient]

    def build(self) -> nn.Module:
        """The module, with torch's default initialisation, on torch's default device."""
        module = self._constructor()(
            *(_value(item) for item in self.positional),
            **{name: _value(item) for name, item in self.named.items()},
        )
        assert isinstance(module, nn.Module), self.target
        return module

    def source(self) -> str:
        """The call as one Python expression over `nn` and the classes that `helpers` names."""
        arguments = [_literal(item) for item in self.positional]
        arguments += [f"{name}={_literal(item)}" for name, item in self.named.items()]
        return f"{self.target}({', '.join(arguments)})"

    def helpers(self) -> tuple[str, ...]:
        """The classes of `compiler/modules/` that the expression names, in order, each once."""
        own = () if self.target.startswith("nn.") else (self.target,)
        inner = (name for item in self.ingredients() for name in item.helpers())
        return tuple(dict.fromkeys((*own, *inner)))

    def ingredients(self) -> Iterator[Makes]:
        """The ingredients that are made themselves."""
        return (item for item in (*self.positional, *self.named.values()) if not isinstance(item, _PLAIN))

    def with_named(self, **more: Ingredient) -> Recipe:
        """The recipe with more arguments by name."""
        return replace(self, named={**self.named, **more})

    def _constructor(self) -> Callable[..., object]:
        home, name = (nn, self.target[3:]) if self.target.startswith("nn.") else (modules, self.target)
        constructor: Callable[..., object] = getattr(home, name)
        return constructor


def make(target: str, *positional: Ingredient, **named: Ingredient) -> Recipe:
    """`make("nn.Linear", 16, 32, bias=False)` is the recipe of `nn.Linear(16, 32, bias=False)`."""
    return Recipe(target, positional, named)


def helper_source(names: Iterable[str]) -> str:
    """The source of these classes and functions of `compiler/modules/` and of all that they use themselves.

    It needs `import torch`, `from torch import Tensor, nn` and `import torch.nn.functional as F`.
    They come in an order in which each class stands after those it uses.
    """
    classes = _definitions()
    wanted, open_names = set[str](), list(names)
    while open_names:
        name = open_names.pop()
        if name not in wanted:
            wanted.add(name)
            used = {n.id for n in ast.walk(classes[name]) if isinstance(n, ast.Name)}
            open_names += sorted(used & classes.keys())
    sources = (inspect.getsource(getattr(modules, name)) for name in classes if name in wanted)
    return "\n\n".join(sources)


@cache
def _definitions() -> Mapping[str, ast.stmt]:
    """Each class and function of `compiler/modules/`, in the order of its files."""
    trees = (
        ast.parse(inspect.getsource(importlib.import_module(f"{modules.__name__}.{name}")))
        for name in modules.FILES
    )
    statements = (node for tree in trees for node in tree.body)
    return {node.name: node for node in statements if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def _value(item: Ingredient) -> object:
    return item if isinstance(item, _PLAIN) else item.build()


def _literal(item: Ingredient) -> str:
    if not isinstance(item, _PLAIN):
        return item.source()
    assert not isinstance(item, float) or math.isfinite(item), item  # repr would be no Python
    return json.dumps(item, ensure_ascii=False) if isinstance(item, str) else repr(item)
