"""`docs/catalogue.md`: every method that the language names, out of the tables that the code itself reads.

python -m nasdsl.engine.catalogue > docs/catalogue.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from nasdsl.engine.evidence import EFFECTS, TESTS, known
from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.signatures.measures import KINDS, MEASURES
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.table import DATA, LAYERS, STOPS, TRAINING

_HEAD = """# Catalogue

Every method that a `.space` file can name, written out of the code's own tables by
`python -m nasdsl.engine.catalogue > docs/catalogue.md`; a test holds it to them. `nasdsl ops NAME` says the same
of one row, with its arguments. `tested` names one test, below `tests/`, that holds a row to its source or to torch; there
are others beside it. Tests show that a method computes what its source
says, not that it helps. Whether it helps was measured for a few, on small data and a CPU; the tables, with their
spreads and limits, stand in `examples/methods/README.md`, of proxies in `docs/proxies.md`. `none measured` means just that.
"""

_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Layers": ("layer", "activation", "wrapper"),
    "Weights": ("weight",),
    "Training: settings": ("setting",),
    "Training: optimizers": ("optimizer",),
    "Training: schedules": ("schedule",),
    "Training: losses": ("loss",),
    "Training: regularizers and targets": ("regularizer",),
    "Training: changes of the inputs, in `augment { }`": ("augment",),
    "Training: what ends it, which weights, which data, which scale": (
        "stop",
        "policy",
        "selection",
        "scale",
        "law",
    ),
    "Data": ("data",),
}
_MEASURES = """Each may be an objective. `outputs` and `features` are those of a trained network on the validation part,
`course` that of its training. What is `untrained` is measured before training is spent, may stand in `require`, and
is what `nasdsl measure FILE --proxies` prints beside parameters and multiply-accumulates, the baseline that a proxy
must beat.

"""
_QUANTITIES = """Known of a decided network without building it: objectives, and `require` lines that no offered point breaks.

"""
_CITED = re.compile(r"\(([^()]*\b(?:19|20)\d\d[^()]*)\)")


def catalogue() -> str:
    """The whole page."""
    rows = [row for table in (LAYERS, TRAINING, STOPS, DATA) for row in table.values()]
    parts = [_HEAD]
    for title, groups in _SECTIONS.items():
        chosen = [row for row in rows if row.group in groups]
        parts.append(f"## {title}\n\n" + "\n".join(_table(chosen)) + "\n")
    parts.append("## Measures\n\n" + _MEASURES + "\n".join(_measures()) + "\n")
    lines = ["| name | what | tested | measured effect |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {doc} | {_tested('quantity', name)} | {EFFECTS.get(name, '-')} |"
        for name, doc in QUANTITIES.items()
    ]
    parts.append("## Quantities\n\n" + _QUANTITIES + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _measures() -> Iterator[str]:
    yield "| name | what | of | tasks | better | source | tested | measured effect |"
    yield "|---|---|---|---|---|---|---|---|"
    for m in MEASURES.values():
        better = {True: "larger", False: "smaller", None: "neither"}[m.larger]
        tasks = "all" if m.kinds == KINDS else ", ".join(m.kinds)
        effect = known(EFFECTS, "measure", m.name) or "-"
        cells = (
            f"`{m.name}`",
            m.doc,
            m.of,
            tasks,
            better,
            m.source or "-",
            _tested("measure", m.name),
            effect,
        )
        yield "| " + " | ".join(cells) + " |"


def _table(rows: list[Signature]) -> Iterator[str]:
    yield "| form | what | source | tested | measured effect |"
    yield "|---|---|---|---|---|"
    for row in rows:
        cited = _CITED.search(row.doc)
        source = row.source or (cited.group(1) if cited else "-")
        tested = "not part of this version" if row.later else _tested(row.group, row.name)
        unknown = "-" if row.later or row.group == "data" else "none measured"
        cells = (f"`{_form(row)}`", row.doc, source, tested, known(EFFECTS, row.group, row.name) or unknown)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _tested(group: str, name: str) -> str:
    """`file::test`. Raises KeyError for a row that names none."""
    found = known(TESTS, group, name)
    if found is None:
        raise KeyError(f"name a test of `{name}` ({group}) in nasdsl/engine/evidence.py")
    return f"`{found}`"


def _form(row: Signature) -> str:
    if row.group == "setting":
        return f"{row.name} = …"
    body = " { }" if row.body else ""
    if not row.arguments:
        return row.name + body
    return f"{row.name}({', '.join(one.usage for one in row.arguments)}){body}"


if __name__ == "__main__":
    sys.stdout.write(catalogue())
