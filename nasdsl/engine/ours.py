"""Operations of the user's own, on their way to a worker."""

from __future__ import annotations

import sys

from nasdsl.engine.errors import EngineError
from nasdsl.engine.messages import Own
from nasdsl.language.trusting import bring, brought


def packed() -> Own | None:
    """What this process has beside the language; None where that is nothing.

    Raises EngineError for a module class that cannot be sent.
    """
    if "compiler.own" not in sys.modules:  # nobody has registered anything, and torch need not be loaded
        return None
    from compiler.own import registered

    modules = brought()
    others = tuple(own for own in registered() if own.module.__module__ not in modules)
    if not (modules or others):
        return None
    import cloudpickle

    try:
        return Own(modules, bytes(cloudpickle.dumps(others)))
    except Exception as error:  # whatever __reduce__ of a user's object raises
        raise EngineError(
            f"an operation of your own cannot be sent to a worker process ({error}); define it in a module"
        ) from error


def unpack(own: Own) -> None:
    """The same operations in this process. Raises what their imports raise."""
    from compiler.own import register

    for module, folder in own.modules.items():
        bring(module, folder)
    import cloudpickle

    for one in cloudpickle.loads(own.registered):
        register(one)
