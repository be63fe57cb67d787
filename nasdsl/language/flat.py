"""Syntax tree -> text on one line, without comments: values, statements and bodies."""

from __future__ import annotations

from decimal import Decimal

from nasdsl.language import syntax as s

# How tightly an expression binds; what binds less stands in parentheses.
LOOSE, CHOICE, RANGE, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER, POSTFIX = range(12)
_BINARY = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE),
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "//": PRODUCT,
    "^": POWER,
}


def flat_value(node: s.Value, binds: int = LOOSE) -> str:
    """A value, in parentheses where it binds less than `binds`."""
    text, own = _text(node)
    return f"({text})" if own < binds else text


def flat_head(node: s.Value) -> str:
    """A condition or a count before a body: no call in it may have a body of its own."""
    text = flat_value(node)
    return f"({text})" if has_body(node) else text


def _text(node: s.Value) -> tuple[str, int]:
    """The text of a value, and how tightly it binds."""
    match node:
        case s.Number():
            return flat_number(node), POSTFIX
        case s.String(value=text):
            return quoted(text), POSTFIX
        case s.Name(id=name):
            return name, POSTFIX
        case s.Attribute(owner=owner, name=name):
            return f"{flat_value(owner, POSTFIX)}.{name}", POSTFIX
        case s.Call(name=name, arguments=arguments, body=body):
            tail = f" {flat_block(body)}" if body is not None else ""
            return name + flat_arguments(arguments, body is None) + tail, POSTFIX
        case s.Unary(operator=operator, operand=operand):
            own = NOT if operator == "not" else SIGN
            space = " " if operator == "not" else ""
            return f"{operator}{space}{flat_value(operand, own)}", own
        case s.Binary():
            return _binary(node), _BINARY[node.operator]
        case s.Range():
            return _range(node), RANGE
        case s.Choice(alternatives=alternatives):
            return " | ".join(flat_alternative(a) for a in alternatives), CHOICE
        case s.Optional(value=inner):
            return flat_value(inner, POSTFIX) + "?", POSTFIX
        case s.Labelled(label=label, value=inner):
            if isinstance(inner, s.Repeat | s.Pick | s.Permute):
                return f"{label}: {flat_statement(inner)}", LOOSE
            return f"{label}: {flat_value(inner, CHOICE)}", LOOSE
        case s.Block():
            return flat_block(node), POSTFIX


def _binary(node: s.Binary) -> str:
    own = _BINARY[node.operator]
    if node.operator == "^":
        return f"{flat_value(node.left, POSTFIX)}^{flat_value(node.right, SIGN)}"
    left = flat_value(node.left, own + 1 if own == COMPARE else own)
    return f"{left} {node.operator} {flat_value(node.right, own + 1)}"


def _range(node: s.Range) -> str:
    text = f"{_low(node)}..{flat_value(node.high, SUM)}"
    text += f" step {flat_value(node.step, SUM)}" if node.step is not None else ""
    text += " log" if node.log else ""
    text += f" @ {flat_value(node.centre, SUM)}" if node.centre is not None else ""
    return text + (" online" if node.online else "")


def _low(node: s.Range) -> str:
    """The lower end; a unit that both ends share stands on the upper one: `0..20%`."""
    low, high = node.low, node.high
    if not (isinstance(low, s.Number) and isinstance(high, s.Number) and low.unit):
        return flat_value(low, OR)
    text = flat_number(low)
    bare = text.removesuffix(low.unit)
    return bare if low.unit == high.unit and len(bare) <= _EXACT_DIGITS else text


def flat_alternative(alternative: s.Alternative) -> str:
    """One alternative of a choice, with its weight."""
    return flat_value(alternative.value, binding(alternative)) + flat_weight(alternative)


def binding(alternative: s.Alternative) -> int:
    """How tightly the value of an alternative must bind. After a bare range `@` is its centre."""
    return RANGE if alternative.weight is None else OR


def flat_weight(alternative: s.Alternative) -> str:
    """` @ 2`, or nothing."""
    return "" if alternative.weight is None else f" @ {flat_value(alternative.weight, SUM)}"


def flat_arguments(arguments: tuple[s.Argument, ...], always: bool = False) -> str:
    """`(32, kernel = 3)`; without arguments `()` only where it is to be there `always`."""
    if not arguments:
        return "()" if always else ""
    return "(" + ", ".join(_argument(argument) for argument in arguments) + ")"


def _argument(argument: s.Argument) -> str:
    value = flat_value(argument.value) + (" unused" if argument.unused else "")
    return value if argument.name is None else f"{argument.name} = {value}"


# --- statements -----------------------------------------------------------------------------


def flat_block(block: s.Block) -> str:
    """`{ a; b }`."""
    inner = "; ".join(flat_statement(statement) for statement in block.statements)
    return f"{{ {inner} }}" if inner else "{ }"


def flat_statement(node: s.Statement) -> str:
    """A statement with all that is in it."""
    match node:
        case s.Let(value=value) | s.Wire(value=value):
            return f"{assigned(node)}{flat_value(value)}{sources(node)}"
        case s.If():
            return _if(node)
        case s.Repeat(body=body) | s.Permute(body=body) | s.Pick(body=body):
            return f"{head_of(node)} {flat_block(body)}"
        case s.Do(value=value):
            return flat_value(value)


def _if(node: s.If) -> str:
    text = f"if {flat_head(node.condition)} {flat_block(node.then)}"
    if node.otherwise is None:
        return text
    chained = else_if(node)
    return f"{text} else {_if(chained) if chained else flat_block(node.otherwise)}"


def else_if(node: s.If) -> s.If | None:
    """The `if` of an `else if`."""
    if node.otherwise is None or len(node.otherwise.statements) != 1:
        return None
    only = node.otherwise.statements[0]
    return only if isinstance(only, s.If) else None


def head_of(node: s.Repeat | s.Permute | s.Pick) -> str:
    """What stands before the body: `repeat 1..4 tied`, `pick 2 of`."""
    match node:
        case s.Repeat(count=count, index=index):
            return f"repeat {index + ' in ' if index else ''}{flat_head(count)}{_sharing(node)}"
        case s.Permute():
            return "permute"
        case s.Pick(count=count):
            return f"pick {flat_head(count)} of"


def _sharing(node: s.Repeat) -> str:
    if not node.sharing:
        return ""
    return f" {node.sharing}" + (" except " + ", ".join(node.apart) if node.apart else "")


def assigned(node: s.Let | s.Wire) -> str:
    """`let x = `, `output.cls = `."""
    return f"let {node.name} = " if isinstance(node, s.Let) else f"{'.'.join(node.target)} = "


def sources(node: s.Let | s.Wire) -> str:
    """` from a, b`, ` unused`, or nothing."""
    if isinstance(node, s.Let) or not node.sources:
        return ""
    if node.sources == (s.Name("unused"),):
        return " unused"
    return " from " + ", ".join(flat_value(source) for source in node.sources)


def parameters(several: tuple[s.Parameter, ...]) -> str:
    """`(width, depth = 2)`, or nothing."""
    shown = []
    for one in several:
        kind = f": {one.kind}" if one.kind else ""
        default = f" = {flat_value(one.default)}" if one.default is not None else ""
        shown.append(one.name + kind + default)
    return "(" + ", ".join(shown) + ")" if shown else ""


def has_body(node: object) -> bool:
    """Whether a body `{ … }` stands in a value."""
    match node:
        case s.Block():
            return True
        case s.Call(body=body, arguments=arguments):
            return body is not None or any(has_body(a.value) for a in arguments)
        case s.Choice(alternatives=alternatives):
            return any(has_body(a.value) or has_body(a.weight) for a in alternatives)
        case s.Range(low=low, high=high, step=step, centre=centre):
            return any(has_body(part) for part in (low, high, step, centre))
        case s.Optional(value=inner) | s.Labelled(value=inner) | s.Unary(operand=inner):
            return has_body(inner)
        case s.Attribute(owner=inner):
            return has_body(inner)
        case s.Binary(left=left, right=right):
            return has_body(left) or has_body(right)
        case _:
            return False


# --- literals -------------------------------------------------------------------------------

_EXACT_DIGITS = 15  # that a float keeps of any text
_SHIFTS = {"": 0, "k": 3, "M": 6, "G": 9, "%": -2}


def quoted(text: str) -> str:
    """A text in quotes, as the lexer reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def flat_number(node: s.Number) -> str:
    """A number as it was written, unit included."""
    value, shift = node.value, _SHIFTS[node.unit]
    if not shift:
        return str(value) if isinstance(value, int) else _real(value)
    if isinstance(value, int):
        whole, rest = divmod(value, 10**shift)
        return (
            f"{whole}.{rest:0{shift}}".rstrip("0").removesuffix(".") + node.unit
            if rest
            else f"{whole}{node.unit}"
        )
    digits = Decimal(repr(float(value))).scaleb(-shift).normalize()  # 17 digits at most: exact
    plain = -7 < digits.adjusted() < 17
    return (f"{digits:f}" if plain else f"{digits}".lower().replace("e+", "e")) + node.unit


def _real(value: float) -> str:
    """A text that reads back as this number, with `.` or `e` in it: `0.05`, `1e-4`, `2.5e6`."""
    plain = repr(value).replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    if "e" in plain or 0.01 <= value < 10_000:
        return plain
    digits = Decimal(plain).normalize()
    sign, figures, _ = digits.as_tuple()
    mantissa = "".join(map(str, figures[:1])) + "." + "".join(map(str, figures[1:]))
    short = f"{'-' if sign else ''}{mantissa.rstrip('.')}e{digits.adjusted()}"
    return short if len(short) < len(plain) else plain
