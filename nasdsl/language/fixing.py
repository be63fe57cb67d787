"""Answers fixed before a search: every point that `decide` gives has them wherever their paths open.

A fixed answer is like a `require`: the walk offers nothing else, so sampling, mutation and every
searcher keep to it, while `count`, `rank` and `enumerate` still range over the whole tree.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from nasdsl.language.decisions import (
    Answer,
    Decision,
    Domain,
    Integers,
    Options,
    Reals,
    contains,
    default,
    draw,
)
from nasdsl.language.errors import AnswerError, Infeasible
from nasdsl.language.moves import Choose, walk
from nasdsl.language.suggest import did_you_mean

if TYPE_CHECKING:
    from nasdsl.language.space import Space

_SAMPLES = 64  # walks that look for the paths that can open
_SHOWN = 12  # answers named in a message
TRUTH = {
    "yes": True,
    "true": True,
    "no": False,
    "false": False,
}  # as people write them, and as points print them

Openings: TypeAlias = Mapping[str, tuple[Domain, ...]]


def openings(space: Space) -> Openings:
    """The paths that can open, each with the domains seen there: by default, and over some walks at
    random, which draw alternatives alike whatever their prior, so that rare ones are met too."""
    rng = random.Random("openings")
    seen: dict[str, dict[Domain, None]] = {}
    choices: list[Choose] = [default]
    choices += [lambda decision: _any(decision, rng)] * _SAMPLES
    for choose in choices:
        for decision in walk(space, choose)[1]:
            seen.setdefault(decision.path, {})[decision.domain] = None
    return {path: tuple(domains) for path, domains in seen.items()}


def fix(space: Space, answers: Mapping[str, Answer], also: Iterable[str] = ()) -> Space:
    """The space with these answers fixed.

    `also`: other names that the caller understands, for the did-you-mean. Raises AnswerError, with
    every problem, for paths that never open and answers that are not offered, and Infeasible where
    no point has them all.
    """
    opened = openings(space)
    answers = {path: meant(answer, opened.get(path, ())) for path, answer in answers.items()}
    common = {path: answer for path, answer in answers.items() if path in opened}
    problems = list(_refused(common, opened))
    if not problems:
        space = space.fixed_at(common)
        # Again, under what is fixed: `network/family = dense` opens deep paths more often, others never.
        opened = openings(_possible(space))
    for path in answers:
        if path not in opened:
            problems.append(_unknown(path, [*opened, *also], path in common))
    rest = {p: meant(answers[p], opened[p]) for p in answers if p not in common and p in opened}
    problems += _refused(rest, opened)
    if problems:
        raise AnswerError("\n".join(problems))
    return _possible(space.fixed_at(rest)) if rest else space


def meant(answer: Answer, domains: Iterable[Domain]) -> Answer:
    """`yes` and `no` are names where alternatives are names, and truth values elsewhere, as `true` and `false` are."""
    other: Answer = said(answer) if isinstance(answer, bool) else TRUTH.get(f"{answer}", answer)
    for domain in domains:
        for reading in (answer, other):
            if contains(domain, reading):
                return reading
    return answer


def _refused(answers: Mapping[str, Answer], opened: Openings) -> Iterator[str]:
    for path, answer in answers.items():
        if not any(contains(domain, answer) for domain in opened[path]):
            yield f"`{path}` cannot be {said(answer)}; it offers {_offers(opened[path])}"


def _possible(space: Space) -> Space:
    try:
        space.default()
    except Infeasible as error:
        fixed = ", ".join(f"{path}={said(answer)}" for path, answer in space.fixed.items())
        raise Infeasible(f"no point has {fixed}: {error}") from error
    return space


def _any(decision: Decision, rng: random.Random) -> Answer:
    domain = decision.domain
    return rng.choice(domain.values) if isinstance(domain, Options) else draw(domain, rng)


def _unknown(path: str, known: list[str], otherwise_known: bool) -> str:
    if otherwise_known:
        return f"`{path}` never opens beside the other answers that are fixed"
    names = list(dict.fromkeys(known))
    last = path.rsplit("/", 1)[-1]
    ends = [name for name in names if name.rsplit("/", 1)[-1] == last]
    short = [name.rsplit("/", 1)[-1] for name in names]
    hint = f"did you mean `{ends[0]}`?" if ends else did_you_mean(path, names) or did_you_mean(last, short)
    if not hint:
        hint = "there are " + ", ".join(f"`{name}`" for name in names[:_SHOWN])
        hint += ", …" if len(names) > _SHOWN else ""
    return f"no decision `{path}` can open; {hint}"


def said(answer: Answer) -> str:
    """An answer as people write it."""
    return {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else f"{answer}"


def _offers(domains: tuple[Domain, ...]) -> str:
    """Lists are told as one, in the order of the space as far as the walks showed it."""
    listed = [value for domain in domains if isinstance(domain, Options) for value in domain.values]
    unlisted = [offered(domain) for domain in domains if not isinstance(domain, Options)]
    lists = [offered(Options(tuple(dict.fromkeys(listed)), ()))] if listed else []
    return " or ".join(dict.fromkeys([*lists, *unlisted]))


def offered(domain: Domain) -> str:
    """What a decision offers, as people write it."""
    match domain:
        case Options(values=values):
            more = ", …" if len(values) > _SHOWN else ""
            return ", ".join(said(value) for value in values[:_SHOWN]) + more
        case Integers(low=low, high=high, step=step):
            return f"{low}..{high}" + (f" step {step}" if step > 1 else "")
        case Reals(low=low, high=high):
            return f"{low:g}..{high:g}"
