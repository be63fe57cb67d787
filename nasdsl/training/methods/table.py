"""Which file makes what of a call or a setting in `train { }`."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Spec
from nasdsl.language.signatures.table import TRAINING
from nasdsl.training.methods import clip, label_smoothing, mixup
from nasdsl.training.protocols import Maker, Parts, Setup, together
from nasdsl.training.settings import Settings, call, real

# The order is that of the callables on one joint.
METHODS: Mapping[str, Maker] = {
    "label_smoothing": label_smoothing.make,
    "mixup": mixup.make,
    "clip": clip.make,
}


def methods(setup: Setup) -> Parts:
    """Everything that the settings ask for, joined. Raises DataError where a method does not fit the task."""
    asked = ((make, _asked(setup.settings, name)) for name, make in METHODS.items())
    return together(make(spec, setup) for make, spec in asked if spec is not None)


def _asked(settings: Settings, name: str) -> Spec | None:
    """The call of a method; a setting that takes a number is a call with that `value`."""
    row = TRAINING[name]
    if row.group != "setting" or row.arguments[0].kind.type == "call":
        return call(settings, name)
    value = real(settings, name)
    return None if value is None else Spec(name, {"value": value})
