"""The part of an exported file that takes raw samples and gives answers in the words and units of the data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compiler.plan import INPUT, Plan


@dataclass(frozen=True, slots=True)
class Scaling:
    """`(x - mean) / deviation` standardizes x. The numbers are flat; `shape` is theirs over one sample."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bending:
    """Each column of a table on a line of its own between knots: places that rise, and values."""

    places: tuple[tuple[float, ...], ...]
    values: tuple[tuple[float, ...], ...]


def bending_constants(inputs: Mapping[str, Bending]) -> list[str]:
    """The lines of INPUT_KNOTS."""
    lines = ["INPUT_KNOTS = {  # name -> for each column the places of its knots; and their values"]
    for name, knots in inputs.items():
        lines.append(f"    {name!r}: (")
        for side in (knots.places, knots.values):
            lines += ["        (", *(f"            {column!r}," for column in side), "        ),"]
        lines.append("    ),")
    return [*lines, "}"]


def scaling_constants(inputs: Mapping[str, Scaling], outputs: Mapping[str, Scaling]) -> list[str]:
    """The lines of INPUT_SCALES and OUTPUT_SCALES."""
    lines = []
    for name, scales in (("INPUT_SCALES", inputs), ("OUTPUT_SCALES", outputs)):
        lines.append(f"{name} = {{  # name -> mean, deviation, and their shape over one sample")
        lines += [f"    {key!r}: ({s.mean!r}, {s.deviation!r}, {s.shape!r})," for key, s in scales.items()]
        lines.append("}")
    return lines


def columns_constant(columns: Mapping[str, tuple[str, ...] | None]) -> list[str]:
    """The lines of COLUMNS."""
    lines = [
        "COLUMNS = {  # of the table, in order: its texts, each a number 0 or 1 of its own; None: a number"
    ]
    return [*lines, *(f"    {name!r}: {texts!r}," for name, texts in columns.items()), "}"]


def predict_source(
    plan: Plan, classes: bool, columns: bool = False, bent: bool = False, maps: bool = False
) -> str:
    """The functions `standardized` and `predict`, for classes, `maps` of them, or numbers; with `columns` also `encoded`, for rows
    of a table; with `bent` also `by_ranks`, for tables prepared by ranks."""
    several = len(plan.outputs) > 1
    mapped = classes and maps
    indexes = [node.name for node in plan.nodes if node.op == INPUT and node.layout == "index"]
    one = "list[str]" if classes and not maps else "Tensor"
    returned = f"dict[str, {one}]" if several else one
    what = "The class of each sample" if classes else "The numbers for each sample, in the units of the data"
    what = "The place among CLASSES of each position's class, (n, *positions)" if mapped else what
    first = next(iter(plan.outputs))
    answer = (
        "return {name: answers(name, output) for name, output in outputs.items()}"
        if several
        else f"return answers({first!r}, outputs)"
    )
    raw = (
        "Rows of the table, each a dict by COLUMNS or their cells in order; or numbers, encoded already."
        if columns
        else "Raw samples: an array (n, …) for each of INPUTS, in order."
    )
    return f'''{_ENCODED if columns else ""}{_BENT if bent else ""}{_scale_source(indexes, columns, bent)}


{_MAPS if mapped else _CLASSES if classes else _NUMBERS}


def predict(*samples, network: Network | None = None) -> {returned}:
    """{what}. {raw}"""
    network = load() if network is None else network
    with torch.no_grad():
        outputs = network(*(standardized(name, x) for name, x in zip(INPUTS, samples, strict=True)))
    {answer}'''


def _scale_source(indexes: Iterable[str], columns: bool, bent: bool) -> str:
    names = tuple(indexes)
    dtype = f"torch.long if name in {names!r} else torch.float32" if names else "torch.float32"
    encoding = "\n    samples = samples if hasattr(samples, 'shape') else encoded(samples)" if columns else ""
    ranks = "\n    if name in INPUT_KNOTS:\n        return by_ranks(x, *map(torch.tensor, INPUT_KNOTS[name]))"
    return f'''def scale(numbers: tuple) -> tuple[Tensor, Tensor]:
    mean, deviation, shape = numbers
    return torch.tensor(mean).reshape(shape), torch.tensor(deviation).reshape(shape)


def standardized(name: str, samples) -> Tensor:
    """What the network takes, from raw samples (n, …)."""{encoding}
    x = torch.as_tensor(samples, dtype={dtype}){ranks if bent else ""}
    if name not in INPUT_SCALES:
        return x
    mean, deviation = scale(INPUT_SCALES[name])
    return (x - mean) / deviation'''


_ENCODED = '''def encoded(rows) -> Tensor:
    """The numbers of rows of the table (n, features). A text that COLUMNS does not know gives zeros only."""
    numbers = []
    for row in rows:
        cells = [row[name] for name in COLUMNS] if isinstance(row, dict) else list(row)
        if len(cells) != len(COLUMNS):
            raise ValueError(f"a row has {len(cells)} cells, and the table {len(COLUMNS)} columns: {', '.join(COLUMNS)}")
        line = []
        for cell, (name, texts) in zip(cells, COLUMNS.items()):
            if texts is None:
                line.append(float(cell))
            elif not str(cell).strip():
                raise ValueError(f"column {name} has no value")
            else:
                line += [float(str(cell).strip() == text) for text in texts]
        numbers.append(line)
    return torch.tensor(numbers)


'''

_BENT = '''def by_ranks(x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Each column along its own line between knots, flat beyond the ends."""
    columns = x.T.contiguous()
    right = torch.searchsorted(places, columns, right=True).clamp(1, places.shape[1] - 1)
    low, high = places.gather(1, right - 1), places.gather(1, right)
    below, above = values.gather(1, right - 1), values.gather(1, right)
    width = high - low
    share = torch.where(width > 0, (columns - low) / width.clamp_min(1e-30), 0.0).clamp(0, 1)
    return torch.lerp(below, above, share).T


'''

_CLASSES = '''def answers(name: str, scores: Tensor) -> list[str]:
    """The class with the highest score of each row."""
    return [CLASSES[number] for number in scores.argmax(1).tolist()]'''

_MAPS = '''def answers(name: str, scores: Tensor) -> Tensor:
    """The number of the class with the highest score at each position."""
    return scores.argmax(1)'''

_NUMBERS = '''def answers(name: str, outputs: Tensor) -> Tensor:
    """Standardized outputs in the units of the data."""
    if name not in OUTPUT_SCALES:
        return outputs
    mean, deviation = scale(OUTPUT_SCALES[name])
    return outputs * deviation + mean'''
