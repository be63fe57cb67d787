"""Names, cells and paths while a file is being checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from nasdsl.language import syntax as s
from nasdsl.language.errors import NOWHERE, Diagnostic, Source, SpaceError, Span
from nasdsl.language.facts import Facts
from nasdsl.language.keys import Keys
from nasdsl.language.node import Node
from nasdsl.language.remedies import one_of
from nasdsl.language.signatures.signature import Kind
from nasdsl.language.suggest import did_you_mean
from nasdsl.language.surroundings import Surroundings
from nasdsl.language.tree import CONTROL, Cell, Definition, Outer, ValueTerm

MAX_STATEMENTS = 10_000


class Problems:
    """Collects every problem of a file; nothing stops at the first."""

    def __init__(self, source: Source, imported: tuple[tuple[int, Source], ...] = ()) -> None:
        self.source = source
        self._imported = imported  # see importing.py
        self.found: dict[Diagnostic, None] = {}
        self.facts = Facts(self.place)

    def error(self, code: str, message: str, span: Span, *help: str) -> None:
        self._add(code, message, span, help, "error")

    def warn(self, code: str, message: str, span: Span, *help: str) -> None:
        self._add(code, message, span, help, "warning")

    def _add(self, code: str, message: str, span: Span, help: Iterable[str], severity: str) -> None:
        lines = tuple(line for line in help if line)
        source, span = self.place(span)
        found = Diagnostic(code, message, span, source, lines, severity)
        self.found.setdefault(found)

    def unknown(
        self, code: str, message: str, span: Span, name: str, known: Iterable[str], help: str = ""
    ) -> None:
        """An error about a name, with the nearest known one; where none is near, `help` or all that there are."""
        known = tuple(known)
        self.facts.could_be(name, known)
        self.error(code, message, span, did_you_mean(name, known) or help or one_of(known))

    def place(self, span: Span) -> tuple[Source, Span]:
        """The file that a span lies in, and where in it."""
        for base, source in reversed(self._imported):
            if span.start >= base:
                return source, span._replace(start=span.start - base, end=span.end - base)
        return self.source, span

    def where(self, span: Span) -> str:
        """`on line 3`, or `on line 3 of blocks.space` where that is another file."""
        source, _ = self.place(span)
        return f"on line {span.line}" + (f" of {source.name}" if source is not self.source else "")

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.found if d.severity == "error"]

    def report(self) -> list[Diagnostic]:
        """Everything found, ordered by place. What is unused often is so because of an error
        elsewhere, so beside errors it is left out."""
        codes = {d.code for d in self.errors}
        caused = {"unknown-op"} if codes & {"untrusted", "bad-module"} else set()
        shown = [d for d in self.found if not ((codes and d.code.startswith("unused-")) or d.code in caused)]
        files = [self.source, *(source for _, source in self._imported)]
        return sorted(shown, key=lambda d: (files.index(d.source), d.span.start, d.severity))


class FrameBuilder:
    """Hands out the cells of one frame; cell 0 is the path of its scope."""

    def __init__(self) -> None:
        self.size = 1

    def cell(self) -> int:
        self.size += 1
        return self.size - 1


@dataclass
class Binding:
    """What a name stands for, and whether anything used it."""

    term: ValueTerm
    span: Span
    what: str  # "let", "parameter" or "index"
    used: bool = False


@dataclass
class NamedWire:
    """A wire that has a name: its cell, the cell that notes whether it has been read, where anybody
    asks for what is `unused`, and what is known of that here."""

    cell: int
    span: Span
    flag: int | None = None
    read: str = "no"  # "no", "maybe" or "yes"
    binding: Binding | None = None  # of the parameter that it is

    def flow(self) -> None:
        """It is what flows into a body, and so is used."""
        if self.binding is not None:
            self.binding.used = True


@dataclass
class Scope:
    """One stretch of a file in which names and paths are looked up.

    `label` is the cell of the path; `prefix` and `site` are the static rest of it. `taken` are the
    keys in use under the label, shared by all scopes with that label. `wires` can be named here;
    `fed` are the cells of those that go into the block whose use is resolved.
    """

    frame: FrameBuilder
    label: int = 0
    prefix: str = ""
    site: str = ""
    taken: Keys = field(default_factory=Keys)
    places: Keys = field(default_factory=Keys)
    names: dict[str, Binding] = field(default_factory=dict)
    parent: Scope | None = None
    definitions: dict[str, Definition] = field(default_factory=dict)
    in_train: bool = False
    in_augment: bool = False  # inside `augment { }` of `train { }`
    references: dict[int, Span] = field(default_factory=dict)  # what is declared where (facts.py)
    wires: dict[str, NamedWire] = field(default_factory=dict)
    fed: tuple[int, ...] | None = None
    joined: bool = False  # whether what stands here has joined its wires already, where it is a way to
    surroundings: Surroundings = field(default_factory=Surroundings)

    def inner(self, name: str = "", alternative: str = "") -> Scope:
        """A scope for the names inside a body; with `name`, its keys hang under that name."""
        prefix = f"{self.prefix}{name}/" if name else self.prefix
        site = f"{self.site}{name}{'=' + alternative if alternative else ''}/" if name else self.site
        return replace(self, prefix=prefix, site=site, names={}, parent=self)

    def alternative(self) -> Scope:
        """A scope for one of several bodies that exclude each other: they may share keys."""
        return replace(self.inner(), taken=Keys(self.taken), places=Keys(self.places))

    def absorb(self, *alternatives: Scope) -> None:
        """What comes after the alternatives shares no key with any of them."""
        for one in alternatives:
            self.taken.absorb(one.taken)
            self.places.absorb(one.places)

    def labelled(self, label: int) -> Scope:
        """A scope with a path cell of its own: the copy of a loop, the arguments of a use."""
        return replace(
            self, label=label, prefix="", site="", taken=Keys(), places=Keys(), names={}, parent=self
        )

    def fresh(self, name: str) -> str:
        """What a decision is called here: the name, or `name#2` where a sibling has it."""
        return self.taken.take(self.prefix + name).removeprefix(self.prefix)

    def unused(self, name: str) -> str:
        """What the next decision of that name will be called."""
        return self.taken.free(self.prefix + name).removeprefix(self.prefix)

    def fresh_place(self, name: str) -> str:
        """The same for a layer; the whole key."""
        return self.places.take(self.prefix + name)

    def find(self, name: str, at: Span = NOWHERE) -> ValueTerm | None:
        """What a name that stands `at` a place is here; a top-level let seen from a block is an Outer."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                binding = scope.names[name]
                binding.used = True
                self.references[at.start] = binding.span
                return binding.term if scope.frame is self.frame else Outer(binding.term)
            scope = scope.parent
        return None

    def is_local(self, name: str) -> bool:
        """Whether a name stands for something in the frame of a block, which other blocks do not see."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope is not None and scope.frame is not self.root.frame

    @property
    def root(self) -> Scope:
        """The scope of the top level, or of the block that this one is in where it has no parent."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def visible(self) -> list[str]:
        """All names that could be meant here."""
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            names += scope.names
            scope = scope.parent
        return names


def _undefined(item: s.BlockDefinition, definition: Definition, surroundings: Surroundings) -> None:
    raise AssertionError("no block has been found yet")


@dataclass
class Checker:
    """What every function of a check needs: where problems go, and what the file has so far."""

    problems: Problems
    has_network: bool
    unparse: Callable[[s.Value], str]
    quantities: tuple[str, ...]
    blocks: dict[str, s.BlockDefinition] = field(default_factory=dict)
    uses: list[tuple[Definition, tuple[ValueTerm, ...]]] = field(default_factory=list)
    cells: dict[int, tuple[Cell, ...]] = field(default_factory=dict)  # the parameters, by id of definition
    define: Callable[[s.BlockDefinition, Definition, Surroundings], None] = _undefined
    taken_defaults: set[int] = field(default_factory=set)  # ids of what `with` gives and some layer took
    surrounded: dict[object, Definition] = field(default_factory=dict)  # blocks as they are within `with` …
    measured: dict[int, tuple[ValueTerm, int, int]] = field(default_factory=dict)  # size and depth
    shares_vectors: bool = False  # whether layers can have trained numbers in common, as `intrinsic` has
    whole_bodies: set[int] = field(default_factory=set)  # dags that are all of a block or network
    last_statements: set[int] = field(default_factory=set)  # dags that end the network
    outputs: dict[str, int] | None = None  # cells of the outputs of a network that names several
    bounded: set[str] = field(default_factory=set)  # blocks that use themselves with `max_depth = n`
    within: tuple[str, Cell] | None = None  # the one whose body is resolved, and how deep it stands in itself
    beside: dict[str, s.Value] = field(default_factory=dict)  # arguments of the call that is resolved
    trust: bool = False  # whether the author of the file is trusted
    statements: int = 0  # of all bodies, once for each edge of a cell and each surrounding of a block
    opens: dict[int, tuple[Node, bool]] = field(default_factory=dict)  # whether a decision may open in a term
    index_ranges: set[tuple[int, int]] = field(default_factory=set)  # frames and cells that ranges read

    def expand(self, at: Span) -> None:
        """One more statement. Raises SpaceError where cells within cells make them too many."""
        self.statements += 1
        if self.statements > MAX_STATEMENTS:
            message = f"written out, with a body for each edge of a cell, this space has more than {MAX_STATEMENTS:,} statements, the limit"
            self.problems.error(
                "limit", message, at, "put fewer cells, or `with` around blocks, inside one another"
            )
            raise SpaceError(self.problems.report())


@dataclass(frozen=True)
class Wanted:
    """What a value stands for: the name that its decision gets, its kind, and whether it is
    the role of its answers (tree.py)."""

    name: str
    kind: Kind | None = None
    role: int = CONTROL
    law: bool = False  # within an expression whose value may be a law
    said: str = ""  # what messages call it, where its decision has no name of its own

    @property
    def called(self) -> str:
        return self.name or self.said
