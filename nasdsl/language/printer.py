"""Syntax tree -> canonical text, comments kept. `parse(print_file(tree)) == tree`."""

from __future__ import annotations

from nasdsl.language import syntax as s
from nasdsl.language.lexer import Comment, tokenize

_INDENT = "    "
_WIDTH = 100

# How tightly an expression binds; what binds less stands in parentheses.
_LOOSE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _POSTFIX = range(10)
_BINARY = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _COMPARE),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "//": _PRODUCT,
    "^": _POWER,
}


def print_value(node: s.Value) -> str:
    """One value on one line, without comments."""
    return _Printer([]).value(node, _LOOSE).replace("\n", " ")


def print_file(file: s.File) -> str:
    """The canonical text of a file, with the comments of its source."""
    comments = tokenize(file.source)[1] if file.source.text else []
    return _Printer(comments).file(file)


class _Printer:
    """Prints in the order of the source, so that comments fall where they stood."""

    def __init__(self, comments: list[Comment]) -> None:
        self._comments = sorted(comments, key=lambda comment: comment.span.start)
        self._lines: list[str] = []
        self._depth = 0
        self._last_line = 0  # of the source, of what was printed last

    # --- lines and comments -------------------------------------------------------------------

    def _emit(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            indent = _INDENT * self._depth if line and number == 0 else ""
            self._lines.append((indent + line).rstrip())

    def _before(self, node: s.Syntax) -> None:
        """Comments above a node, and one blank line where the source had some."""
        while self._comments and self._comments[0].span.start < node.span.start:
            self._own_line(self._comments.pop(0))
        self._blank(node.span.line)

    def _own_line(self, comment: Comment) -> None:
        self._blank(comment.span.line)
        self._emit(comment.text)
        self._last_line = comment.span.line

    def _blank(self, line: int) -> None:
        opens_body = self._lines and self._lines[-1].endswith("{")
        if self._last_line and line > self._last_line + 1 and self._lines and not opens_body:
            if self._lines[-1]:
                self._lines.append("")

    def _after(self, node: s.Syntax) -> None:
        """Comments inside a node that was printed on one line, and the one behind it."""
        self._last_line = max(self._last_line, node.span.end_line)
        trailing = []
        while self._comments and self._comments[0].span.start < node.span.end:
            trailing.append(self._comments.pop(0))
        if (
            self._comments
            and self._comments[0].span.line == node.span.end_line
            and not self._comments[0].alone
        ):
            trailing.append(self._comments.pop(0))
        if len(trailing) == 1 and "\n" not in self._lines[-1]:
            self._lines[-1] += "  " + trailing[0].text
        else:
            for comment in trailing:
                self._emit(comment.text)

    # --- items --------------------------------------------------------------------------------

    def file(self, file: s.File) -> str:
        items = list(file.items)
        if file.name is not None:
            self._space(file, items[0].span.start if items and items[0].span.end else None)
        for item in items:
            self._before(item)
            self._item(item)
        while self._comments:
            self._own_line(self._comments.pop(0))
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def _space(self, file: s.File, first: int | None) -> None:
        where = _space_offset(file)
        while self._comments and self._comments[0].span.start < where:
            self._own_line(self._comments.pop(0))
        self._emit(f"space {file.name}")
        line = file.source.text.count("\n", 0, where) + 1
        self._last_line = line
        if self._comments and self._comments[0].span.line == line and not self._comments[0].alone:
            self._lines[-1] += "  " + self._comments.pop(0).text

    def _item(self, item: s.Item) -> None:
        match item:
            case s.Import(path=path):
                self._simple(item, f"import {_quoted(path)}")
            case s.Use(module=module):
                self._simple(item, f"use {_quoted(module)}")
            case s.Let():
                self._statement(item)
            case s.BlockDefinition(name=name, parameters=parameters, body=body):
                shown = "(" + ", ".join(self._parameter(p) for p in parameters) + ")" if parameters else ""
                self._with_body(item, f"block {name}{shown}", body)
            case s.Network(inputs=inputs, body=body):
                shown = "(" + ", ".join(inputs) + ")" if inputs else ""
                self._with_body(item, f"network{shown}", body)
            case s.Train(body=body):
                self._with_body(item, "train", body)
            case s.Task(kind=kind, data=data):
                self._simple(item, f"task {kind}" + (f" on {self.value(data)}" if data else ""))
            case s.Require(condition=condition):
                self._simple(item, f"require {self.value(condition)}")
            case s.Objective(maximize=maximize, value=value):
                self._simple(item, f"{'maximize' if maximize else 'minimize'} {self.value(value)}")
            case s.Start(settings=settings):
                self._start(item, settings)

    def _simple(self, node: s.Syntax, text: str) -> None:
        self._emit(text)
        self._after(node)

    def _with_body(self, node: s.Syntax, head: str, body: s.Block) -> None:
        self._emit(f"{head} {{")
        self._body(body)
        self._emit("}")
        self._after(node)

    def _start(self, item: s.Start, settings: tuple[s.Setting, ...]) -> None:
        self._emit("start {")
        self._depth += 1
        for setting in settings:
            self._before(setting)
            self._simple(setting, f"{setting.path} = {self.value(setting.value)}")
        self._depth -= 1
        self._emit("}")
        self._after(item)

    def _parameter(self, parameter: s.Parameter) -> str:
        kind = f": {parameter.kind}" if parameter.kind else ""
        default = f" = {self.value(parameter.default)}" if parameter.default is not None else ""
        return parameter.name + kind + default

    # --- statements ---------------------------------------------------------------------------

    def _body(self, block: s.Block) -> None:
        self._depth += 1
        if self._comments and block.span.end and not self._comments[0].alone:
            first = self._comments[0].span
            inside = block.statements[0].span.start if block.statements else block.span.end
            if first.line == block.span.line and block.span.start <= first.start < inside:
                self._lines[-1] += "  " + self._comments.pop(0).text
        self._last_line = block.span.line
        for statement in block.statements:
            self._before(statement)
            self._statement(statement)
        while self._comments and self._comments[0].span.start < block.span.end:
            self._own_line(self._comments.pop(0))
        self._depth -= 1
        self._last_line = max(self._last_line, block.span.end_line)

    def _statement(self, node: s.Statement, prefix: str = "") -> None:
        match node:
            case s.Let(name=name, value=value):
                self._spread(node, f"let {name} = ", value)
            case s.Wire(target=target, value=value, sources=sources):
                tail = _sources(sources, self)
                self._spread(node, f"{'.'.join(target)} = ", value, tail)
            case s.If():
                self._if(node, "")
                self._after(node)
            case s.Repeat(count=count, body=body, index=index):
                head = f"repeat {index + ' in ' if index else ''}{self.value(count, _LOOSE, True)}"
                self._with_body(node, prefix + head + _sharing(node), body)
            case s.Permute(body=body):
                self._with_body(node, prefix + "permute", body)
            case s.Pick(count=count, body=body):
                self._with_body(node, f"{prefix}pick {self.value(count, _LOOSE, True)} of", body)
            case s.Do(value=value):
                self._do(node, value)

    def _do(self, node: s.Do, value: s.Value) -> None:
        if isinstance(value, s.Labelled) and isinstance(value.value, s.Repeat | s.Permute | s.Pick):
            self._statement(value.value, f"{value.label}: ")
            self._after(node)
        else:
            self._spread(node, "", value)

    def _if(self, node: s.If, prefix: str) -> None:
        self._emit(f"{prefix}if {self.value(node.condition, _LOOSE, True)} {{")
        while True:
            self._body(node.then)
            other = node.otherwise
            if other is None:
                break
            if len(other.statements) == 1 and isinstance(other.statements[0], s.If):
                node = other.statements[0]
                self._emit(f"}} else if {self.value(node.condition, _LOOSE, True)} {{")
                continue
            self._emit("} else {")
            self._body(other)
            break
        self._emit("}")

    def _spread(self, node: s.Syntax, head: str, value: s.Value, tail: str = "") -> None:
        """A statement that ends with a value: on one line where it fits and holds no comment."""
        if _has_body(value):
            self._flowing(node, head, value, tail)
            return
        text = head + self.value(value) + tail
        if len(_INDENT * self._depth + text) > _WIDTH and isinstance(value, s.Choice) and not tail:
            joint = "\n" + _INDENT * (self._depth + 1) + "| "
            text = head + joint.join(self._alternative(a) for a in value.alternatives)
        self._emit(text)
        self._after(node)

    def _flowing(self, node: s.Syntax, head: str, value: s.Value, tail: str) -> None:
        """A value with bodies: their statements stand on lines of their own."""
        self._emit(head)
        self._append(value)
        self._lines[-1] += tail
        self._after(node)

    def _append(self, value: s.Value) -> None:
        """Print a value behind what stands on the last line."""
        match value:
            case s.Choice(alternatives=alternatives):
                for number, alternative in enumerate(alternatives):
                    if number:
                        self._write(" | ")
                    self._append_in_choice(alternative.value)
                    if alternative.weight is not None:
                        self._write(f" @ {self.value(alternative.weight, _SUM)}")
            case s.Labelled(label=label, value=inner) if not isinstance(inner, s.Repeat | s.Pick | s.Permute):
                self._write(f"{label}: ")
                self._append(inner)
            case s.Optional(value=inner):
                if isinstance(inner, s.Choice | s.Labelled):
                    self._write("(")
                    self._append(inner)
                    self._write(")")
                else:
                    self._append(inner)
                self._write("?")
            case s.Call(name=name, arguments=arguments, body=body) if body is not None:
                self._write(name + self._arguments(arguments) + " {")
                self._inside(body)
            case s.Block():
                self._write("{")
                self._inside(value)
            case _:
                self._write(self.value(value, _OR))

    def _append_in_choice(self, value: s.Value) -> None:
        if isinstance(value, s.Choice | s.Labelled):
            self._write("(")
            self._append(value)
            self._write(")")
        else:
            self._append(value)

    def _inside(self, block: s.Block) -> None:
        self._body(block)
        self._emit("}")

    def _write(self, text: str) -> None:
        line = self._lines[-1]
        self._lines[-1] = (line if line else _INDENT * self._depth) + text

    # --- values -------------------------------------------------------------------------------

    def value(self, node: s.Value, binds: int = _LOOSE, plain: bool = False) -> str:
        """A value on one line, in parentheses where it binds less than `binds`; `plain` where no
        call may have a body."""
        text, own = self._text(node)
        return f"({text})" if own < binds or (plain and _has_body(node)) else text

    def _text(self, node: s.Value) -> tuple[str, int]:
        match node:
            case s.Number():
                return _number(node)
            case s.String(value=text):
                return _quoted(text), _POSTFIX
            case s.Name(id=name):
                return name, _POSTFIX
            case s.Attribute(owner=owner, name=name):
                return f"{self.value(owner, _POSTFIX)}.{name}", _POSTFIX
            case s.Call(name=name, arguments=arguments, body=body):
                return name + self._arguments(arguments, body is None) + self._one_line(body), _POSTFIX
            case s.Unary(operator=operator, operand=operand):
                own = _NOT if operator == "not" else _SIGN
                space = " " if operator == "not" else ""
                return f"{operator}{space}{self.value(operand, own)}", own
            case s.Binary():
                return self._binary(node)
            case s.Range():
                return self._range(node), _LOOSE
            case s.Choice(alternatives=alternatives):
                return " | ".join(self._alternative(a) for a in alternatives), _LOOSE
            case s.Optional(value=inner):
                return self.value(inner, _POSTFIX) + "?", _POSTFIX
            case s.Labelled(label=label, value=inner):
                assert not isinstance(inner, s.Repeat | s.Pick | s.Permute)
                return f"{label}: {self.value(inner)}", _LOOSE
            case s.Block():
                return self._one_line(node).strip(), _POSTFIX

    def _binary(self, node: s.Binary) -> tuple[str, int]:
        own = _BINARY[node.operator]
        if node.operator == "^":
            return f"{self.value(node.left, _POSTFIX)}^{self.value(node.right, _SIGN)}", own
        left = self.value(node.left, own + 1 if own == _COMPARE else own)
        return f"{left} {node.operator} {self.value(node.right, own + 1)}", own

    def _range(self, node: s.Range) -> str:
        low, high = node.low, node.high
        if isinstance(low, s.Number) and isinstance(high, s.Number) and low.unit == high.unit == "%":
            start = _number(low)[0].removesuffix("%")  # the unit of one end binds both
        else:
            start = self.value(low, _OR)
        text = f"{start}..{self.value(high, _SUM)}"
        text += f" step {self.value(node.step, _SUM)}" if node.step is not None else ""
        text += " log" if node.log else ""
        online = " online" if node.online else ""
        if node.centre is None:
            return text + online
        return f"{text} @ {self.value(node.centre, _SUM)}{online}"

    def _alternative(self, alternative: s.Alternative) -> str:
        inner = alternative.value
        nested = isinstance(inner, s.Choice | s.Labelled)
        text = f"({self.value(inner)})" if nested else self.value(inner)
        return text if alternative.weight is None else f"{text} @ {self.value(alternative.weight, _SUM)}"

    def _arguments(self, arguments: tuple[s.Argument, ...], always: bool = False) -> str:
        if not arguments:
            return "()" if always else ""
        return "(" + ", ".join(self._argument(argument) for argument in arguments) + ")"

    def _argument(self, argument: s.Argument) -> str:
        value = self.value(argument.value)
        return value if argument.name is None else f"{argument.name} = {value}"

    def _one_line(self, block: s.Block | None) -> str:
        if block is None:
            return ""
        inner = _Printer([])
        for statement in block.statements:
            inner._statement(statement)
        lines = [line.strip() for line in inner._lines]
        return " { " + _joined(lines) + " }" if lines else " { }"


def _joined(lines: list[str]) -> str:
    text = lines[0]
    for before, line in zip(lines, lines[1:], strict=False):
        glue = " " if before.endswith("{") or line.startswith("}") or line.startswith("|") else "; "
        text += glue + line
    return text


def _has_body(node: object) -> bool:
    match node:
        case s.Block():
            return True
        case s.Call(body=body, arguments=arguments):
            return body is not None or any(_has_body(a.value) for a in arguments)
        case s.Choice(alternatives=alternatives):
            return any(_has_body(a.value) for a in alternatives)
        case s.Optional(value=value) | s.Labelled(value=value):
            return _has_body(value)
        case s.Unary(operand=operand):
            return _has_body(operand)
        case s.Binary(left=left, right=right):
            return _has_body(left) or _has_body(right)
        case _:
            return False


def _space_offset(file: s.File) -> int:
    """Where `space NAME` stands; the end of the leading comments for a tree without a source."""
    tokens = tokenize(file.source)[0] if file.source.text else []
    return next((t.span.start for t in tokens if t.kind == "SPACE"), 0)


def _sources(sources: tuple[s.Value, ...], printer: _Printer) -> str:
    if not sources:
        return ""
    if sources == (s.Name("unused"),):
        return " unused"
    return " from " + ", ".join(printer.value(source) for source in sources)


def _sharing(node: s.Repeat) -> str:
    if not node.sharing:
        return ""
    return f" {node.sharing}" + (" except " + ", ".join(node.apart) if node.apart else "")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _number(node: s.Number) -> tuple[str, int]:
    """A number as it was written, unit included; negative ones only where a tree was made by hand."""
    value, unit = node.value, node.unit
    if unit == "%":
        percent = value * 100
        text = repr(round(percent, 12)).removesuffix(".0")
        return f"{text}%", _POSTFIX
    scale = {"k": 10**3, "M": 10**6, "G": 10**9}.get(unit, 1)
    if unit and isinstance(value, int) and value % scale == 0:
        return f"{value // scale}{unit}", _POSTFIX
    if unit:
        return f"{_real(value / scale)}{unit}", _POSTFIX
    return (str(value) if isinstance(value, int) else _real(value)), _POSTFIX


def _real(value: float) -> str:
    """The shorter of the two texts that read back as this number: `0.05`, `1e-3`."""
    digits, exponent = f"{value:.17e}".split("e")
    for precision in range(18):
        digits, exponent = f"{value:.{precision}e}".split("e")
        if float(f"{digits}e{exponent}") == value:
            break
    scientific = f"{digits}e{int(exponent)}"
    plain = repr(value)
    if "e" in plain or len(scientific) < len(plain):
        return scientific
    return plain
