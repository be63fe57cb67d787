"""`docs/catalogue.md`: every method that the language names, out of the tables that the code itself reads.

python -m nasdsl.engine.catalogue > docs/catalogue.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from nasdsl.language.quantities import QUANTITIES
from nasdsl.language.signatures.measures import KINDS, MEASURES
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.signatures.table import DATA, LAYERS, STOPS, TRAINING

_HEAD = """# Catalogue

Every method that a `.space` file can name, written out of the code's own tables by
`python -m nasdsl.engine.catalogue > docs/catalogue.md`; a test holds it to them. `nasdsl ops NAME` says the same
of one row, with its arguments. The invariants of the methods of training are tested in `tests/training/`, shapes
and costs of operations in `tests/compiler/`. Tests show that a method computes what its source
says, not that it helps. Whether it helps was measured for a few, on small data and a CPU; the tables, with their
spreads and limits, stand in `examples/methods/README.md`. `none measured` means just that.
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
_TESTED: Mapping[str, str] = {
    "layer": "tests/compiler",
    "activation": "tests/compiler",
    "wrapper": "tests/compiler",
    "weight": "tests/compiler",
    "schedule": "tests/training/test_schedules.py",
    "data": "tests/training/test_open_data.py, test_more_data.py",
}
_EFFECTS: Mapping[str, str] = {
    "elr": "mnist1d, 30% wrong labels: 0.838 against 0.631 (+0.207 ± 0.007)",
    "ps_kd": "mnist1d, 30% wrong labels: 0.653 against 0.631 (+0.021 ± 0.007)",
    "mixup": "mnist1d, 30% wrong labels: 0.749 against 0.631 (+0.117 ± 0.004); 160 samples: -0.036 ± 0.006",
    "label_smoothing": "mnist1d, 30% wrong labels: +0.022 ± 0.012, within noise; 160 samples: -0.044 ± 0.008",
    "dropout": "640 samples of mnist1d seen 100 times: late +0.034 ± 0.003, from the start +0.033 ± 0.006; no grokking",
    "crop": "160 samples of mnist1d: 0.646 against 0.379 (+0.267 ± 0.012)",
    "noise": "160 samples of mnist1d: +0.020 ± 0.008",
    "weight_decay": "addition modulo 59, 10% wrong labels (`grokking`): 0.218 with 2.0 against 0.001 (+0.217 ± 0.027, "
    "3 seeds); far from full generalization, in a setting chosen after a first one (modulo 31) showed nothing",
    "subset": "digits, half of the data: el2n 0.000 ± 0.001, grand +0.001 ± 0.001, random -0.002 ± 0.002; a fifth: el2n +0.001 ± 0.001, "
    "grand 0.000 ± 0.000, random -0.006 ± 0.002",
    "widen": "mnist1d, 3 seeds: experts in shared blocks +0.019 ± 0.014 over shared ones, blocks apart +0.047 ± 0.010; "
    "digits, 4 seeds: 0.000 ± 0.002 against layers apart",
    "gate": "digits, 4 seeds: mass 0.7 leaves 0.652 ± 0.018 of the channels on for -0.006 ± 0.002; 0.6 loses 0.294 ± 0.090",
    "batch_norm": "addition modulo 59, 10% wrong labels: 0.000 ± 0.000, no grokking seen",
    "anchor": "pretrained features, 160 samples of digits: l2 -0.005 ± 0.003, distill -0.019 ± 0.003, ewc -0.023 ± 0.004; no gain seen",
    "half": "pretrained features, 160 samples of digits: -0.011 ± 0.006 against tuning all",
    "head": "pretrained features, 160 samples of digits: -0.035 ± 0.007 against tuning all",
    "frozen": "digits, 4 seeds: -0.017 ± 0.003 with random layers frozen",
    "adapter": "PNet's features on digits: 0.833 against 0.669 frozen (+0.164 ± 0.022) with 626 trained numbers; "
    "beside random frozen layers, 4 seeds: -0.003 ± 0.005, which alone cost 0.017 ± 0.003",
    "lora": "PNet's features on digits: 0.867 against 0.669 frozen (+0.199 ± 0.021) with 968 trained numbers; all: 0.953 with 6,764",
    "lora_xs": "PNet's features on digits: 0.822 against 0.669 frozen (+0.153 ± 0.019) with 522 trained numbers",
    "lora_sb": "PNet's features on digits: 0.846 against 0.669 frozen (+0.177 ± 0.022) with 522 trained numbers",
    "svfit": "PNet's features on digits: 0.682 against 0.669 frozen (+0.014 ± 0.011), within noise",
    "intrinsic": "PNet's features on digits: 0.787 against 0.669 frozen (+0.119 ± 0.022) with 430 trained numbers; said 0.796",
    "mask_tuned": "PNet's features on digits, 4 seeds: 0.836 against 0.421 frozen (+0.415 ± 0.023), a third of the weights out; "
    "needs a low rate",
    "low_rank": "PNet's features on digits: 0.928 at half of the weights against 0.953; from random weights on mnist1d "
    "-0.204 ± 0.021 at an eighth, a narrow network -0.075 ± 0.008 (4 seeds)",
    "nm_sparse": "mnist1d, 1 of 8, 4 seeds: mask 0.486, ste 0.471, structure 0.455 (± 0.006) against 0.613 with all",
    "weight_norm": "mnist1d, 4 seeds: -0.005 ± 0.005, no gain seen",
    "spectral_norm": "mnist1d, 4 seeds: -0.038 ± 0.009, no gain under noise seen",
    "orthogonal": "digits, thirty tanh layers, 4 seeds: 0.912 against 0.100 (+0.811 ± 0.008)",
    "weight_standardized": "mnist1d, 4 seeds, with layer norm: 0.551 against 0.607 of layer norm alone: a loss",
    "weight_compander": "mnist1d, 4 seeds: 0.530 against 0.516 (+0.015 ± 0.005); 160 samples: 0.000 ± 0.005",
    "init": "digits, twenty gelu layers: critical 0.775, kaiming 0.329, orthogonal 0.217 against 0.100",
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
    lines = ["| name | what | tested |", "|---|---|---|"]
    lines += [f"| `{name}` | {doc} | tests/compiler, tests/language |" for name, doc in QUANTITIES.items()]
    parts.append("## Quantities\n\n" + _QUANTITIES + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _measures() -> Iterator[str]:
    yield "| name | what | of | tasks | better | source | tested | measured effect |"
    yield "|---|---|---|---|---|---|---|---|"
    for m in MEASURES.values():
        better = {True: "larger", False: "smaller", None: "neither"}[m.larger]
        tasks = "all" if m.kinds == KINDS else ", ".join(m.kinds)
        effect = _EFFECTS.get(m.name, "-")
        cells = (f"`{m.name}`", m.doc, m.of, tasks, better, m.source or "-", m.tested, effect)
        yield "| " + " | ".join(cells) + " |"


def _table(rows: list[Signature]) -> Iterator[str]:
    yield "| form | what | source | tested | measured effect |"
    yield "|---|---|---|---|---|"
    for row in rows:
        cited = _CITED.search(row.doc)
        source = row.source or (cited.group(1) if cited else "-")
        tested = "not part of this version" if row.later else _TESTED.get(row.group, "tests/training")
        unknown = "-" if row.later or row.group == "data" else "none measured"
        cells = (f"`{_form(row)}`", row.doc, source, tested, _EFFECTS.get(row.name, unknown))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _form(row: Signature) -> str:
    if row.group == "setting":
        return f"{row.name} = …"
    body = " { }" if row.body else ""
    if not row.arguments:
        return row.name + body
    return f"{row.name}({', '.join(one.usage for one in row.arguments)}){body}"


if __name__ == "__main__":
    sys.stdout.write(catalogue())
