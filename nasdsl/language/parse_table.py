"""The LALR table of `grammar.lark`, made by lark and kept as JSON beside it.

Importing lark and building the table costs more than checking a space, so it is done when the
grammar changes (`python -m nasdsl.language.parse_table`), never when a space is read. A test
holds the two files together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lark import Lark
from lark.lexer import Lexer

_HERE = Path(__file__).parent
GRAMMAR = _HERE / "grammar.lark"
TABLE = _HERE / "grammar.json"


class _NoLexer(Lexer):
    """Tokens come from our own lexer; lark only needs to know that it has none to build."""

    def __init__(self, _: Any) -> None:
        super().__init__()

    def lex(self, *_: Any) -> Iterator[Any]:
        yield from ()


def build() -> dict[str, Any]:
    """The table of the grammar as it stands.

    `states[i]` maps a terminal or rule to [0, next state] (shift) or [1, rule number] (reduce);
    a rule is [name, alias, per symbol: 0 dropped, 1 kept or 2 spliced, expand1, where None stands].
    """
    lark = Lark(
        GRAMMAR.read_text(encoding="utf-8"),
        parser="lalr",
        lexer=_NoLexer,
        start="item",
        maybe_placeholders=True,
        strict=False,
    )
    frontend: Any = lark.parser
    parse_table = frontend.parser._parse_table
    literals = {t.name: t.pattern.value for t in lark.terminals if t.pattern is not None}
    rules = list(lark.rules)
    numbers = {rule: number for number, rule in enumerate(rules)}

    def action(pair: tuple[Any, Any]) -> list[int]:
        return [0, pair[1]] if str(pair[0]) == "Shift" else [1, numbers[pair[1]]]

    states = [
        {literals.get(symbol, symbol): action(pair) for symbol, pair in parse_table.states[state].items()}
        for state in range(len(parse_table.states))
    ]
    order = _in_order(states, parse_table.start_states["item"])
    return {
        "rules": [_rule(rule) for rule in rules],
        "states": [_renumbered(states[state], order) for state in order],
        "start": order[parse_table.start_states["item"]],
        "end": order[parse_table.end_states["item"]],
    }


def _in_order(states: list[dict[str, list[int]]], start: int) -> dict[int, int]:
    """New numbers for the states: lark's own differ from run to run."""
    order = {start: 0}
    waiting = [start]
    for state in waiting:
        for _, (kind, target) in sorted(states[state].items()):
            if kind == 0 and target not in order:
                order[target] = len(order)
                waiting.append(target)
    return order


def _renumbered(state: dict[str, list[int]], order: dict[int, int]) -> dict[str, list[int]]:
    return {symbol: [kind, target if kind else order[target]] for symbol, (kind, target) in state.items()}


def _rule(rule: Any) -> list[Any]:
    kept = []
    for symbol in rule.expansion:
        if symbol.is_term:
            kept.append(0 if symbol.filter_out else 1)
        else:
            kept.append(2 if symbol.name.startswith("_") else 1)
    name, options = rule.origin.name, rule.options
    alias = rule.alias or ""
    nothing = [int(flag) for flag in options.empty_indices]
    return [str(name), str(alias), kept, bool(options.expand1), nothing]


def as_text(table: dict[str, Any]) -> str:
    """The JSON that is kept: one state a line, so that changes can be read."""
    lines = [f'"{key}": {json.dumps(table[key])}' for key in ("start", "end")]
    for key in ("rules", "states"):
        rows = ",\n".join(
            json.dumps(row, separators=(",", ":"), sort_keys=isinstance(row, dict)) for row in table[key]
        )
        lines.append(f'"{key}": [\n{rows}\n]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(as_text(build()), encoding="utf-8")
