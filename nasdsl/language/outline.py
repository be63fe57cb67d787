"""A space as an outline: its parts as they are nested, and how many ways each can be made by itself.

A part is counted where the walk that takes the first answers finds it: what stands before it is
decided, so a `let` counts where it is first used. The machine steps into each part; what it would ask
there is what the outline shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nasdsl.language.configuration import (
    YES_OR_NO,
    Ask,
    Configuration,
    Dead,
    Frames,
    LimitError,
    Rest,
    Wire,
    join,
    set_cell,
)
from nasdsl.language.decisions import Answer, Domain, Integers, Options, size
from nasdsl.language.fold import Fold, answers, counting
from nasdsl.language.machine import Machine
from nasdsl.language.tree import (
    Apply,
    ApplyValue,
    Around,
    Assign,
    Enter,
    Feed,
    Fork,
    Join,
    Loop,
    Open,
    Permute,
    Pick,
    Residual,
    Sequence,
    Sources,
    Statement,
    Use,
)

_DEEPEST = 60  # levels of an outline
_SITUATIONS = (
    2_000  # gone through for the parts of a space that is too large to be counted, until it is too much
)
_TRIES = 10  # times that it may be too much


@dataclass(frozen=True)
class Line:
    """One part. `kind`: "part", "choice", "answer", "repeat", "block", "wrapper" or "layer". `ways`:
    how many points it has by itself; None where exact counting is out of reach."""

    title: str
    kind: str
    ways: int | None
    inner: tuple[Line, ...] = ()


def outline(machine: Machine, fold: Fold) -> tuple[Line, ...]:
    """The parts of a whole space; `fold` has counted on that machine."""
    rest, wire, frames = machine.start()
    assert rest is not None
    drawn = _Outliner(machine, fold)
    return tuple(drawn.parts(rest.term, rest.depth, wire, frames))


class _Outliner:
    def __init__(self, machine: Machine, fold: Fold) -> None:
        self._machine = machine
        self._fold = fold
        self._tries = _TRIES
        self._seen: set[str] = set()  # blocks that have been shown
        self._level = 0

    def parts(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> Iterator[Line]:
        """The statements of the top level; those behind an Enter are its own."""
        assert isinstance(term, Sequence)
        title = ""
        for item in term.items:
            if isinstance(item, Enter):
                title = item.key
            else:
                lines = self._lines(item, depth, wire, frames)
                if title and lines:
                    yield Line(title, "part", self._ways(item, depth, wire, frames), lines)
                    title = ""
                else:
                    yield from lines
            passed = self._past(self._alone(item, depth, wire, frames))
            if passed is None:
                return
            wire, frames = passed

    # --- counting and moving ------------------------------------------------------------------

    def _alone(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> Configuration:
        """A statement with nothing behind it."""
        return self._machine.rest(term, depth, None, None), wire, frames

    def _ways(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> int | None:
        return self._follow(self._alone(term, depth, wire, frames))

    def _follow(self, configuration: Configuration) -> int | None:
        try:
            return self._fold.after(configuration)[1] or 0
        except LimitError:
            # What it has used up is no measure of the parts that follow.
            self._tries -= 1
            self._fold = counting(self._machine, _SITUATIONS if self._tries > 0 else 0)
            return None

    def _first(self, ask: Ask, least: int = 0) -> Configuration | None:
        """On with the first answer that leads anywhere; numbers from `least` on if there are any."""
        for answer in answers(ask.domain):
            if type(answer) is int and answer < least:
                continue
            after = ask.resume(answer)
            if self._follow(after) != 0:
                return after
        return None

    def _past(self, configuration: Configuration) -> tuple[Wire, Frames] | None:
        """What is there behind a statement; None where nothing gets through."""
        while True:
            try:
                configuration, ask = self._machine.run(configuration)
            except Dead:
                return None
            if ask is None:
                return configuration[1], configuration[2]
            after = self._first(ask)
            if after is None:
                return None
            configuration = after

    def _into(
        self, term: Statement, depth: int, wire: Wire, frames: Frames
    ) -> tuple[Rest, Wire, Frames] | None:
        """Where the machine stands once it has gone into a statement; None where that has no inside."""
        configuration = self._alone(term, depth, wire, frames)
        while configuration[0] is not None and configuration[0].term is term:
            rest, wire, frames = configuration
            assert rest is not None
            try:
                step = self._machine.step(term, rest, wire, frames)
            except Dead:
                return None
            after = self._first(step, least=1) if isinstance(step, Ask) else step
            if after is None:
                return None
            configuration = after
        head, wire, frames = configuration
        return (head, wire, frames) if head is not None else None

    # --- lines --------------------------------------------------------------------------------

    def _lines(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> tuple[Line, ...]:
        self._level += 1
        try:
            return self._shown(term, depth, wire, frames) if self._level < _DEEPEST else ()
        finally:
            self._level -= 1

    def _shown(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> tuple[Line, ...]:
        match term:
            case Sequence(items=items):
                return _folded(self._sequence(items, depth, wire, frames))
            case Apply(signature=row):
                return (self._leaf(row.name, term, depth, wire, frames),)
            case ApplyValue(key=key):
                return (self._leaf(_last(key), term, depth, wire, frames),)
            case Assign(name=name):
                return (self._leaf(name, term, depth, wire, frames),)
            case Open(name=name):
                return (self._leaf(name, term, depth, wire, frames),)
            case Fork():
                return (self._fork(term, depth, wire, frames),)
            case Join(sources=sources, merge=merge):
                bodies = [part.body for part in sources.parts if part.body is not None]
                if not bodies and not sources.choosings:
                    return ()
                return self._members(f"{merge.name} of {_read(sources)}", term, bodies, depth, wire, frames)
            case Feed(sources=sources):
                if not sources.choosings:
                    return ()
                return self._members(f"{_read(sources)} wires", term, [], depth, wire, frames)
            case Permute(members=members):
                return self._members("permute", term, members.values(), depth, wire, frames)
            case Pick(members=members):
                return self._members("pick", term, members.values(), depth, wire, frames)
            case _:
                return self._nested(term, depth, wire, frames)

    def _sequence(
        self, items: tuple[Statement, ...], depth: int, wire: Wire, frames: Frames
    ) -> Iterator[Line]:
        for item in items:
            yield from self._lines(item, depth, wire, frames)
            passed = self._past(self._alone(item, depth, wire, frames))
            if passed is None:
                return
            wire, frames = passed

    def _nested(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> tuple[Line, ...]:
        """A statement around another; one that has no name of its own is passed over."""
        title, kind = self._title(term, depth, wire, frames)
        entered = None
        if not (isinstance(term, Use) and title in self._seen):
            entered = self._into(term, depth, wire, frames)
        if isinstance(term, Use):
            self._seen.add(title)
        inner: tuple[Line, ...] = ()
        if entered is not None:
            head, wire_inside, frames_inside = entered
            inner = self._lines(head.term, head.depth, wire_inside, frames_inside)
        return (Line(title, kind, self._ways(term, depth, wire, frames), inner),) if title else inner

    def _title(self, term: Statement, depth: int, wire: Wire, frames: Frames) -> tuple[str, str]:
        match term:
            case Use(definition=definition):
                return definition.name, "block"
            case Residual():
                return "residual", "wrapper"
            case Around(close=close):
                asked = self._decisions(self._alone(term, depth, wire, frames), own=term)
                return _called(close.signature.name, asked), "wrapper"
            case Loop(key=key, tied=tied, shared=shared):
                name = "" if _last(key) == "repeat" else f"{_last(key)}: "
                how = " shared" if shared else " tied" if tied else ""
                return f"{name}repeat {self._count(term, depth, wire, frames)}{how}", "repeat"
            case _:
                return "", ""

    def _count(self, term: Loop, depth: int, wire: Wire, frames: Frames) -> str:
        found = self._machine.step(term, self._machine.rest(term, depth, None, None), wire, frames)
        if isinstance(found, Ask):
            return _domain_text(found.domain)
        return str(self._machine.evaluate(term.count, frames, depth))

    def _fork(self, term: Fork, depth: int, wire: Wire, frames: Frames) -> Line:
        ways, name = self._ways(term, depth, wire, frames), _last(term.hole.key)
        alternatives = [self._answer(term, a, depth, wire, frames) for a in term.bodies]
        if term.hole.domain == YES_OR_NO:
            inner = alternatives[1].inner
            # `dropout?` says it all where nothing but the layer of that name is inside.
            lines = inner[0].inner if len(inner) == 1 and inner[0].title.startswith(name) else inner
            title = inner[0].title if lines is not inner else name
            return Line(f"{title}?", "choice", ways, lines)
        label = "" if name == "choice" else f"{name}: "
        if not any(one.inner or "(" in one.title for one in alternatives):
            return Line(label + " | ".join(one.title for one in alternatives), "choice", ways)
        return Line(f"{label}one of {len(alternatives)}", "choice", ways, tuple(alternatives))

    def _answer(self, term: Fork, answer: Answer, depth: int, wire: Wire, frames: Frames) -> Line:
        body = term.bodies[answer]
        frames = set_cell(frames, depth, term.hole.slot, answer)
        ways = self._ways(term, depth, wire, frames)
        inner = () if body is None else self._lines(body, depth, wire, frames)
        title = str(answer)
        if len(inner) == 1 and inner[0].title.split("(")[0] == title.split("#", maxsplit=1)[0]:
            title, inner = inner[0].title, inner[0].inner  # it only says the name again
        return Line(title, "answer", ways, inner)

    def _members(
        self,
        title: str,
        term: Statement,
        members: Iterable[Statement],
        depth: int,
        wire: Wire,
        frames: Frames,
    ) -> tuple[Line, ...]:
        inner = [line for one in members for line in self._lines(one, depth, wire, frames)]
        return (Line(title, "wrapper", self._ways(term, depth, wire, frames), _grouped(inner)),)

    # --- decisions of one statement -----------------------------------------------------------

    def _leaf(self, name: str, term: Statement, depth: int, wire: Wire, frames: Frames) -> Line:
        asked = self._decisions(self._alone(term, depth, wire, frames))
        ways = self._ways(term, depth, wire, frames)
        own = isinstance(term, Assign | Open | ApplyValue)
        if own and asked and asked[0].title.startswith(f"{name} = "):
            return Line(asked[0].title, "choice", ways, (*asked[0].inner, *asked[1:]))
        if any(one.inner for one in asked):
            return Line(name, "layer", ways, tuple(asked))
        return Line(_called(name, asked), "layer", ways)

    def _decisions(self, configuration: Configuration, own: Statement | None = None) -> list[Line]:
        """What is asked until a statement ends, by first answers; with `own`, by itself only."""
        lines: list[Line] = []
        inside = ""  # the path of the choice whose alternatives show what is asked in them
        while True:
            try:
                configuration, ask = self._machine.run(configuration)
            except Dead:
                return lines
            if ask is None or (
                own is not None and configuration[0] is not None and configuration[0].term is not own
            ):
                return lines
            path = join(ask.label.path, ask.key)
            if not (inside and path.startswith(f"{inside}/")):
                inner = self._alternatives(ask, path)
                inside = path if inner else inside
                lines.append(
                    Line(f"{_last(ask.key)} = {_domain_text(ask.domain)}", "choice", size(ask.domain), inner)
                )
            after = self._first(ask)
            if after is None:
                return lines
            configuration = after

    def _alternatives(self, ask: Ask, path: str) -> tuple[Line, ...]:
        """The answers of a choice, where some ask more: `adamw` its `lr`."""
        if not isinstance(ask.domain, Options) or ask.domain == YES_OR_NO or not ask.structural:
            return ()
        lines = []
        for answer in ask.domain.values:
            within = [line for line, inner in self._within(ask.resume(answer), path) if inner]
            lines.append(Line(_called(str(answer), within), "answer", None))
        return tuple(lines) if any("=" in line.title for line in lines) else ()

    def _within(self, configuration: Configuration, path: str) -> Iterator[tuple[Line, bool]]:
        while True:
            try:
                configuration, ask = self._machine.run(configuration)
            except Dead:
                return
            if ask is None:
                return
            here = join(ask.label.path, ask.key)
            title = f"{_last(ask.key)} = {_domain_text(ask.domain)}"
            yield Line(title, "choice", size(ask.domain)), here.startswith(f"{path}/")
            after = self._first(ask)
            if after is None:
                return
            configuration = after


# --- words ----------------------------------------------------------------------------------


def _last(key: str) -> str:
    """The name of a decision: the end of its path, without the number among its siblings."""
    return key.rsplit("/", 1)[-1].split("#", maxsplit=1)[0]


def _called(name: str, asked: list[Line]) -> str:
    return f"{name}({', '.join(line.title for line in asked)})" if asked else name


def _grouped(lines: list[Line]) -> tuple[Line, ...]:
    """Equal lines in a row once, with how many there are."""
    grouped: list[tuple[Line, int]] = []
    for line in lines:
        if grouped and grouped[-1][0] == line:
            grouped[-1] = (line, grouped[-1][1] + 1)
        else:
            grouped.append((line, 1))
    return tuple(
        line if n == 1 else Line(f"{n} × {line.title}", line.kind, line.ways, line.inner)
        for line, n in grouped
    )


def _read(sources: Sources) -> str:
    """How many wires a join reads: `3`, `any 2 of 4`, `1 and any 0..2 of 3`."""
    texts = [str(len(sources.sure))] if sources.sure or not sources.choosings else []
    for one in sources.choosings:
        counts = {len(numbers) for subset in one.subsets.values() for numbers in subset.chosen.values()}
        there = {n for subset in one.subsets.values() for numbers in subset.chosen.values() for n in numbers}
        many = str(min(counts)) if len(counts) == 1 else f"{min(counts)}..{max(counts)}"
        texts.append(f"any {many} of {len(there)}")
    return " and ".join(texts)


def _folded(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Layers in a row that decide nothing, on one line."""
    folded: list[Line] = []
    for line in lines:
        before = folded[-1] if folded else None
        if before is not None and _is_settled(before) and _is_settled(line):
            folded[-1] = Line(f"{before.title}, {line.title}", "layer", 1)
        else:
            folded.append(line)
    return tuple(folded)


def _is_settled(line: Line) -> bool:
    return line.kind == "layer" and line.ways == 1 and not line.inner and "(" not in line.title


def _domain_text(domain: Domain) -> str:
    match domain:
        case Options(values=values):
            shown = [_answer_text(value) for value in values]
            return " | ".join(shown) if len(shown) <= 8 else f"{shown[0]} | {shown[1]} | … | {shown[-1]}"
        case Integers(low=low, high=high, step=step, log=log):
            return f"{low}..{high}" + (f" step {step}" if step > 1 else "") + (" log" if log else "")
        case _:
            return f"{domain.low:g}..{domain.high:g}" + (" log" if domain.log else "")


def _answer_text(answer: Answer) -> str:
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return f"{answer:g}" if isinstance(answer, float) else str(answer)
