"""Syntax tree -> canonical text, comments kept. `parse(print_file(tree)) == tree`.

A body stays on one line where it stood on one line and still fits; else its statements go on
lines of their own. Long choices stand one alternative a line.
"""

from __future__ import annotations

from nasdsl.language import flat
from nasdsl.language import syntax as s
from nasdsl.language.depth import deep_recursion
from nasdsl.language.lexer import tokenize
from nasdsl.language.scanner import Comment

_INDENT = "    "
_WIDTH = 100


@deep_recursion()
def print_value(node: s.Value) -> str:
    """One value on one line, without comments."""
    return flat.flat_value(node)


@deep_recursion()
def print_file(file: s.File) -> str:
    """The canonical text of a file, with the comments of its source."""
    comments = tokenize(file.source)[1] if file.source.text else []
    return _Printer(comments).file(file)


class _Printer:
    """Prints in the order of the source, so that comments fall where they stood."""

    def __init__(self, comments: list[Comment]) -> None:
        self._comments = sorted(comments, key=lambda comment: comment.span.start, reverse=True)
        self._lines: list[str] = []
        self._depth = 0
        self._last_line = 0  # of the source, of what was printed last

    # --- lines and comments -------------------------------------------------------------------

    def _emit(self, text: str) -> None:
        self._lines.append(_INDENT * self._depth + text)

    def _write(self, text: str) -> None:
        """Go on with the last line."""
        self._lines[-1] += text

    def _fits(self, text: str) -> bool:
        """Whether a text fits behind the last line."""
        return len(self._lines[-1]) + len(text) <= _WIDTH

    def _next(self, before: int) -> Comment | None:
        """The next comment, if it stands before an offset of the source."""
        found = self._comments[-1] if self._comments else None
        return found if found is not None and found.span.start < before else None

    def _flush(self, before: int) -> None:
        """Comments up to an offset, on lines of their own."""
        while comment := self._next(before):
            self._comments.pop()
            self._blank(comment.span.line)
            self._emit(comment.text)
            self._last_line = comment.span.line

    def _blank(self, line: int) -> None:
        """One blank line where the source had some, but none right inside a body."""
        if not self._lines or self._lines[-1].split("  #")[0].endswith("{"):
            return
        if self._last_line and line > self._last_line + 1 and self._lines[-1]:
            self._lines.append("")

    def _before(self, node: s.Syntax) -> None:
        self._flush(node.span.start)
        self._blank(node.span.line)

    def _after(self, node: s.Syntax) -> None:
        """Comments inside a node that was printed on one line, and the one behind it."""
        self._last_line = max(self._last_line, node.span.end_line)
        held = []
        while comment := self._next(node.span.end):
            held.append(comment)
            self._comments.pop()
        behind = self._comments[-1] if self._comments else None
        if behind is not None and not behind.alone and behind.span.line == node.span.end_line:
            held.append(self._comments.pop())
        if len(held) == 1:
            self._write("  " + held[0].text)
        else:
            for comment in held:
                self._emit(comment.text)

    def _beside(self, line: int, before: int) -> None:
        """The comment at the end of a line of the source, up to an offset."""
        comment = self._next(before)
        if comment is not None and not comment.alone and comment.span.line == line:
            self._write("  " + self._comments.pop().text)
            self._last_line = line

    # --- items --------------------------------------------------------------------------------

    def file(self, file: s.File) -> str:
        if file.name is not None:
            self._space(file)
        for item in file.items:
            if file.imported and item.span.start >= file.imported[0][0]:
                self._lines += _Printer([])._imported(item)
                continue
            self._before(item)
            self._item(item)
        self._flush(len(file.source.text))
        return "\n".join(line.rstrip() for line in self._lines) + "\n" if self._lines else ""

    def _imported(self, item: s.Item) -> list[str]:
        """The lines of an item from another file, whose comments stay there."""
        self._item(item)
        return self._lines

    def _space(self, file: s.File) -> None:
        tokens = tokenize(file.source)[0] if file.source.text else []
        where = next((t.span for t in tokens if t.kind == "SPACE"), None)
        self._flush(where.start if where else 0)
        if where:
            self._blank(where.line)
        self._emit(f"space {file.name}")
        if where:
            self._last_line = where.line
            self._beside(where.line, len(file.source.text))

    def _item(self, item: s.Item) -> None:
        match item:
            case s.Import(path=path):
                self._simple(item, f"import {flat.quoted(path)}")
            case s.Use(module=module):
                self._simple(item, f"use {flat.quoted(module)}")
            case s.Let():
                self._statement(item)
            case s.BlockDefinition(name=name, parameters=parameters, body=body):
                self._with_body(item, f"block {name}{flat.parameters(parameters)}", body)
            case s.Network(inputs=inputs, body=body):
                shown = "(" + ", ".join(inputs) + ")" if inputs else ""
                self._with_body(item, f"network{shown}", body)
            case s.Train(body=body):
                self._with_body(item, "train", body)
            case s.Task(kind=kind, data=data):
                self._simple(item, f"task {kind}" + (f" on {flat.flat_value(data)}" if data else ""))
            case s.Require(condition=condition):
                self._simple(item, f"require {flat.flat_value(condition)}")
            case s.Objective(maximize=maximize, value=value):
                self._simple(item, f"{'maximize' if maximize else 'minimize'} {flat.flat_value(value)}")
            case s.Start(settings=settings):
                self._start(item, settings)

    def _simple(self, node: s.Syntax, text: str) -> None:
        self._emit(text)
        self._after(node)

    def _with_body(self, node: s.Syntax, head: str, body: s.Block) -> None:
        self._emit(f"{head} ")
        self._body(body)
        self._after(node)

    def _start(self, item: s.Start, settings: tuple[s.Setting, ...]) -> None:
        texts = [f"{setting.path} = {flat.flat_value(setting.value)}" for setting in settings]
        self._emit("start ")
        short = "{ " + "; ".join(texts) + " }" if texts else "{ }"
        if self._stays(item, short) or not (texts or self._next(item.span.end)):
            self._write(short)
            self._after(item)
            return
        self._write("{")
        self._beside(item.span.line, settings[0].span.start if settings else item.span.end)
        self._last_line = item.span.line
        self._depth += 1
        for setting, text in zip(settings, texts, strict=True):
            self._before(setting)
            self._simple(setting, text)
        self._flush(item.span.end)
        self._depth -= 1
        self._emit("}")
        self._after(item)

    # --- statements ---------------------------------------------------------------------------

    def _statement(self, node: s.Statement, prefix: str = "") -> None:
        match node:
            case s.Let(value=value) | s.Wire(value=value):
                self._spread(node, flat.assigned(node), value, flat.sources(node))
            case s.If():
                self._if(node)
            case s.Repeat(body=body) | s.Permute(body=body) | s.Pick(body=body):
                self._with_body(node, prefix + flat.head_of(node), body)
            case s.Do(value=s.Labelled(label=label, value=s.Repeat() | s.Permute() | s.Pick() as inner)):
                self._statement(inner, f"{label}: ")
            case s.Do(value=value):
                self._spread(node, "", value)

    def _stays(self, node: s.Syntax, short: str) -> bool:
        """Whether a node stood on one line, and still fits there as `short`."""
        return node.span.end > 0 and node.span.line == node.span.end_line and self._fits(short)

    def _body(self, block: s.Block) -> None:
        """A body behind the last line: on it if it may stay there, else on lines of its own."""
        short = flat.flat_block(block)
        empty = not block.statements and not self._next(block.span.end)
        if empty or self._stays(block, short):
            self._write(short)
            self._last_line = max(self._last_line, block.span.end_line)
            return
        self._write("{")
        self._beside(block.span.line, block.statements[0].span.start if block.statements else block.span.end)
        self._last_line = block.span.line
        self._depth += 1
        for statement in block.statements:
            self._before(statement)
            self._statement(statement)
        self._flush(block.span.end)
        self._depth -= 1
        self._last_line = max(self._last_line, block.span.end_line)
        self._emit("}")

    def _if(self, node: s.If) -> None:
        self._emit("")
        short = flat.flat_statement(node)
        if self._stays(node, short):
            self._write(short)
            self._after(node)
            return
        branch: s.If | None = node
        while branch is not None:
            self._write(f"if {flat.flat_head(branch.condition)} ")
            self._body(branch.then)
            otherwise, chained = branch.otherwise, flat.else_if(branch)
            if otherwise is not None:
                self._write(" else ")
            if otherwise is not None and chained is None:
                self._body(otherwise)
            branch = chained
        self._after(node)

    def _spread(self, node: s.Syntax, head: str, value: s.Value, tail: str = "") -> None:
        """A statement that ends with a value."""
        self._emit(head)
        short = flat.flat_value(value)
        choice = value.value if isinstance(value, s.Labelled) else value
        commented = isinstance(value, s.Choice) and self._next(node.span.end) is not None
        if isinstance(choice, s.Choice) and not self._fits(short + tail) and self._fit_apart(choice):
            if isinstance(value, s.Labelled):
                self._write(f"{value.label}: ")
            self._choice(choice, apart=True)
        elif flat.has_body(value) or commented:
            self._value(value)
        else:
            self._write(short)
        self._write(tail)
        self._after(node)

    def _fit_apart(self, choice: s.Choice) -> bool:
        """Whether each alternative has room on a line of its own, or bodies are none of the reasons."""
        if not flat.has_body(choice):
            return True
        room = _WIDTH - len(_INDENT) * (self._depth + 1) - len("| ")
        return all(len(flat.flat_value(one.value)) <= room for one in choice.alternatives)

    # --- values with bodies or comments -------------------------------------------------------

    def _value(self, value: s.Value, binds: int = flat.LOOSE) -> None:
        """A value behind the last line; bodies in it may take lines of their own."""
        match value:
            case s.Choice() | s.Labelled() if binds > (
                flat.CHOICE if isinstance(value, s.Choice) else flat.LOOSE
            ):
                self._write("(")
                self._value(value)
                self._write(")")
            case s.Choice():
                self._choice(value)
            case s.Labelled(label=label, value=inner) if not isinstance(inner, s.Repeat | s.Pick | s.Permute):
                self._write(f"{label}: ")
                self._value(inner, flat.CHOICE)
            case s.Optional(value=inner) if flat.has_body(inner):
                self._value(inner, flat.POSTFIX)
                self._write("?")
            case s.Call(name=name, arguments=arguments, body=body) if body is not None:
                self._write(f"{name}{flat.flat_arguments(arguments)} ")
                self._body(body)
            case s.Block():
                self._body(value)
            case _:
                self._write(flat.flat_value(value, binds))

    def _choice(self, value: s.Choice, apart: bool = False) -> None:
        """The alternatives behind one another, or each on a line where they stand `apart`; a comment
        between two of them also parts them."""
        depth = self._depth
        for number, alternative in enumerate(value.alternatives):
            if number:
                comment = self._next(alternative.span.start)
                if comment is not None:
                    self._beside(comment.span.line, alternative.span.start)
                if comment is not None or apart:
                    self._depth = depth + 1
                    self._flush(alternative.span.start)
                    self._emit("| ")
                else:
                    self._write(" | ")
            self._value(alternative.value, flat.binding(alternative))
            self._write(flat.flat_weight(alternative))
            self._last_line = max(self._last_line, alternative.span.end_line)
        self._depth = depth
