"""Data that are made, not read: always the same for the same arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from nasdsl.training.assembling import assemble
from nasdsl.training.dataset import INPUT, OUTPUT, Dataset
from nasdsl.training.samples import Samples
from nasdsl.training.splits import Splitting

_SEED = 0

OPERATIONS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
}


def modular(p: int, op: str) -> Dataset:
    """All p * p pairs (a, b) as two one-hot codes (2 p,), and a op b modulo p.

    Half of the pairs train, as where grokking was first seen with so few (Power et al. 2022, arXiv 2201.02177).
    """
    a, b = (axis.reshape(-1) for axis in np.meshgrid(np.arange(p), np.arange(p), indexing="ij"))
    x = np.zeros((p * p, 2 * p), dtype=np.float32)
    x[np.arange(p * p), a] = x[np.arange(p * p), p + b] = 1
    y = OPERATIONS[op](a, b) % p
    samples = Samples(f"modular({p}, {op})", {INPUT: x}, {OUTPUT: y})
    return assemble("classification", samples, Splitting(valid=0.3, test=0.2), standardize=False)


def spirals(rows: int, noise: float) -> Dataset:
    """Points (2,) on two arms that wind around each other one and a half times; the class is the arm."""
    rng = np.random.RandomState(_SEED)
    arm = np.arange(rows) % 2
    turn = np.sqrt(rng.random_sample(rows)) * 3 * np.pi
    angle = turn + np.pi * arm
    x = np.stack([turn * np.cos(angle), turn * np.sin(angle)], 1) + noise * rng.standard_normal((rows, 2))
    return assemble(
        "classification", Samples("spirals", {INPUT: x.astype(np.float32)}, {OUTPUT: arm}), Splitting()
    )


def with_wrong_labels(data: Dataset, share: float) -> Dataset:
    """Exactly this share of the rows that train gets another class, drawn evenly; all others keep theirs."""
    if not share:
        return data
    rng = np.random.RandomState(_SEED)
    targets = data.targets[OUTPUT].copy()
    train = data.rows("train")
    wrong = rng.permutation(train)[: round(share * len(train))]
    targets[wrong] = (targets[wrong] + rng.randint(1, data.outputs, len(wrong))) % data.outputs
    said = f"{data.statement}; {len(wrong):,} of the labels that train are wrong, on purpose"
    return replace(data, targets={OUTPUT: targets}, statement=said)
