"""What cannot stand together in `train { }`: said when the file is checked. `task_rules.py` says what does not fit a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nasdsl.language.laws import is_law
from nasdsl.language.network import Task
from nasdsl.language.scope import Checker
from nasdsl.language.task_rules import fits_task, names_of, options_of
from nasdsl.language.terms import children, outcomes
from nasdsl.language.tree import (
    Assign,
    Branch,
    Constant,
    Fork,
    Loop,
    Make,
    Permute,
    Pick,
    Sequence,
    Statement,
    ValueTerm,
)

_ALTERNATIVES = "leave one out, or write them as alternatives: `{ a } | { b }`"

# Two settings that no point may have at once, and why.
APART: Mapping[tuple[str, str], str] = {
    ("elr", "label_smoothing"): "ELR is tuned to plain labels, and smoothing changes what it competes with",
    ("elr", "mixup"): "ELR keeps the answer to each sample, and mixup shows none as it is",
    ("elr", "cutmix"): "ELR keeps the answer to each sample, and cutmix shows none as it is",
    ("elr", "adamixup"): "ELR keeps the answer to each sample, and adamixup shows none as it is",
    ("ps_kd", "label_smoothing"): "both soften the targets",
    ("adamixup", "mixup"): "each would mix what the other has mixed",
    ("adamixup", "cutmix"): "each would mix what the other has mixed",
}
_FROM_THE_START = ("anchor", "tune", "pela")


@dataclass(frozen=True)
class _Place:
    """A setting, and the answers of the choices that it stands under."""

    setting: Assign
    under: tuple[tuple[int, object], ...]

    def meets(self, other: _Place) -> bool:
        """Whether a point can have both."""
        mine = dict(self.under)
        return all(mine.get(fork, answer) == answer for fork, answer in other.under)


def refuse_misfits(c: Checker, training: Statement, task: Task) -> None:
    """Report every setting that does not fit the task, and every pair that must not meet."""
    places = list(_places(training, ()))
    for place in places:
        fits_task(c, place.setting, task)
        _has_a_start(c, place.setting)
        _starts_anew(c, place.setting)
        _has_low_rank(c, place.setting)
        _extrapolates(c, place.setting, task)
    for number, first in enumerate(places):
        for second in places[number + 1 :]:
            if first.meets(second):
                _apart(c, first.setting, second.setting)


def _places(statement: Statement | None, under: tuple[tuple[int, object], ...]) -> Iterator[_Place]:
    match statement:
        case Assign():
            yield _Place(statement, under)
        case Sequence(items=items):
            for item in items:
                yield from _places(item, under)
        case Fork(bodies=bodies):
            for answer, body in bodies.items():
                yield from _places(body, (*under, (id(statement), answer)))
        case Branch(then=then, otherwise=otherwise):
            yield from _places(then, (*under, (id(statement), True)))
            yield from _places(otherwise, (*under, (id(statement), False)))
        case Permute(members=members) | Pick(members=members):
            for body in members.values():
                yield from _places(body, under)
        case Loop(body=body):
            yield from _places(body, under)
        case _:
            return


def _starts_anew(c: Checker, setting: Assign) -> None:
    """What draws or scales initial weights would spoil trained ones."""
    if setting.name == "scale" and any(row.name == "pretrained" for row in c.problems.facts.rows.values()):
        message = "`scale = mup` changes the weights that training begins with, and these are trained ones"
        c.problems.error("misfit", message, setting.span, "leave `scale` out, or begin without `pretrained`")


def _has_low_rank(c: Checker, setting: Assign) -> None:
    if setting.name == "pela" and not any(row.name == "low_rank" for row in c.problems.facts.rows.values()):
        message = "`pela` keeps low-rank layers close to full ones, and no layer here can have `low_rank`"
        c.problems.error(
            "misfit", message, setting.span, "say `weight = low_rank(ratio = 2)`, or leave it out"
        )


def _extrapolates(c: Checker, setting: Assign, task: Task) -> None:
    """A law is worth as much as what it was fitted to is like what it is used for."""
    if task.kind == "next_token" or not _holds_law(setting.value):
        return
    message = (
        f"`step_law` was fitted to language models, and this is a {task.kind} task: a first guess at most"
    )
    help = "search around it: `lr = step_law * (0.1..10 log)`"
    if setting.name == "batch_size":
        help = "let the search decide between it and sizes of yours: `batch_size = step_law | 32 | 64 | 128`"
    c.problems.warn("extrapolates", message, setting.span, help)


def _holds_law(term: ValueTerm) -> bool:
    return (isinstance(term, Constant) and is_law(term.value)) or any(map(_holds_law, children(term)))


def _has_a_start(c: Checker, setting: Assign) -> None:
    """Without trained weights, what keeps to the start keeps to chance."""
    if setting.name not in _FROM_THE_START or names_of(setting) <= {"tune", "all"}:
        return
    if not any(row.name == "pretrained" for row in c.problems.facts.rows.values()):
        message = (
            f"`{setting.name}` keeps to the weights that training begins with, and these are drawn by chance"
        )
        help = 'start from trained ones: `pretrained("file.safetensors") { … }` in the network'
        c.problems.warn("no-start", message, setting.span, help)


def _apart(c: Checker, first: Assign, second: Assign) -> None:
    for (a, b), why in APART.items():
        if {first.name, second.name} == {a, b}:
            message = f"`{first.name}` and `{second.name}` can be on at once: {why}"
            c.problems.error("misfit", message, second.span, _ALTERNATIVES)
    by_name = {first.name: first, second.name: second}
    schedule, optimizer = by_name.get("schedule"), by_name.get("optimizer")
    if schedule is not None and optimizer is not None and "hypergradient" in names_of(schedule):
        _follows_adam(c, schedule, optimizer)
    init = sorted(names_of(by_name["init"]) - {"init", "default"}) if "init" in by_name else []
    if init and "pela" in by_name:
        message = (
            f"`pela` and `init = {init[0]}` can be on at once: what is drawn anew is factored from nothing"
        )
        c.problems.error("misfit", message, second.span, "leave `init` out there")
    scale = by_name.get("scale")
    if scale is not None and optimizer is not None and "muon" in names_of(optimizer):
        message = "`scale = mup` and `muon` can meet: muon's steps are orthogonal matrices, whose size no width changes"
        c.problems.error("misfit", message, second.span, "leave `scale` out there")


def _follows_adam(c: Checker, schedule: Assign, optimizer: Assign) -> None:
    """`hypergradient(adam)` looks at the moments that only Adam keeps."""
    others = sorted(names_of(optimizer) - {"optimizer", "adam", "adamw"})
    for outcome in outcomes(schedule.value):
        if not isinstance(outcome, Make) or outcome.signature.name != "hypergradient":
            continue
        if others and "adam" in options_of(outcome, "kind"):
            message = f"`hypergradient(adam)` compares with the steps of Adam, and the optimizer can be `{others[0]}`"
            c.problems.error("misfit", message, schedule.span, "use `hypergradient(sgd)` there")
