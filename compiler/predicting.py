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


def scaling_constants(inputs: Mapping[str, Scaling], outputs: Mapping[str, Scaling]) -> list[str]:
    """The lines of INPUT_SCALES and OUTPUT_SCALES."""
    lines = []
    for name, scales in (("INPUT_SCALES", inputs), ("OUTPUT_SCALES", outputs)):
        lines.append(f"{name} = {{  # name -> mean, deviation, and their shape over one sample")
        lines += [f"    {key!r}: ({s.mean!r}, {s.deviation!r}, {s.shape!r})," for key, s in scales.items()]
        lines.append("}")
    return lines


def predict_source(plan: Plan, classes: bool) -> str:
    """The functions `standardized` and `predict`, for classes or for numbers."""
    several = len(plan.outputs) > 1
    indexes = [node.name for node in plan.nodes if node.op == INPUT and node.layout == "index"]
    one = "list[str]" if classes else "Tensor"
    returned = f"dict[str, {one}]" if several else one
    what = "The class of each sample" if classes else "The numbers for each sample, in the units of the data"
    first = next(iter(plan.outputs))
    answer = (
        "return {name: answers(name, output) for name, output in outputs.items()}"
        if several
        else f"return answers({first!r}, outputs)"
    )
    return f'''{_scale_source(indexes)}


{_CLASSES if classes else _NUMBERS}


def predict(*samples, network: Network | None = None) -> {returned}:
    """{what}. Raw samples: an array (n, …) for each of INPUTS, in order."""
    network = load() if network is None else network
    with torch.no_grad():
        outputs = network(*(standardized(name, x) for name, x in zip(INPUTS, samples, strict=True)))
    {answer}'''


def _scale_source(indexes: Iterable[str]) -> str:
    names = tuple(indexes)
    dtype = f"torch.long if name in {names!r} else torch.float32" if names else "torch.float32"
    return f'''def scale(numbers: tuple) -> tuple[Tensor, Tensor]:
    mean, deviation, shape = numbers
    return torch.tensor(mean).reshape(shape), torch.tensor(deviation).reshape(shape)


def standardized(name: str, samples) -> Tensor:
    """What the network takes, from raw samples (n, …)."""
    x = torch.as_tensor(samples, dtype={dtype})
    if name not in INPUT_SCALES:
        return x
    mean, deviation = scale(INPUT_SCALES[name])
    return (x - mean) / deviation'''


_CLASSES = '''def answers(name: str, scores: Tensor) -> list[str]:
    """The class with the highest score of each row."""
    return [CLASSES[number] for number in scores.argmax(1).tolist()]'''

_NUMBERS = '''def answers(name: str, outputs: Tensor) -> Tensor:
    """Standardized outputs in the units of the data."""
    if name not in OUTPUT_SCALES:
        return outputs
    mean, deviation = scale(OUTPUT_SCALES[name])
    return outputs * deviation + mean'''
