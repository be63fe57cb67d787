"""nasdsl: a search-space language for neural networks, a compiler to PyTorch, and searchers.

The front door. Every public name is loaded on first use (PEP 562), so `import nasdsl` costs
milliseconds and no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compiler.own import op as op
    from compiler.plan import Plan as Plan
    from compiler.plan import plan as plan
    from nasdsl.engine.errors import EngineError as EngineError
    from nasdsl.engine.records import Record as Record
    from nasdsl.engine.run import Run as Run
    from nasdsl.engine.run import open_run as open_run
    from nasdsl.engine.search import search as search
    from nasdsl.engine.trial import Trial as Trial
    from nasdsl.language.errors import AnswerError as AnswerError
    from nasdsl.language.errors import Diagnostic as Diagnostic
    from nasdsl.language.errors import Infeasible as Infeasible
    from nasdsl.language.errors import NasdslError as NasdslError
    from nasdsl.language.errors import SpaceError as SpaceError
    from nasdsl.language.point import Point as Point
    from nasdsl.language.reading import load as load
    from nasdsl.language.reading import parse as parse
    from nasdsl.language.space import Space as Space
    from nasdsl.networks import build as build

_HOMES = {
    "AnswerError": "nasdsl.language.errors",
    "Diagnostic": "nasdsl.language.errors",
    "EngineError": "nasdsl.engine.errors",
    "Infeasible": "nasdsl.language.errors",
    "NasdslError": "nasdsl.language.errors",
    "Plan": "compiler.plan",
    "Point": "nasdsl.language.point",
    "Record": "nasdsl.engine.records",
    "Run": "nasdsl.engine.run",
    "Space": "nasdsl.language.space",
    "SpaceError": "nasdsl.language.errors",
    "Trial": "nasdsl.engine.trial",
    "build": "nasdsl.networks",
    "load": "nasdsl.language.reading",
    "op": "compiler.own",
    "open_run": "nasdsl.engine.run",
    "parse": "nasdsl.language.reading",
    "plan": "compiler.plan",
    "search": "nasdsl.engine.search",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
