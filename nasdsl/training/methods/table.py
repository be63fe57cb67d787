"""Which file makes what of a call or a setting in `train { }`."""

from __future__ import annotations

from collections.abc import Mapping

from nasdsl.language.network import Spec
from nasdsl.language.signatures.table import TRAINING
from nasdsl.training.methods import (
    adamixup,
    anchor,
    average,
    clip,
    cutmix,
    drop_path,
    dropout,
    elr,
    label_smoothing,
    mixup,
    mup,
    pela,
    ps_kd,
    subset,
    tune,
)
from nasdsl.training.methods.augment import AUGMENTATIONS
from nasdsl.training.protocols import Maker, Parts, Setup, together
from nasdsl.training.settings import Settings, call, real

# The order is that of the callables on one joint. Freezing stands before all that looks at what is trained.
METHODS: Mapping[str, Maker] = {
    "scale": mup.make,
    "tune": tune.make,
    "data": subset.make,
    "label_smoothing": label_smoothing.make,
    "ps_kd": ps_kd.make,
    "mixup": mixup.make,
    "adamixup": adamixup.make,
    "cutmix": cutmix.make,
    "elr": elr.make,
    "anchor": anchor.make,
    "pela": pela.make,
    "drop_path": drop_path.make,
    "dropout": dropout.make,
    "clip": clip.make,
    "average": average.make,
}


def methods(setup: Setup) -> Parts:
    """Everything that the settings ask for, joined. Raises DataError where a method does not fit the task.

    Changes of the inputs act in the order in which the settings name them.
    """
    augmented = [(make, name) for name in setup.settings if (make := AUGMENTATIONS.get(name))]
    makers = [*augmented, *((make, name) for name, make in METHODS.items())]
    asked = ((make, _asked(setup.settings, name)) for make, name in makers)
    return together(make(spec, setup) for make, spec in asked if spec is not None)


def _asked(settings: Settings, name: str) -> Spec | None:
    """The call of a method; a setting that takes a number is a call with that `value`."""
    row = TRAINING[name]
    if row.group != "setting" or row.arguments[0].kind.type == "call":
        return call(settings, name)
    value = real(settings, name)
    return None if value is None else Spec(name, {"value": value})
