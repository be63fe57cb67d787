"""The settings of `train { }` as the trainer reads them, defaults of the table filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.table import TRAINING, find
from nasdsl.training.errors import DataError

Settings: TypeAlias = Mapping[str, Value]


def setting(settings: Settings, name: str) -> Value:
    """The value of a setting, or its documented default."""
    value = settings.get(name)
    return TRAINING[name].arguments[0].default if value is None else value


def whole(settings: Settings, name: str) -> int:
    """A setting that counts something. Raises DataError for anything but a positive whole number."""
    value = setting(settings, name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise DataError(f"`{name}` is {value!r}; it takes a whole number of at least 1")
    return value


def real(settings: Settings, name: str) -> float | None:
    """A setting that may be left out. Raises DataError for anything but a number."""
    value = setting(settings, name)
    return None if value is None else number(value, name)


def call(settings: Settings, name: str) -> Spec | None:
    """A setting whose value is a call (`optimizer = sgd(0.1)`), or a regularizer; None where it is absent.

    A bare name stands for the call with its defaults. Raises DataError for calls the table does not know.
    """
    row = TRAINING[name]
    value = setting(settings, name) if row.group == "setting" else settings.get(name)
    if value is None or value is False:
        return None
    spec = Spec(value) if isinstance(value, str) else value
    if not isinstance(spec, Spec):
        raise DataError(f"`{name}` is {value!r}; it takes a call")
    return _complete(name, spec)


def _complete(name: str, spec: Spec) -> Spec:
    setting = TRAINING[name]
    row = find(
        spec.name, setting.arguments[0].kind.groups if setting.group == "setting" else (setting.group,)
    )
    if row is None or row.later:
        raise DataError(f"`{name} = {spec.name}` is not part of this version")
    return Spec(spec.name, {a.name: spec.arguments.get(a.name, a.default) for a in row.arguments})


def number(value: Value, name: str) -> float:
    """A value as a float. Raises DataError for values that are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"`{name}` is {value!r}; it takes a number")
    return float(value)


def numbers(spec: Spec) -> dict[str, float]:
    """All numbers among the arguments of a call."""
    return {
        name: float(value)
        for name, value in spec.arguments.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
