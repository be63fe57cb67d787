"""Every decision of a space by its site: its path without the numbers of copies.

Read off the terms, without a walk, so that two versions of a space can be laid beside each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from nasdsl.language.configuration import TOP, YES_OR_NO, join
from nasdsl.language.decisions import Domain, Options
from nasdsl.language.depth import deep_recursion
from nasdsl.language.errors import NOWHERE, Span
from nasdsl.language.node import Node
from nasdsl.language.tree import (
    ChoiceHole,
    Definition,
    Enter,
    Hole,
    Loop,
    OptionalHole,
    Outer,
    Permute,
    Pick,
    RangeHole,
    Sequence,
    Statement,
    Use,
)

_NUMBER = re.compile(r"#\d+$")
_COPY = re.compile(r"\[\d+\]")
_ORDER = re.compile(r"/order\[\d+\]$")
MOST_SITES = 100_000


@dataclass
class Sites:
    """`domains`: what is offered at each site; None where that depends on other answers, or on which of
    several decisions stands there. `siblings`: how many of a name stand in one body, by the site of the body
    and the name."""

    domains: dict[str, Domain | None] = field(default_factory=dict)
    siblings: Counter[tuple[str, str]] = field(default_factory=Counter)
    holes: dict[str, Hole | Statement] = field(
        default_factory=dict
    )  # what decides there, the first of its site
    spans: dict[str, Span] = field(
        default_factory=dict
    )  # the statement that a site, or a step to one, stands in
    is_cut: bool = False  # more than MOST_SITES: the others are not here
    steps: set[str] = field(default_factory=set)  # every site and all that is on the way to it

    def note(self, site: str, domain: Domain | None) -> None:
        """A decision; where another has the same site, both must offer the same."""
        known = self.domains.setdefault(site, domain)
        if known != domain:
            self.domains[site] = None

    def of(self, path: str) -> str:
        """The site of a decision's path: `repeat[1]` is `repeat[]`, but the nodes of a cell are told apart."""
        site = ""
        for step in _ORDER.sub("/order", path).split("/"):
            exact = join(site, step)
            site = exact if exact in self.steps else join(site, _COPY.sub("[]", step))
        return site


def body_and_name(site: str) -> Iterator[tuple[str, str]]:
    """Each step on the way to a site: the body it is in, and its name without the number of the sibling."""
    body = ""
    for step in site.split("/"):
        yield body, _NUMBER.sub("", step.removesuffix("[]"))
        body = join(body, step)


@deep_recursion()
def sites_of(program: Statement) -> Sites:
    """All decisions of a checked program."""
    found = Sites()
    keys: set[str] = set()
    for site, domain, node, span in _Reader().read(program):
        keys.add(site)
        found.spans.setdefault(site, span)
        if node is not None:
            found.note(site, domain)
            found.holes.setdefault(site, node)
        if len(keys) > MOST_SITES:
            found.is_cut = True
            break
    found.steps = {"/".join(key.split("/")[:n]) for key in keys for n in range(1, key.count("/") + 2)}
    for step in found.steps:
        found.siblings[list(body_and_name(step))[-1]] += 1
    return found


_Found = tuple[str, Domain | None, Hole | Statement | None, Span]  # where nothing is decided, no node


class _Reader:
    """Follows the terms with the path that each label stands for; a block inside itself is read once."""

    def __init__(self) -> None:
        self._frames: list[dict[int, str]] = [{}, {0: ""}]
        self._open: list[Definition] = []
        self._statement = NOWHERE  # the innermost that is being read

    def read(self, node: object) -> Iterator[_Found]:
        match node:
            case tuple():
                for one in node:
                    yield from self.read(one)
            case dict():
                for one in node.values():
                    yield from self.read(one)
            case Enter(label=label, key=key):
                self._frames[-1][label] = join(self._frames[-1][0], key)
            case Use():
                yield from self._use(node)
            case Outer(inner=inner):
                self._frames.append(self._frames[TOP])
                yield from self.read(inner)
                self._frames.pop()
            case Loop():
                yield from self.read(node.count)
                site = self._site(node.label, node.key) + ("" if node.tied else "[]")
                yield site, None, None, node.span
                self._frames[-1][node.copy_label] = site
                yield from self.read(node.body)
            case Hole():
                yield self._site(node.label, node.key), _domain(node), node, self._statement
                yield from self._inner(node)
            case Permute():
                site = self._site(node.label, node.key)
                yield from ((f"{site}/{member}", YES_OR_NO, node, node.span) for member in node.optional)
                if len(node.members) > 1:
                    names = tuple(sorted(node.members))
                    yield f"{site}/order", Options(names, (1.0,) * len(names)), node, node.span
                yield from self._inner(node)
            case Pick():
                site = self._site(node.label, node.key)
                yield from ((f"{site}/{member}", YES_OR_NO, node, node.span) for member in node.members)
                yield from self._inner(node)
            case Statement() if node.span != NOWHERE and not isinstance(node, Sequence):
                outer, self._statement = self._statement, node.span
                yield from self._inner(node)
                self._statement = outer
            case Node():
                yield from self._inner(node)

    def _inner(self, node: Node) -> Iterator[_Found]:
        for name in node._fields:
            inner = getattr(node, name)
            if name != "span" and isinstance(inner, Node | tuple | dict):
                yield from self.read(inner)

    def _site(self, label: int, key: str) -> str:
        return join(self._frames[-1].get(label, ""), key)

    def _use(self, node: Use) -> Iterator[_Found]:
        site = self._site(node.label, node.key)
        self._frames[-1][node.inner_label] = site
        yield site, None, None, node.span
        yield from self.read(node.arguments)
        if node.definition in self._open:
            return
        self._open.append(node.definition)
        self._frames.append({0: site})
        yield from self.read(node.definition.body)
        self._frames.pop()
        self._open.pop()


def _domain(hole: Hole) -> Domain | None:
    match hole:
        case RangeHole(domain=domain) | ChoiceHole(domain=domain):
            return domain
        case OptionalHole():
            return YES_OR_NO
        case _:
            return None
