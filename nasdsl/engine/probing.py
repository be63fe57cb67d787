"""What is measured on an untrained network, before training is spent on it: latencies, proxies, `chi`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nasdsl.engine.latency import latency_ms
from nasdsl.language.answers import is_per_symbol
from nasdsl.language.conditions import Latency
from nasdsl.language.errors import Infeasible
from nasdsl.language.point import Point
from nasdsl.language.signatures.measures import PROXIES

if TYPE_CHECKING:
    import torch

    from nasdsl.language.space import Space
    from nasdsl.training import Dataset
    from nasdsl.training.untrained import Probe


def measured(
    space: Space | None, point: Point, seed: int, dataset: Dataset | None = None, device: str = "cpu"
) -> Mapping[str, float]:
    """What objectives and `require` lines ask of the untrained network, by name; the last latency as
    `latency_ms` too.

    Raises Infeasible where it breaks a line, NotMeasurable where a measure says nothing of this network,
    ValueError for a device that is not there.
    """
    if space is None or not asks(space):
        return {}
    asked = space.required_measures
    latencies = [one for one in asked if isinstance(one, Latency)]
    goals = [goal.measure for goal in space.goals]
    names = dict.fromkeys(name for name in (*goals, *(one.key for one in asked)) if name in PROXIES)
    found = proxies(space, point, seed, list(names), dataset, device) if names else {}
    if latencies or "latency_ms" in goals:
        module = _network(space, point, seed)
        for one in latencies or [Latency(device.split(":", maxsplit=1)[0], 1, 1)]:
            found[one.key] = found["latency_ms"] = latency_ms(module, space, one)
    broken = space.unmet(point, found)
    if broken:
        told = ", ".join(f"{one.key} is {found[one.key]:.3g}" for one in asked)
        raise Infeasible(f"`require {broken}` does not hold: {told}")
    return found


def asks(space: Space) -> bool:
    """Whether the space asks for anything of untrained networks that must be measured."""
    return bool(space.required_measures) or any(
        goal.measure in (*PROXIES, "latency_ms") for goal in space.goals
    )


def proxies(
    space: Space,
    point: Point,
    seed: int,
    names: Sequence[str],
    dataset: Dataset | None = None,
    device: str = "cpu",
) -> dict[str, float]:
    """The proxies of a point's network, drawn from `seed`. Raises NotMeasurable."""
    from nasdsl.training.trainer import one_thread
    from nasdsl.training.untrained import PROXIES as MEASURED_BY

    probe = _probe(space, point, seed, dataset, device)
    with one_thread(next(iter(probe.batch.inputs.values())).device):
        return {name: MEASURED_BY[name](probe) for name in names}


def _network(space: Space, point: Point, seed: int) -> torch.nn.Module:
    from compiler.build import build
    from compiler.plan import plan

    return build(plan(space, point), seed=seed)


def _probe(space: Space, point: Point, seed: int, dataset: Dataset | None, device: str) -> Probe:
    import torch

    from compiler.build import build
    from compiler.plan import plan_of
    from nasdsl.training.untrained.probe import data_batch, noise_batch, probe

    decided, task = space.decided(point), space.task
    planned, where = plan_of(decided), torch.device(device)
    assert task is not None
    # A class for each symbol comes as the next one does: outputs (n, positions, classes).
    kind = "next_token" if is_per_symbol(task) else task.kind
    if dataset is not None:
        batch = data_batch(dataset, decided.settings, where)
    else:
        assert isinstance(task.outputs, int)
        batch = noise_batch(task.inputs, kind, task.outputs, where)
    return probe(
        lambda draw: build(planned, seed=seed + draw).to(where),
        planned.depth,
        batch,
        decided.settings,
        kind,
        seed,
    )
