"""`start { }`: the point that is evaluated first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Answer, Decision, contains, default
from nasdsl.language.errors import Diagnostic, SpaceError
from nasdsl.language.fixing import meant, offered, said
from nasdsl.language.point import Point
from nasdsl.language.suggest import did_you_mean

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_MOST_SHOWN = 6  # decisions in a help line


def start_point(space: Space, settings: tuple[s.Setting, ...]) -> Point:
    """The named point, the rest by default. Raises SpaceError for answers that are not offered."""
    wanted: dict[str, tuple[Answer, s.Syntax]] = {}
    for setting in settings:
        _collect(setting.path, setting.value, wanted, space)
    used: set[str] = set()
    seen: list[str] = []
    problems: list[Diagnostic] = []

    def choose(decision: Decision) -> Answer:
        seen.append(decision.path)
        if decision.path not in wanted:
            return default(decision)
        answer, node = wanted[decision.path]
        used.add(decision.path)
        answer = meant(answer, [decision.domain])
        if contains(decision.domain, answer):
            return answer
        message = f"`{decision.path}` cannot be {said(answer)}"
        problems.append(_problem(space, "bad-start", message, node, f"it offers {offered(decision.domain)}"))
        return default(decision)

    point = space.decide(choose)
    for path, (_, node) in wanted.items():
        if path not in used:
            message = f"no decision `{path}` opens in this point"
            help = did_you_mean(path, seen) or _decided(seen)
            problems.append(_problem(space, "bad-start", message, node, help))
    if problems:
        raise SpaceError(sorted(problems, key=lambda problem: problem.span.start))
    return point


def _collect(path: str, node: s.Value, wanted: dict[str, tuple[Answer, s.Syntax]], space: Space) -> None:
    """`train/optimizer = adamw(lr = 3e-4)` answers the optimizer and its rate."""
    match node:
        case s.Number(value=value) | s.String(value=value):
            wanted[path] = (value, node)
        case s.Unary(operator="-", operand=s.Number(value=value)):
            wanted[path] = (-value, node)
        case s.Name(id=name):
            wanted[path] = ({"yes": True, "no": False}.get(name, name), node)
        case s.Call(name=name, arguments=arguments):
            wanted[path] = (name, node)
            for argument in arguments:
                if argument.name is None:
                    message = "arguments in `start` go by name"
                    help = f"for example `{path} = {name}(lr = 1e-3)`"
                    raise SpaceError([_problem(space, "bad-start", message, argument, help)])
                _collect(f"{path}/{argument.name}", argument.value, wanted, space)
        case _:
            message = "an answer is a number, a name or a call"
            help = f"write one answer: `{path} = 16`; a `start` decides, it offers no choice"
            raise SpaceError([_problem(space, "bad-start", message, node, help)])


def _problem(space: Space, code: str, message: str, node: s.Syntax, help: str) -> Diagnostic:
    return Diagnostic(code, message, node.span, space.file.source, (help,))


def _decided(paths: list[str]) -> str:
    """Some of the decisions of a point."""
    if not paths:
        return "this point decides nothing: leave the line out"
    shown = ", ".join(f"`{path}`" for path in paths[:_MOST_SHOWN])
    return f"it decides {shown}" + (
        f", and {len(paths) - _MOST_SHOWN} more" if len(paths) > _MOST_SHOWN else ""
    )
