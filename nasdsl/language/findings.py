"""What `check` finds out of a whole space with which nothing is wrong: answers that no network can have, how many points
shapes leave out, and of each `require` line when it is known to hold. Each says how it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nasdsl.language import syntax as s
from nasdsl.language.configuration import LimitError
from nasdsl.language.decisions import Answer
from nasdsl.language.errors import NOWHERE, Diagnostic, Infeasible, SpaceError, Span
from nasdsl.language.fitting import Fitting, Trying
from nasdsl.language.scope import Problems
from nasdsl.language.tree import ChoiceHole, RangeHole, Term

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_MOST_DEAD = 20  # decisions with dead answers that are shown
_DRAWS = 20  # points on which a line is tried that is only known of finished points


def findings(space: Space) -> tuple[Diagnostic, ...]:
    """Warnings of dead answers, and notes of what is proved and how, ordered by place; of a space whose `start` is no
    point of it, what is wrong there."""
    if wrong := _start(space):
        return wrong
    problems = Problems(space.file.source, space.file.imported)
    notes = [_note(problems, *one) for one in (*_shapes(space, problems), *_requires(space))]
    found = [*problems.report(), *notes]
    return tuple(sorted(found, key=lambda one: (one.source.name, one.span.start)))


def _start(space: Space) -> tuple[Diagnostic, ...]:
    """What `start` says that the space does not offer. Whether any point holds every line is not for it to say."""
    try:
        space.start()
    except SpaceError as error:
        return error.diagnostics
    except (Infeasible, LimitError):
        return ()
    return ()


def _note(problems: Problems, code: str, message: str, span: Span, facts: Mapping[str, object]) -> Diagnostic:
    source, span = problems.place(span)
    return Diagnostic(code, message, span, source, (), "note", facts)


_Noted = tuple[str, str, Span, Mapping[str, object]]


def _shapes(space: Space, problems: Problems) -> list[_Noted]:
    """`proof` of what is said of shapes: "all" points proved at once, "counted" one by one, "sampled", or "open"."""
    found = space.fit()
    if found is None:
        return []
    facts: dict[str, object] = {"proof": found}
    match found:
        case "open":
            message = "shapes: checked once the data are read"
        case "all":
            message = "shapes: every network fits, proved for all points"
        case Fitting(written=written, points=points):
            facts = {"proof": "counted", "points": str(points), "written": str(written)}
            message = "shapes: every network fits, all points gone through"
            if points < written:
                message = f"shapes: {points:,} of {written:,} points fit, counted; the others are never drawn"
            _dead(space, problems, found)
        case Trying(drawn=drawn, fit=fit):
            facts = {"proof": "sampled", "drawn": drawn, "fit": fit}
            message = (
                "shapes: too many points to go through; "
                f"of {drawn} drawn without regard to shapes, {fit} fit; the others are never drawn"
            )
    return [("shapes", message, _head(space), facts)]


def _head(space: Space) -> Span:
    network = next((item for item in space.file.items if isinstance(item, s.Network)), None)
    return network.head if network is not None else NOWHERE


def _dead(space: Space, problems: Problems, found: Fitting) -> None:
    """A warning for each decision, at the alternative or the range."""
    for one in list(found.never.values())[:_MOST_DEAD]:
        path, dead = one.path, one.dead
        hole = space.sites.holes.get(space.sites.of(path))
        name = path.rsplit("/", 1)[-1]
        if hole is None and _is_inside_itself(path):
            continue  # `max_depth` ends it there, as it says
        if hole is None or isinstance(hole, RangeHole):
            message = f"no network fits with `{name}` = {_listed([*dead])}: never drawn"
            why, help = next(iter(dead.values()))
            span = hole.span if hole else _head(space)
            problems.warn("dead-answer", message + _because(why), span, _left(one.living) + _or(help))
            continue
        for answer, (why, help) in dead.items():
            shown = {True: "yes", False: "no"}.get(answer, answer) if isinstance(answer, bool) else answer
            message = f"no network fits with `{name} = {shown}`: it is never drawn" + _because(why)
            problems.warn("dead-answer", message, _place(hole, answer), "leave it out" + _or(help))


def _because(why: str) -> str:
    return f"; {why}" if why else ""


def _or(help: str) -> str:
    return f", or {help}" if help else ""


def _is_inside_itself(path: str) -> bool:
    """Whether a decision stands in a block that stands in itself."""
    steps = [step.split("#")[0].split("[")[0] for step in path.split("/")[:-1]]
    return len(set(steps)) < len(steps)


def _place(hole: Term, answer: Answer) -> Span:
    """An alternative, or the whole decision."""
    options = hole.options if isinstance(hole, ChoiceHole) else {}
    there = options[answer].span if answer in options else NOWHERE
    return hole.span if there == NOWHERE else there


def _listed(answers: Sequence[Answer]) -> str:
    shown = ", ".join(str(answer) for answer in answers[:6])
    return shown + (", …" if len(answers) > 6 else "")


def _left(living: Sequence[Answer]) -> str:
    """The range that is left."""
    numbers = sorted(one for one in living if isinstance(one, int))
    if len(living) == 1:
        return f"write `{living[0]}`"
    if numbers and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"write `{numbers[0]}..{numbers[-1]}`"
    return f"what is left is {_listed(living)}"


def _requires(space: Space) -> list[_Noted]:
    """`proof` of a line: "proved" as a point is decided, "bounded" by what there will be at least, "finished" points alone show it, "measured", or "open"."""
    notes: list[_Noted] = []
    drawn: list[tuple[Mapping[str, Answer], Mapping[str, float]]] | None = None
    for line, proof in space.settled():
        message = {
            "proved": "proved as a point is decided",
            "bounded": "pruned by a lower bound as a point is decided, and checked when it is finished",
            "finished": "checked when a point is finished",
            "measured": "measured before training",
            "open": "open until the data are read",
        }[proof]
        facts: dict[str, object] = {"proof": proof}
        if proof in ("bounded", "finished"):
            drawn = _drawn(space) if drawn is None else drawn
            held = sum(line.holds(point, costs) for point, costs in drawn)
            facts |= {"drawn": len(drawn), "held": held}
            message += f"; of {len(drawn)} points drawn, {held} hold it" if drawn else ""
        notes.append(("require", f"`require` is {message}", line.condition.span, facts))
    return notes


def _drawn(space: Space) -> list[tuple[Mapping[str, Answer], Mapping[str, float]]]:
    """Points that fit, whatever the lines say of them, and what they cost; few or none where points are large."""
    points = space.drawn(_DRAWS)
    return [(point, space.quantities(point)) for point in points]


def pruned(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Of findings, what an editor shows: problems, and the note that some points are left out."""
    shown = []
    for one in found:
        leaves_out = one.facts.get("written") != one.facts.get("points") or one.facts.get(
            "fit"
        ) != one.facts.get("drawn")
        if one.severity != "note" or (one.code == "shapes" and leaves_out):
            shown.append(one)
    return shown
