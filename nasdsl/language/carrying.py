"""Answers from one version of a space in another: which stand, which do not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from nasdsl.language.decisions import Answer, Decision, Domain, Integers, Options, Reals, contains, middle
from nasdsl.language.fixing import meant
from nasdsl.language.point import Point
from nasdsl.language.scope import Problems
from nasdsl.language.sites import MOST_SITES, body_and_name

if TYPE_CHECKING:
    from nasdsl.language.space import Space

Change: TypeAlias = Literal["came", "went", "widened", "narrowed", "changed", "unclear"]


@dataclass(frozen=True)
class Difference:
    """One decision that is not the same in both versions. `old`, `new`: what is offered, in words."""

    site: str
    change: Change
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class Carried:
    """A point of the new version. `kept`: the paths whose answers it has from the old point; `dropped`: paths of the
    old point that it does not follow, and why; `fresh`: paths that the old point does not answer."""

    point: Point
    kept: tuple[str, ...]
    dropped: Mapping[str, str]
    fresh: tuple[str, ...]


class Carrier:
    """From the points of one version of a space to those of another.

    Paths are the same decision in both, but where unnamed siblings of one kind were added, removed or changed places (`conv`,
    `conv#2` and now `conv#3`): there nothing says which is which, and nothing is guessed. A label does.
    """

    def __init__(self, old: Space, new: Space) -> None:
        self._new = new
        self._sites = (old.sites, new.sites)
        self.unclear = _unclear(old, new)

    def carry(self, point: Point) -> Carried:
        """The point of the new version that follows the old one wherever it can; what it cannot be asked
        of the old one is by default. Raises Infeasible where the new version has no point."""
        dropped = {path: reason for path in point if (reason := self._unclear_at(path))}
        offered: dict[str, bool] = {}

        def choose(decision: Decision) -> Answer:
            path, domain = decision.path, decision.domain
            if path in point and path not in dropped:
                answer = meant(point[path], [domain])
                offered[path] = contains(domain, answer)
                if offered[path]:
                    return answer
            return middle(domain)

        found = self._new.decide(choose)
        for path in point:
            if path in dropped or offered.get(path):
                continue
            dropped[path] = "is not offered any more" if path in offered else self._gone(path)
        kept = tuple(path for path in found if path in point and path not in dropped)
        return Carried(found, kept, dropped, tuple(path for path in found if path not in kept))

    def _gone(self, path: str) -> str:
        known = self._sites[1].of(path) in self._sites[1].domains
        return "does not open in this point" if known else "is no decision any more"

    def _unclear_at(self, path: str) -> str:
        for family in body_and_name(self._sites[0].of(path)):
            if family in self.unclear:
                return f"has unnamed siblings: which `{family[1]}` is which? Label them in both versions"
        return ""


def differences(old: Space, new: Space) -> list[Difference]:
    """What came, went, widened, narrowed or changed, in the order of the files, the new one first."""
    unclear = _unclear(old, new)
    moved = _moved(old, new)
    before, after = old.sites.domains, new.sites.domains
    found = []
    for site in [*after, *(site for site in before if site not in after)]:
        change = _change(site, before, after)
        if change is None and not any(family in moved for family in body_and_name(site)):
            continue
        if any(family in unclear for family in body_and_name(site)):
            change = "unclear"
        was, now = (_said(side[site]) if site in side else "" for side in (before, after))
        found.append(Difference(site, change or "unclear", was, now))
    return found


def _unclear(old: Space, new: Space) -> set[tuple[str, str]]:
    """Names of which both versions have some in one body, but not as many, or not in the same order."""
    before, after = old.sites.siblings, new.sites.siblings
    both = before.keys() & after.keys()
    return {family for family in both if before[family] != after[family]} | _moved(old, new)


def _moved(old: Space, new: Space) -> set[tuple[str, str]]:
    """Names of as many siblings in both versions, of which one stands where another stood: they may have changed
    places, and no path says so."""
    if old.hash == new.hash:
        return set()
    before, after = _texts(old), _texts(new)
    found = set()
    for family, texts in after.items():
        earlier = before.get(family, ())
        if len(texts) != len(earlier) or len(texts) < 2:
            continue
        pairs = list(zip(earlier, texts, strict=True))
        if any(was != now and now in {one for one, other in pairs if one != other} for was, now in pairs):
            found.add(family)
    return found


def _texts(space: Space) -> dict[tuple[str, str], list[str]]:
    """Of each family of siblings the statements that they are, as written but for spaces, in order."""
    problems = Problems(space.file.source, space.file.imported)
    found: dict[tuple[str, str], list[str]] = {}
    for site, span in space.sites.spans.items():
        source, at = problems.place(span)
        text = "".join(source.text[at.start : at.end].split())
        found.setdefault(list(body_and_name(site))[-1], []).append(text)
    return found


def left_out(old: Space, new: Space) -> list[str]:
    """What a comparison could not look at, in words."""
    sides = (("old", old), ("new", new))
    return [
        f"the {name} version has more than {MOST_SITES:,} decisions: those beyond were not compared"
        for name, space in sides
        if space.sites.is_cut
    ]


def _change(site: str, old: Mapping[str, Domain | None], new: Mapping[str, Domain | None]) -> Change | None:
    if site not in old:
        return "came"
    if site not in new:
        return "went"
    before, after = old[site], new[site]
    if before == after:
        return None
    if before is None or after is None:
        return "changed"
    holds_all, all_held = _includes(after, before), _includes(before, after)
    if holds_all and all_held:
        return None  # the prior alone has changed
    return "widened" if holds_all else "narrowed" if all_held else "changed"


def _includes(wide: Domain, narrow: Domain) -> bool:
    """Whether every answer of one is an answer of the other; a grid of steps counts by its ends and step."""
    match narrow:
        case Options(values=values):
            return all(contains(wide, value) for value in values)
        case Integers(low=low, high=high, step=step):
            if isinstance(wide, Integers) and wide.step == 1:
                return wide.low <= low and high <= wide.high
            if high - low > 10_000 * step:
                return (
                    isinstance(wide, Integers) and (wide.low, wide.step) == (low, step) and high <= wide.high
                )
            return all(contains(wide, value) for value in range(low, high + 1, step))
        case Reals(low=low, high=high):
            return isinstance(wide, Reals) and wide.low <= low and high <= wide.high


def _said(domain: Domain | None) -> str:
    match domain:
        case None:
            return "depends on other answers"
        case Options(values=values):
            shown = " | ".join(
                {True: "yes", False: "no"}[v] if isinstance(v, bool) else str(v) for v in values[:8]
            )
            return shown + (" | …" if len(values) > 8 else "")
        case Integers(low=low, high=high, step=step):
            return f"{low}..{high}" + (f" step {step}" if step != 1 else "")
        case Reals(low=low, high=high):
            return f"{low:g}..{high:g}"
