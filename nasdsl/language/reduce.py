"""One function per rule of the grammar: from the parts of a rule to its node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nasdsl.language import syntax as s
from nasdsl.language.errors import Span
from nasdsl.language.scanner import Token

Children = list[Any]
_SHIFTS = {"": 0, "k": 3, "M": 6, "G": 9, "%": -2}  # places that a unit shifts the point by
_MOST_DIGITS = 290  # so that a whole number with its unit still compares with real ones


class Refused(Exception):
    """Something the grammar lets through and the language does not."""

    def __init__(self, code: str, message: str, span: Span, *help: str) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.help = code, message, span, help


# --- items ----------------------------------------------------------------------------------


def _space(c: Children, span: Span) -> s.Name:
    return s.Name(c[1].text, span=span)


def _import(c: Children, span: Span) -> s.Import:
    return s.Import(_text(c[1]), span=span)


def _use(c: Children, span: Span) -> s.Use:
    return s.Use(_text(c[1]), span=span)


def _let(c: Children, span: Span) -> s.Let:
    return s.Let(c[1].text, c[2], span=span)


def _block(c: Children, span: Span) -> s.BlockDefinition:
    return s.BlockDefinition(c[1].text, tuple(c[2] or ()), c[3], span=span)


def _parameters(c: Children, span: Span) -> list[s.Parameter]:
    return [one for one in c if one is not None]


def _parameter(c: Children, span: Span) -> s.Parameter:
    return s.Parameter(c[0].text, c[2], c[1].text if c[1] else None, span=span)


def _network(c: Children, span: Span) -> s.Network:
    return s.Network(tuple(c[1] or ()), c[2], span=span)


def _inputs(c: Children, span: Span) -> list[str]:
    return [token.text for token in c]


def _train(c: Children, span: Span) -> s.Train:
    return s.Train(c[1], span=span)


def _task(c: Children, span: Span) -> s.Task:
    return s.Task(c[1].text, c[3], span=span)


def _require(c: Children, span: Span) -> s.Require:
    return s.Require(c[1], span=span)


def _objective(c: Children, span: Span) -> s.Objective:
    return s.Objective(c[0].kind == "MAXIMIZE", c[1], span=span)


def _start(c: Children, span: Span) -> s.Start:
    return s.Start(tuple(one for one in c if isinstance(one, s.Setting)), span=span)


def _setting(c: Children, span: Span) -> s.Setting:
    return s.Setting(c[0], c[1], span=span)


def _path(c: Children, span: Span) -> str:
    return "/".join(c)


def _path_part(c: Children, span: Span) -> str:
    name, number, copy = c
    path: str = name.text + (number.text if number else "")
    return f"{path}[{copy.text}]" if copy else path


# --- statements -----------------------------------------------------------------------------


def _body(c: Children, span: Span) -> s.Block:
    return s.Block(tuple(one for one in c[1] if one is not None), span=span)


def _statements(c: Children, span: Span) -> list[Any]:
    return [one for one in c if one is not None and not isinstance(one, Token)]


def _if(c: Children, span: Span) -> s.If:
    otherwise = c[4]
    if isinstance(otherwise, s.If):
        otherwise = s.Block((otherwise,), span=otherwise.span)
    return s.If(c[1], c[2], otherwise, span=span)


def _repeat(c: Children, span: Span) -> s.Repeat:
    _, index, _, count, sharing, block = c
    kind, apart = sharing or ("", ())
    return s.Repeat(count, block, index.text if index else None, kind, apart, span=span)


def _sharing(c: Children, span: Span) -> tuple[str, tuple[str, ...]]:
    names = tuple(token.text for token in c[2:] if token is not None)
    return c[0].kind.lower(), names


def _permute(c: Children, span: Span) -> s.Permute:
    return s.Permute(c[1], span=span)


def _pick(c: Children, span: Span) -> s.Pick:
    return s.Pick(c[1], c[3], span=span)


def _wire(c: Children, span: Span) -> s.Wire:
    target = _target(c[0])
    rest = [one for one in c[2:] if one is not None]
    if rest and isinstance(rest[0], Token) and rest[0].kind == "UNUSED":
        sources: tuple[s.Value, ...] = (s.Name("unused", span=rest[0].span),)
    else:
        sources = tuple(one for one in rest if not isinstance(one, Token))
    return s.Wire(target, c[1], sources, span=span)


def _target(node: s.Value) -> tuple[str, ...]:
    match node:
        case s.Name(id=name):
            return (name,)
        case s.Attribute(owner=owner, name=name):
            return (*_target(owner), name)
        case _:
            message = "only a name can stand before `=`"
            raise Refused("unexpected", message, node.span, "a comparison is written `==`")


def _do(c: Children, span: Span) -> s.Do:
    return s.Do(c[0], span=span)


# --- values ---------------------------------------------------------------------------------


def _label(c: Children, span: Span) -> s.Labelled:
    return s.Labelled(c[0].text, c[1], span=span)


def _choice(c: Children, span: Span) -> s.Value:
    if len(c) == 1 and c[0].weight is None:
        return c[0].value  # type: ignore[no-any-return]
    return s.Choice(tuple(c), span=span)


def _alternative(c: Children, span: Span) -> s.Alternative:
    value, weight, online = c[0], c[1], c[2]
    in_parentheses = span.start < value.span.start  # `(1..4) @ 2` weighs, `1..4 @ 2` has a centre
    if isinstance(value, s.Range) and weight is not None and not in_parentheses:
        value = s.Range(
            value.low, value.high, value.log, value.step, weight, value.online or bool(online), span=span
        )
        weight = None
    elif online is not None:
        raise Refused("unexpected", "`online` belongs to a range", span, "for example `0.05..0.5 online`")
    return s.Alternative(value, weight, span=span)


def _range(c: Children, span: Span) -> s.Value:
    low, high = c[0], c[1]
    if high is None:
        return low  # type: ignore[no-any-return]
    words: dict[str, s.Value | None] = {}
    for word, value in (one for one in c[2:] if one is not None):
        if word in words:
            raise Refused("unexpected", f"`{word.lower()}` stands twice", span, "write it once")
        words[word] = value
    low, high = _same_unit(low, high)
    return s.Range(low, high, "LOG" in words, words.get("STEP"), None, "ONLINE" in words, span=span)


def _same_unit(low: s.Value, high: s.Value) -> tuple[s.Value, s.Value]:
    """A unit on one end binds to both: `0..20%`, `1..4k`."""
    if not (isinstance(low, s.Number) and isinstance(high, s.Number)):
        return low, high
    if high.unit and not low.unit:
        return _literal(repr(low.value), high.unit, low.span), high
    if low.unit and not high.unit:
        return low, _literal(repr(high.value), low.unit, high.span)
    return low, high


def _range_word(c: Children, span: Span) -> tuple[str, s.Value | None]:
    return c[0].kind, c[1] if len(c) > 1 else None


def _chain(c: Children, span: Span) -> s.Value:
    """`a + b - c`, from the left."""
    left: s.Value = c[0]
    for operator, right in zip(c[1::2], c[2::2], strict=True):
        left = s.Binary(operator.text, left, right, span=left.span.to(right.span))
    return left


def _unary(c: Children, span: Span) -> s.Value:
    return s.Unary(c[0].text, c[1], span=span)


def _power(c: Children, span: Span) -> s.Value:
    return s.Binary("^", c[0], c[1], span=span)


def _optional(c: Children, span: Span) -> s.Value:
    return s.Optional(c[0], span=span)


def _attribute(c: Children, span: Span) -> s.Value:
    return s.Attribute(c[0], c[1].text, span=span)


def _group(c: Children, span: Span) -> s.Value:
    return c[0]  # type: ignore[no-any-return]


def _number(c: Children, span: Span) -> s.Number:
    text, unit = c[0].text, ""
    if text[-1] in "kKMG%":
        text, unit = text[:-1], "k" if text[-1] == "K" else text[-1]
    if len(text) > _MOST_DIGITS:
        message = f"a number is longer than the limit of {_MOST_DIGITS} digits"
        raise Refused("bad-number", message, span, "write it with an exponent: `1e30`")
    return _literal(text, unit, span)


def _literal(text: str, unit: str, span: Span) -> s.Number:
    value = _scaled(text, unit)
    if value == float("inf"):
        raise Refused(
            "bad-number", f"`{text}{unit}` is too large for a number", span, "the largest is `1e308`"
        )
    return s.Number(value, unit, span=span)


def _scaled(text: str, unit: str) -> int | float:
    """The number that a text with a unit stands for, rounded once: `20%` is 0.2, `1.5k` is 1500."""
    shift = _SHIFTS[unit]
    mantissa, _, exponent = text.lower().partition("e")
    if "." not in mantissa and not exponent and shift >= 0:
        return int(mantissa) * 10**shift  # type: ignore[no-any-return]
    places = int(exponent or 0) + shift
    value = float(f"{mantissa}e{places}")
    if shift <= 0 or not value.is_integer():
        return value
    whole, _, fraction = mantissa.partition(".")
    places -= len(fraction)
    digits = int(whole + fraction)
    if places >= 0:
        return int(digits * 10**places)
    exact, rest = divmod(digits, 10**-places)
    return int(value) if rest else exact


def _string(c: Children, span: Span) -> s.String:
    return s.String(_text(c[0]), span=span)


def _text(token: Token) -> str:
    escapes = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\"}
    raw, out, at = token.text[1:-1], [], 0
    while at < len(raw):
        pair = raw[at : at + 2]
        out.append(escapes.get(pair, raw[at]))
        at += 2 if pair in escapes else 1
    return "".join(out)


def _call(c: Children, span: Span) -> s.Value:
    name, sibling, arguments, block = c
    called = name.text + (sibling.text if sibling else "")
    if arguments is None and block is None:
        return s.Name(called, span=span)
    return s.Call(called, tuple(arguments or ()), block, span=span)


def _arguments(c: Children, span: Span) -> list[s.Argument]:
    return [one for one in c if one is not None]


def _argument(c: Children, span: Span) -> s.Argument:
    return s.Argument(c[0].text if c[0] else None, c[1], c[2] is not None, span=span)


REDUCE: Mapping[str, Callable[[Children, Span], Any]] = {
    "space": _space,
    "import": _import,
    "use": _use,
    "let": _let,
    "block": _block,
    "parameters": _parameters,
    "parameter": _parameter,
    "network": _network,
    "inputs": _inputs,
    "train": _train,
    "task": _task,
    "require": _require,
    "objective": _objective,
    "start": _start,
    "setting": _setting,
    "path": _path,
    "path_part": _path_part,
    "part": _body,
    "body": _body,
    "call_body": _body,
    "statements": _statements,
    "if": _if,
    "repeat": _repeat,
    "sharing": _sharing,
    "permute": _permute,
    "pick": _pick,
    "wire": _wire,
    "do": _do,
    "label": _label,
    "labelled": _label,
    "choice": _choice,
    "alternative": _alternative,
    "range": _range,
    "range_word": _range_word,
    "disjunction": _chain,
    "conjunction": _chain,
    "comparison": _chain,
    "sum": _chain,
    "product": _chain,
    "unary": _unary,
    "power": _power,
    "optional": _optional,
    "attribute": _attribute,
    "group": _group,
    "number": _number,
    "string": _string,
    "call": _call,
    "arguments": _arguments,
    "argument": _argument,
}
