"""The measures that a network can be judged by: names, tasks, directions, when they are known. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

KINDS = ("classification", "regression", "multilabel", "next_token", "segmentation")

# outputs, features and layers: of a trained network, on the validation part; what layers say of themselves they say
# unasked. course: of the training. untrained: of the network as it is drawn, before training is spent on it.
Of: TypeAlias = Literal["outputs", "features", "layers", "course", "untrained"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. larger: whether more is better, None where neither is. always: measured after each epoch
    even where no objective asks for it. of: what it is worked out from."""

    name: str
    doc: str
    kinds: tuple[str, ...]
    larger: bool | None
    always: bool = False
    source: str = ""
    of: Of = "outputs"


_CLASSES = ("classification",)
_AT_ONCE = ("classification", "regression", "multilabel")  # whose validation part is measured as a whole


def _proxy(name: str, doc: str, larger: bool | None, source: str) -> Measure:
    return Measure(name, doc, KINDS, larger, source=source, of="untrained")


_ROWS = (
    Measure(
        "accuracy",
        "share of right answers, of positions where each has one",
        ("classification", "next_token", "segmentation"),
        True,
        always=True,
    ),
    Measure(
        "mean_iou",
        "of each class: positions where truth and answer agree on it, over those where either has it; averaged",
        ("segmentation",),
        True,
        always=True,
        source="Everingham et al. 2015, The Pascal Visual Object Classes Challenge: A Retrospective, section 4.2",
    ),
    Measure("balanced_accuracy", "share found of each class, averaged over classes", _CLASSES, True),
    Measure("macro_f1", "F1 of each class or label, averaged", ("classification", "multilabel"), True),
    Measure(
        "ece",
        "gap between confidence and accuracy, over 15 bins of confidence",
        _CLASSES,
        False,
        source="Guo et al. 2017, On calibration of modern neural networks, arXiv 1706.04599, eq. 3",
    ),
    Measure(
        "r2", "one minus the squared error over that of the best constant", ("regression",), True, always=True
    ),
    Measure("mae", "mean absolute error, in units of the data", ("regression",), False, always=True),
    Measure("bits_per_byte", "the loss in bits, per byte of the text", ("next_token",), False, always=True),
    Measure("loss", "what training minimizes, without regularizers", KINDS, False, always=True),
    Measure(
        "rankme",
        "effective rank of the features before the last layer: exp of the entropy of their singular values",
        _AT_ONCE,
        True,
        source="Garrido et al. 2023, arXiv 2210.02885, eq. 1",
        of="features",
    ),
    Measure(
        "nc1",
        "neural collapse: spread of the features within classes over the spread of the class means",
        _CLASSES,
        False,
        source="Tirer et al. 2023, arXiv 2210.16658",
        of="features",
    ),
    Measure(
        "open_channels",
        "share of channels that gates leave on, over samples and gates; 1 in a network without gates",
        KINDS,
        False,
        source="Elkerdawy et al. 2022, arXiv 2110.08232",
        of="layers",
    ),
    Measure(
        "time_to_target",
        "seconds of training until a measure reaches its target, `time_to_target(accuracy = 0.9)`, validation "
        "not counted; infeasible where it never does",
        KINDS,
        False,
        source="Dahl et al. 2023, arXiv 2306.07179",
        of="course",
    ),
    Measure(
        "latency_ms",
        "median milliseconds of one forward pass of the untrained network, on the device of the run with one sample "
        "and one thread, or as the last `require latency_ms(device, batch, threads)` says",
        KINDS,
        False,
        of="untrained",
    ),
    _proxy(
        "naswot",
        "log-determinant of how many activations agree in sign, between the samples of a batch",
        True,
        "Mellor et al. 2021, arXiv 2006.04647",
    ),
    _proxy(
        "jacob_cov",
        "how little the input gradients of the samples of a batch correlate",
        True,
        "Mellor et al. 2020, arXiv 2006.04647v1",
    ),
    _proxy(
        "synflow",
        "log10 of the flow through all paths, with positive weights and an input of ones",
        True,
        "Tanaka et al. 2020, arXiv 2006.05467; Abdelfattah et al. 2021, arXiv 2101.08134",
    ),
    _proxy(
        "zen",
        "log of how far a small change of the input carries, with Gaussian weights; batch norm alone",
        True,
        "Lin et al. 2021, arXiv 2102.01063",
    ),
    _proxy(
        "grad_norm",
        "norms of the gradients of the loss on one batch, summed over parameter tensors",
        True,
        "Abdelfattah et al. 2021, arXiv 2101.08134",
    ),
    _proxy(
        "ntk_cond",
        "ln of the condition number of the neural tangent kernel on 32 samples, over 3 draws of weights",
        False,
        "Chen et al. 2021, arXiv 2102.11535",
    ),
    _proxy(
        "chi",
        "factor by which a weighted layer scales squared gradients, from the first one to the outputs; 1 is critical",
        None,
        "Roberts et al. 2021, arXiv 2106.10165; Doshi et al. 2023, arXiv 2111.12143",
    ),
)

MEASURES: Mapping[str, Measure] = MappingProxyType({row.name: row for row in _ROWS})

# What is optimized where a file names no objective.
USUAL: Mapping[str, str] = MappingProxyType(
    {
        "classification": "accuracy",
        "regression": "r2",
        "multilabel": "macro_f1",
        "next_token": "bits_per_byte",
        "segmentation": "mean_iou",
    }
)


def measures_of(kind: str) -> tuple[str, ...]:
    """The measures of a kind of task, the usual one first."""
    usual = USUAL[kind]
    return (usual, *(row.name for row in _ROWS if kind in row.kinds and row.name != usual))


def asked_beyond(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that a training measures only because they are asked for."""
    rows = (MEASURES[name] for name in names if name in MEASURES)
    return tuple(row.name for row in rows if not row.always and row.of != "untrained")


def fuses(names: tuple[str, ...]) -> bool:
    """Whether all of them are worked out of outputs, which is all that a fused training shows."""
    return all(MEASURES[name].of == "outputs" for name in names)


OF_LAYERS: tuple[str, ...] = tuple(row.name for row in _ROWS if row.of == "layers")
UNTRAINED: tuple[str, ...] = tuple(row.name for row in _ROWS if row.of == "untrained")
PROXIES: tuple[str, ...] = tuple(name for name in UNTRAINED if name != "latency_ms")
