"""What to write instead: the `help:` of problems that several places report."""

from __future__ import annotations

from collections.abc import Iterable

from nasdsl.language.network import Value
from nasdsl.language.signatures.signature import Kind

_MOST_LISTED = 10
_CALLS = {
    "optimizer": "adamw(lr = 1e-3)",
    "schedule": "cosine",
    "loss": "cross_entropy",
    "weight": "low_rank(8)",
    "stop": "epochs(20)",
    "policy": "head",
    "activation": "relu",
    "layer": "linear(16)",
    "selection": "subset(0.5)",
    "scale": "mup(base = 64)",
}
_PLACES = {
    "layer": "layers stand in `network {{ }}`",
    "activation": "activations stand in `network {{ }}`",
    "wrapper": "it stands around layers in `network {{ }}`",
    "weight": "it is the weight of a layer: `linear(16, weight = {name})`",
    "optimizer": "it is a value of a setting: `train {{ optimizer = {name} }}`",
    "schedule": "it is a value of a setting: `train {{ schedule = {name} }}`",
    "loss": "it is a value of a setting: `train {{ loss = {name} }}`",
    "stop": "it is a value of a setting: `train {{ until = {name}(…) }}`",
    "policy": "it is a value of a setting: `train {{ tune = {name} }}`",
    "selection": "it is a value of a setting: `train {{ data = {name}(…) }}`",
    "scale": "it is a value of a setting: `train {{ scale = {name}(…) }}`",
    "law": "it is a value of a setting: `train {{ lr = {name} }}`",
    "setting": "settings get a value in `train {{ }}`: `train {{ {name} = … }}`",
    "regularizer": "it stands in `train {{ }}`",
    "augmentation": "it stands in `train {{ }}`",
    "augment": "it stands in `train {{ augment {{ }} }}`",
    "data": "data stand in the line of the task: `task classification on {name}`",
}


def its_place(name: str, group: str) -> str:
    """Where an operation of that group stands."""
    return _PLACES[group].format(name=name)


def remedy(name: str, value: Value, kind: Kind) -> str:
    """What to write in place of a value that does not suit the argument `name`."""
    numeric = kind.type in ("int", "real", "numbers")
    if numeric and isinstance(value, str) and _is_number(value):
        return f"leave out the quotes: `{_set(name, value)}`"
    if numeric and type(value) is float and kind.type != "real" and not value.is_integer() and abs(value) > 1:
        return "`round(…)` makes it a whole number"
    if numeric and isinstance(value, bool):
        return "alternatives are written `3 | 5`; `or`, `and` and comparisons give yes or no"
    if not numeric and kind.type != "string" and isinstance(value, str) and value.isidentifier():
        return f"leave out the quotes: `{_set(name, value)}`"
    if kind.type in ("int", "numbers") and isinstance(value, int) and value < 0:
        return f"{for_example(name, kind)}; a range has two dots: `16..64`"
    if kind.type == "real" and kind.high == 1 and isinstance(value, int | float) and 1 < value <= 100:
        return f"if a share of 100 is meant, write `{value:g}%`"
    return for_example(name, kind)


def for_example(name: str, kind: Kind) -> str:
    """One value that an argument of this kind takes."""
    return f"for example `{_set(name, _example(kind))}`"


def _set(name: str, value: str) -> str:
    return f"{name} = {value}" if name else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _example(kind: Kind) -> str:
    match kind.type:
        case "int" | "numbers":
            low = 1 if kind.low is None else max(1, int(kind.low))
            return str(max(low, 16) if kind.high is None or kind.high >= 16 else int(kind.high))
        case "real":
            if kind.high is not None:
                return f"{((kind.low or 0) + kind.high) / 2:g}"
            return "0.1" if kind.low in (None, 0) else f"{max(1.0, kind.low or 0):g}"
        case "bool":
            return "yes"
        case "string":
            return '"…"'
        case "name":
            return kind.options[0]
        case _:
            return next((_CALLS[group] for group in kind.groups if group in _CALLS), "any(2)")


def one_of(names: Iterable[str]) -> str:
    """The names that there are, or the first of them."""
    listed = [f"`{name}`" for name in dict.fromkeys(names)]
    if not listed:
        return "there is none to name"
    if len(listed) > _MOST_LISTED:
        return f"there are {', '.join(listed[:_MOST_LISTED])}, …"
    return "there is " + (listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}")


def sum_up(error: Exception) -> str:
    """What to do about arithmetic that has no value."""
    if isinstance(error, ZeroDivisionError):
        return "divide by something above 0, such as `max(1, …)`"
    if isinstance(error, TypeError):
        return "only numbers can be reckoned with; what is one of several words is compared by `==`"
    return "use smaller numbers: a network needs none of more than 300 digits"
