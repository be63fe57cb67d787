"""Custom `evaluate` functions on their way to a worker: by name, or by value with cloudpickle.

What travels is never stored: a resume needs the function again.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from nasdsl.engine.errors import EngineError


def portable(function: Callable[..., Any] | str) -> str | bytes:
    """`package.module:name` where an import finds the same function, else the bytes of cloudpickle.

    Raises EngineError for what neither can carry.
    """
    if isinstance(function, str):
        return function
    reference = f"{getattr(function, '__module__', None)}:{getattr(function, '__qualname__', None)}"
    if _is_importable(function, reference):
        return reference
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(function))
    except Exception as error:  # whatever __reduce__ of a user's object raises
        raise EngineError(
            f"evaluate cannot be sent to a worker process ({error}); define it in a module, "
            "and open files, locks and connections inside it"
        ) from error


def name_of(function: Callable[..., Any] | str | None) -> str | None:
    """For the records only."""
    if function is None or isinstance(function, str):
        return function
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', repr(function))}"


def arrive(function: str | bytes) -> Callable[..., Any]:
    """The function in this process. Raises EngineError where none is found, and what its module raises when imported."""
    if isinstance(function, bytes):
        import cloudpickle

        return _callable(cloudpickle.loads(function), "the unpickled evaluate")
    module, colon, name = function.partition(":")
    if not colon:
        raise EngineError(f"evaluate is given as `package.module:function`, not {function!r}")
    found: Any = _imported(module)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise EngineError(f"evaluate is given as `{function}`, but {error}") from error
    return _callable(found, function)


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, and imports another that is not: its own traceback says where
        raise EngineError(
            f"evaluate: no module is called `{error.name}`; start the search from the folder that holds it, "
            "or put that folder on PYTHONPATH"
        ) from error
    except (ValueError, TypeError) as error:  # an empty or a relative name
        raise EngineError(f"evaluate: `{module}` is no name of a module") from error


def _callable(found: Any, name: str) -> Callable[..., Any]:
    if not callable(found):
        raise EngineError(f"evaluate: {name} is no function")
    return found  # type: ignore[no-any-return]


def _is_importable(function: Callable[..., Any], reference: str) -> bool:
    module, _, name = reference.partition(":")
    if module == "__main__" or "<" in name or module not in sys.modules:
        return False
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function and getattr(found, "__spec__", True) is not None
