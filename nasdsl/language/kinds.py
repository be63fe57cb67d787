"""Whether a value suits the kind of its argument, said in words.

A real that is whole is a whole number: one rule for what is written and for what is worked out.
"""

from __future__ import annotations

from nasdsl.language.decisions import Integers, Options, Reals
from nasdsl.language.errors import Span
from nasdsl.language.laws import is_law
from nasdsl.language.network import Spec, Value
from nasdsl.language.remedies import for_example, remedy
from nasdsl.language.scope import Problems
from nasdsl.language.signatures.methods import STACK
from nasdsl.language.signatures.signature import Kind
from nasdsl.language.signatures.table import find
from nasdsl.language.tree import ChoiceHole, Constant, Make, OptionalHole, Outer, RangeHole, ValueTerm

_WORDS = {
    "int": "a whole number",
    "real": "a number",
    "bool": "`yes` or `no`",
    "string": 'a text in quotes "…"',
    "numbers": "a whole number or several",
    "name": "a name",
}


def describe(kind: Kind | None) -> str:
    """A kind as people say it: `a whole number of at least 1`, `an optimizer`."""
    if kind is None:
        return "a value"
    if kind.type == "call":
        return " or ".join(f"{'an' if group[0] in 'aeiou' else 'a'} {group}" for group in kind.groups)
    if kind.type == "name":
        return "one of " + ", ".join(f"`{option}`" for option in kind.options)
    return _WORDS[kind.type] + _bounds(kind)


def _bounds(kind: Kind) -> str:
    low, high = kind.low, kind.high
    if low is None and high is None:
        return ""
    if high is None:
        return f" above {low:g}" if kind.open_low else f" of at least {low:g}"
    if low is None:
        return f" of at most {high:g}"
    return f" above {low:g} and at most {high:g}" if kind.open_low else f" from {low:g} to {high:g}"


LARGEST = 10**15


def suits(value: Value, kind: Kind) -> bool:
    """Whether a decided value may stand for an argument of this kind."""
    if kind.law and is_law(value):
        return True
    match kind.type:
        case "int" | "numbers":
            return is_whole(value) and value <= LARGEST and _inside(value, kind)  # type: ignore[arg-type, operator]
        case "real":
            return type(value) in (int, float) and _inside(float(value), kind)  # type: ignore[arg-type]
        case "bool":
            return type(value) is bool
        case "string":
            return type(value) is str
        case "name":
            return value in kind.options
        case _:
            return isinstance(value, Spec) and is_called(value.name, kind)


def is_called(name: str, kind: Kind) -> bool:
    """Whether a call of this name may stand where a call is asked for."""
    return find(name, kind.groups) is not None or (name == STACK and "weight" in kind.groups)


def is_whole(value: Value) -> bool:
    """Whether a number is whole, also one that was worked out as a real: 8 * 1.5."""
    return type(value) is int or (type(value) is float and value.is_integer())


def as_kind(value: Value, kind: Kind) -> Value:
    """A value that suits a kind, as its argument takes it: where a whole number is asked for, 12.0 is 12."""
    return int(value) if type(value) is float and kind.type in ("int", "numbers") else value


def refusal(name: str, value: Value, kind: Kind) -> tuple[str, str]:
    """What is said of a value that does not suit, and the remedy."""
    message = f"`{name}` takes {describe(kind)}, not {_show(value)}"
    return message, remedy(name, value, kind)


def _inside(number: float, kind: Kind) -> bool:
    if kind.low is not None and (number < kind.low or (kind.open_low and number == kind.low)):
        return False
    return kind.high is None or number <= kind.high


def check_constant(problems: Problems, value: Value, kind: Kind | None, span: Span, name: str) -> bool:
    """Report a value that does not suit; True where it does."""
    if kind is None or suits(value, kind):
        return True
    number = isinstance(value, int | float) and kind.type in ("int", "real", "numbers")
    right_type = number and (kind.type == "real" or is_whole(value))
    code = "out-of-range" if right_type else "wrong-kind"
    if right_type and kind.type != "real" and isinstance(value, int) and value > LARGEST:
        message = f"`{name}` is above {LARGEST:,}, the limit of whole numbers that a network can use"
        problems.error(code, message, span, "write a smaller number")
        return False
    message, help = refusal(name, value, kind)
    problems.error(code, message, span, help)
    return False


def _show(value: Value) -> str:
    if isinstance(value, Spec):
        return f"`{value.name}`"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    return f'"{value}"' if isinstance(value, str) else f"{value}"


def check_term(problems: Problems, term: ValueTerm, kind: Kind | None, span: Span, name: str) -> None:
    """Report where a named value can be something that does not suit the place it is used in."""
    if kind is None:
        return
    match term:
        case Constant(value=value):
            if value is not None:
                check_constant(problems, value, kind, span, name)
        case Outer(inner=inner) | OptionalHole(inner=inner):
            check_term(problems, inner, kind, span, name)
        case ChoiceHole(options=options):
            for option in options.values():
                check_term(problems, option, kind, span, name)
        case RangeHole(domain=domain) if domain is not None:
            _check_domain(problems, domain, kind, span, name)
        case Make(signature=signature):
            if kind.type != "call" or signature.group not in kind.groups:
                message = f"`{name}` takes {describe(kind)}, not `{signature.name}`"
                problems.error("wrong-kind", message, span, for_example(name, kind))
        case _:
            pass


def _check_domain(
    problems: Problems, domain: Options | Integers | Reals, kind: Kind, span: Span, name: str
) -> None:
    if isinstance(domain, Options):
        ends = [v for v in (domain.values[0], domain.values[-1]) if isinstance(v, int | float)]
    else:
        ends = [domain.low, domain.high]
    if isinstance(domain, Reals) and kind.type == "int":
        message = f"`{name}` takes {describe(kind)}, and this ranges over real numbers"
        problems.error("wrong-kind", message, span, "write both ends without `.`, `e` or `%`")
        return
    if isinstance(domain, Integers) and kind.type == "real":
        low, high = float(domain.low), float(domain.high)
        message = f"`{name}` takes a real number, and this ranges over whole numbers only"
        problems.warn("whole-range", message, span, f"write {low}..{high} if reals are meant")
    for end in ends:
        check_constant(problems, end, kind, span, name)
