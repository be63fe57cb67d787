"""Where the machine stands: what is still to do, the wire reached, the cells of open frames; and
what it may say instead of moving on.

A configuration is (rest, wire, frames). Configurations are values: immutable, hashable, and equal when
everything that can still happen is equal. The paths of decisions ride along in `Label`s that compare
equal to one another, so that a count worked out for one copy of a repeat serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from nasdsl.language.decisions import Answer, Decision, Domain, Options
from nasdsl.language.errors import NasdslError
from nasdsl.language.shapes import Shape
from nasdsl.language.tree import Hole, Slots, Statement, ValueTerm

MAX_COPIES = 100_000  # of one repeat in one point
MAX_DECISIONS = 100_000  # of one point


class Dead(Exception):
    """This configuration leads to no network: a shape does not fit, or a value is out of range; `help`: what would."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class LimitError(NasdslError):
    """A space asks for more than the stated limits allow."""


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """The value flowing through the network at one place. Equal shapes make equal wires.

    `before` is the input of the last cell on the way here; a wire that is one has none itself.
    """

    shape: Shape
    name: str = ""
    before: Wire | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Wire) and self.shape == other.shape and self.before == other.before

    def after(self, before: Wire | None) -> Wire:
        """The wire, with the input of the last cell on the way to it."""
        return self if before is self.before else replace(self, before=before)

    def __hash__(self) -> int:
        return hash(self.shape.dims)  # a count asks millions of times; the layout seldom tells shapes apart


class Label:
    """The path of a scope. All labels are equal.

    `path` names decisions; `place` names layers (copies told apart even where they are tied);
    `site` is the path without copy numbers; `copy` is the number of the copy.
    """

    __slots__ = ("copy", "path", "place", "site")

    def __init__(self, path: str, place: str, site: str, copy: int = 0) -> None:
        self.path = path
        self.place = place
        self.site = site
        self.copy = copy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Label)

    def __hash__(self) -> int:
        return 7

    @property
    def is_again(self) -> bool:
        """Whether it lies in a later copy of a repeat whose copies decide once."""
        if self.place == self.path:
            return False
        segments = zip(self.place.split("/"), self.path.split("/"), strict=True)
        return any(place != path and not place.endswith("[0]") for place, path in segments)

    def inner(self, key: str) -> Label:
        """The label of a scope inside this one."""
        return Label(join(self.path, key), join(self.place, key), join(self.site, key))


class Closure(NamedTuple):
    """A block's argument that is not decided yet: a term and the frame that it reads."""

    term: ValueTerm
    depth: int


class Weights(NamedTuple):
    """The weights of one layer in the first copy of a shared repeat: where it stands below the copy, and all
    that its module depends on. `label` has its whole place, and takes no part in equality."""

    below: str
    key: Hashable
    label: Label


class Answers(tuple[tuple[str, Answer], ...]):
    """Many paths and answers in the order of the walk. Where a path stands is looked up in a table that lists of one
    lineage share: for each path, all places at which any of them has it."""

    _places: dict[str, tuple[int, ...]]

    @classmethod
    def of(cls, few: tuple[tuple[str, Answer], ...]) -> Answers:
        """The same list with a table of its own."""
        found = cls(few)
        found._places = {path: (place,) for place, (path, _) in enumerate(few)}
        return found

    def find(self, path: str) -> Answer | None:
        """The answer at a path; None where there is none."""
        for place in self._places.get(path, ()):
            if place < len(self) and self[place][0] == path:
                return self[place][1]
        return None

    def noting(self, path: str, answer: Answer) -> Answers:
        """The list with one more answer."""
        longer = Answers((*self, (path, answer)))
        longer._places = self._places
        known = longer._places.get(path, ())
        if len(self) not in known:
            longer._places[path] = (*known, len(self))
        return longer


_FEW = 16  # answers: so many are searched faster than a table of them is kept


class Tape(NamedTuple):
    """What the copies of a tied repeat have decided so far, for those that follow to replay.

    It holds the decisions of the frame at `depth` in `slots`, and those of all deeper frames, by
    their paths below `base`, the path of the repeat. Where the repeat is `shared`, it holds the
    weights as well, but those of the operations in `apart`. `again`: the first copy is done.
    """

    depth: int
    slots: Slots
    base: Label
    answers: tuple[tuple[str, Answer], ...] = ()
    shared: bool = False
    apart: frozenset[str] = frozenset()
    weights: tuple[Weights, ...] = ()
    again: bool = False

    def holds(self, depth: int, slot: int) -> bool:
        """Whether the decision in a cell is one that the copies share."""
        return depth > self.depth or (depth == self.depth and self.slots[0] <= slot < self.slots[1])

    def find(self, path: str) -> Answer | None:
        """The answer that an earlier copy gave at a path."""
        below = path[len(self.base.path) :]
        if type(self.answers) is Answers:
            return self.answers.find(below)
        for known, answer in self.answers:
            if known == below:
                return answer
        return None

    def noting(self, path: str, answer: Answer) -> Tape:
        """The tape with one more answer."""
        below, answers = path[len(self.base.path) :], self.answers
        if type(answers) is Answers:
            return self._replace(answers=answers.noting(below, answer))
        longer = (*answers, (below, answer))
        return self._replace(answers=longer if len(longer) <= _FEW else Answers.of(longer))


class Experts(NamedTuple):
    """A body of which `op` has several: how many copies hold parameters, how often one works for a sample.

    `built` stands for all that the body is made of so far, within a shared repeat: copies must agree on it.
    """

    op: str
    copies: int
    uses: int
    built: Hashable = None
    shared: bool = False

    def holds(self, depth: int, slot: int) -> bool:
        """It replays no decision."""
        return False


class Rest:
    """A linked list of what is still to do; interned, so identity is equality."""

    __slots__ = ("data", "depth", "parent", "term")

    def __init__(self, term: Statement, depth: int, data: Any, parent: Rest | None) -> None:
        self.term = term
        self.depth = depth
        self.data = data
        self.parent = parent


class Woven(tuple[Wire, ...]):
    """The data of a repeat whose copies go side by side: the wires that they begin on. What stands as frames are then
    the configurations of the copies."""

    __slots__ = ()


# Frame 0 holds what is open around: tapes of tied repeats, bodies of experts. Frame 1 belongs to the top level.
Frames: TypeAlias = tuple[tuple[Any, ...], ...]

Configuration: TypeAlias = tuple[Rest | None, Wire, Frames]

TOP = 1


class Ask(NamedTuple):
    """The machine needs an answer. `resume(answer)` is the configuration that follows.

    `structural` is false where no answer can change what comes after it.
    """

    label: Label
    key: str
    site: str
    kind: str
    domain: Domain
    structural: bool
    resume: Callable[[Answer], Configuration]
    bends: bool = False  # whether an answer between two others may cost less or more than both

    def first(self) -> Answer:
        """The first option, the lowest number."""
        return self.domain.values[0] if isinstance(self.domain, Options) else self.domain.low

    def decision(self, domain: Domain) -> Decision:
        """The question as `choose` sees it, with what is left of the domain."""
        path, site = join(self.label.path, self.key), join(self.label.site, self.site)
        return Decision(path, domain, site, self.kind)


Step: TypeAlias = Configuration | Ask


class Pending(NamedTuple):
    """A value that waits for a hole of the frame at `depth`."""

    hole: Hole
    depth: int


YES_OR_NO = Options((False, True), (1.0, 1.0))


def join(scope: str, key: str) -> str:
    """A path from the path of a scope and a key in it."""
    return f"{scope}/{key}" if scope and key else scope or key


def wipe(frames: Frames, depth: int, slots: Slots) -> Frames:
    """The frames with some cells empty again."""
    first, last = slots
    if first == last:
        return frames
    frame = frames[depth]
    wiped = frame[:first] + (None,) * (last - first) + frame[last:]
    return (*frames[:depth], wiped, *frames[depth + 1 :])


def set_cell(frames: Frames, depth: int, slot: int, value: Any) -> Frames:
    """The frames with one cell changed."""
    frame = frames[depth]
    return (*frames[:depth], (*frame[:slot], value, *frame[slot + 1 :]), *frames[depth + 1 :])
