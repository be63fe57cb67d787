"""What the alternatives of a choice are called in points, and how likely each is beforehand."""

from __future__ import annotations

from nasdsl.language import syntax as s
from nasdsl.language.decisions import Answer
from nasdsl.language.network import Value
from nasdsl.language.scope import Checker
from nasdsl.language.signatures.signature import Kind


def answer_of(c: Checker, node: s.Value, kind: Kind | None, number: int) -> Answer:
    """What an alternative is called in points: a value is itself, a call its name."""
    match node:
        case s.Number(value=found):
            return float(found) if kind is not None and kind.type == "real" else found
        case s.Unary(operator="-", operand=s.Number(value=found)):
            return float(-found) if kind is not None and kind.type == "real" else -found
        case s.String(value=text):
            return text
        case s.Name(id=name) | s.Call(name=name):
            return name
        case s.Labelled(label=label):
            return label
        case s.Block():
            return f"block#{number + 1}"
        case _:
            return c.unparse(node)


def answers_of(c: Checker, node: s.Choice, kind: Kind | None) -> list[Answer]:
    """What the alternatives are called; a name that is there already gets `#2`, `#3`."""
    answers: dict[Answer, None] = {}
    earlier: set[s.Value] = set()
    copies: dict[Answer, int] = {}
    for number, alternative in enumerate(node.alternatives):
        answer = answer_of(c, alternative.value, kind, number)
        if alternative.value in earlier:
            message = f"`{answer}` is an alternative twice, and counts twice"
            help = "leave one out; `@ 2` after the other makes it twice as likely"
            c.problems.warn("repeated-alternative", message, alternative.span, help)
        earlier.add(alternative.value)
        unused = answer
        while unused in answers:
            copies[answer] = copies.get(answer, 1) + 1
            unused = f"{answer}#{copies[answer]}"
        answers[unused] = None
    return list(answers)


def weights_of(c: Checker, node: s.Choice) -> tuple[float, ...]:
    """The author's prior: what stands after `@`, else 1."""
    weights = []
    for alternative in node.alternatives:
        weight = alternative.weight
        found: Value = 1.0
        if isinstance(weight, s.Number):
            found = weight.value
        elif weight is not None:
            found = None
        if not isinstance(found, int | float) or found <= 0:
            help = (
                "for example `8 @ 2 | 16`, where 8 is twice as likely; what is never to be drawn is left out"
            )
            c.problems.error("bad-weight", "a weight after `@` is a number above 0", alternative.span, help)
            found = 1.0
        weights.append(float(found))
    return tuple(weights)
