"""What `--set PATH=VALUE` means: an answer to a decision, or a setting of `train` that stands fixed.

A path that can open is a decision, also without its `train/`; any other is a setting: `epochs`, or an
argument of one, `optimizer/momentum`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nasdsl.engine.errors import EngineError
from nasdsl.language.decisions import Answer
from nasdsl.language.errors import AnswerError
from nasdsl.language.fixing import fix, openings, said
from nasdsl.language.kinds import describe, suits
from nasdsl.language.network import Spec, Value
from nasdsl.language.signatures.signature import Argument
from nasdsl.language.signatures.table import TRAINING, find, names

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_TRAIN = "train/"


def apply(space: Space, given: Mapping[str, Answer]) -> tuple[Space, dict[str, Answer]]:
    """The space with its answers fixed, and the settings that are no decisions, by their names.

    Raises EngineError for paths that mean nothing and values that do not fit, Infeasible where no point
    has all the answers.
    """
    if not given:
        return space, {}
    answers: dict[str, Answer] = {}
    settings: dict[str, Answer] = {}
    opened = openings(space)
    for name, value in given.items():
        setting = name.removeprefix(_TRAIN)
        path = name if name in opened else f"{_TRAIN}{name}"
        if path not in opened and space.has_network and _is_setting(setting):
            settings[setting] = value
        else:
            answers[path if path in opened else name] = value
    _check(settings)
    known = [
        row.name for row in TRAINING.values() if row.group in ("setting", "regularizer") and not row.later
    ]
    try:
        return fix(space, answers, [f"{_TRAIN}{name}" for name in known]) if answers else space, settings
    except AnswerError as error:
        raise EngineError(f"{error}") from error


def _is_setting(name: str) -> bool:
    head, *_ = name.split("/")
    row = TRAINING.get(head)
    return row is not None and row.group in ("setting", "regularizer") and not row.later


def _check(settings: Mapping[str, Answer]) -> None:
    """Raises EngineError for a value that its setting does not take."""
    for name, value in settings.items():
        head, *rest = name.split("/")
        if not rest and TRAINING[head].group == "regularizer":
            if not isinstance(value, bool):
                raise EngineError(f"`{head}` is {said(value)}; it takes yes or no")
            continue
        candidates = _arguments(head, rest)
        if not candidates:
            raise EngineError(f"`{_TRAIN}{name}` is no setting; `{head}` has no argument of that name")
        if not any(_takes(argument, value) for argument in candidates):
            raise EngineError(f"`{_TRAIN}{name}` takes {describe(candidates[0].kind)}, not {said(value)}")


def _arguments(head: str, rest: list[str]) -> list[Argument]:
    """The rows of the table that a path may mean: `optimizer/lr` is an argument of each optimizer."""
    row = TRAINING[head]
    if not rest:
        return list(row.arguments)
    groups = row.arguments[0].kind.groups if row.group == "setting" else ()
    rows = [find(name, groups) for name in names(groups)] if groups else [row]
    return [other.by_name[rest[0]] for other in rows if other and len(rest) == 1 and rest[0] in other.by_name]


def _takes(argument: Argument, value: Answer) -> bool:
    if argument.kind.type != "call":
        return suits(value, argument.kind)
    row = find(value, argument.kind.groups) if isinstance(value, str) else None
    return row is not None and not row.later


def overridden(settings: Mapping[str, Value], fixed: Mapping[str, Answer]) -> dict[str, Value]:
    """The settings of a point with what `apply` fixed; an argument holds where its call is chosen."""
    result = dict(settings)
    for name, value in sorted(fixed.items(), key=lambda item: item[0].count("/")):
        head, *rest = name.split("/")
        if head not in TRAINING:
            continue  # a decision, which the point answers
        if rest:
            call = result.get(head)
            if isinstance(call, Spec) and _has_argument(head, call, rest[0]):
                result[head] = Spec(call.name, {**call.arguments, rest[0]: value})
        elif value is False:
            result.pop(head, None)
        else:
            result[head] = Spec(_call_name(head, value)) if _is_call(head, value) else value
    return result


def _has_argument(head: str, call: Spec, name: str) -> bool:
    setting = TRAINING[head]
    groups = setting.arguments[0].kind.groups if setting.group == "setting" else (setting.group,)
    row = find(call.name, groups)
    return row is not None and name in row.by_name


def _is_call(head: str, value: Answer) -> bool:
    row = TRAINING[head]
    return row.group == "regularizer" or row.arguments[0].kind.type == "call"


def _call_name(head: str, value: Answer) -> str:
    return value if isinstance(value, str) else head
