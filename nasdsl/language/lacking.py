"""Arguments of layers that mean nothing without something that stands elsewhere: said when the file is checked."""

from __future__ import annotations

from collections.abc import Iterator

from nasdsl.language.errors import Span
from nasdsl.language.network import Spec, Task
from nasdsl.language.scope import Checker
from nasdsl.language.signatures.weighing import PLAIN_WEIGHT
from nasdsl.language.terms import outcomes
from nasdsl.language.tree import Apply, Close, Constant, Make, Sequence, ValueTerm
from nasdsl.language.vocabulary import every_node

_FILES = ("csv", "npz")


def warn_of_lacks(c: Checker, program: Sequence, task: Task) -> None:
    """Warn of routes that no column gives, and of matrices chosen for a weight that is plain wherever they are.

    Both can be planned, shown and exported, so they are no errors.
    """
    unrouted = task.data if task.data is not None and task.data.name in _FILES else None
    is_idle: dict[Span, bool] = {}  # a block stands in the program once for each `with` around it
    for node in every_node(program):
        if isinstance(node, Close) and unrouted is not None and not unrouted["route"]:
            _route(c, node, unrouted)
        if isinstance(node, Apply) and node.signature.name == "attention":
            is_idle[node.span] = _is_idle(dict(node.arguments)) and is_idle.get(node.span, True)
    for span in (span for span, idle in is_idle.items() if idle):
        message = "`weight_on` says which matrices `weight` changes, and this `weight` is plain"
        help = "give a weight as well, as in `weight = lora(4)`, or leave `weight_on` out"
        c.problems.warn("unused-argument", message, span, help)


def _route(c: Checker, node: Close, data: Spec) -> None:
    """Without a column of routes each trial with enforced experts would fail."""
    term = dict(node.arguments).get("route")
    if term is None or "enforced" not in _constants(term):
        return
    message = (
        f"`route = enforced` needs data that name an expert for each sample, and this `{data.name}` does not"
    )
    help = f'name what says it: `{data.name}("{data["path"]}", …, route = "domain")`'
    c.problems.warn("missing-route", message, node.span, help)


def _is_idle(arguments: dict[str, ValueTerm]) -> bool:
    on = set(_constants(arguments["weight_on"]))
    plain = all(
        one.value == PLAIN_WEIGHT if isinstance(one, Constant) else _is_plain(one)
        for one in outcomes(arguments["weight"])
    )
    return plain and on != {"qkvo"}


def _is_plain(term: ValueTerm) -> bool:
    return isinstance(term, Make) and term.signature.name == PLAIN_WEIGHT.name


def _constants(term: ValueTerm) -> Iterator[object]:
    return (one.value for one in outcomes(term) if isinstance(one, Constant))
