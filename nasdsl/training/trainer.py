"""Training one network, the same way every time: same seed, same settings, same numbers on a CPU."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from nasdsl.language.signatures.structure import copies_of
from nasdsl.training.continuing import State, Stretch, go_on, moved, state_of
from nasdsl.training.dataset import Dataset, Part
from nasdsl.training.errors import DataError
from nasdsl.training.losses import measured_loss
from nasdsl.training.measuring import means, measured
from nasdsl.training.pacing import epochs_of, stop
from nasdsl.training.resident import resident
from nasdsl.training.session import Session, chance_of, session
from nasdsl.training.settings import Settings, setting, whole

if TYPE_CHECKING:
    from compiler.plan import Plan

OnEpoch = Callable[[int, Mapping[str, float]], bool]
"""(epochs done, measures) -> whether training goes on."""


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    measures: of the validation part after the last epoch. curve: the same after each epoch, with `step`
    (epochs done) and `train_loss`. seconds: wall time. state_dict: the weights, of the first fold, contiguous.
    progress: for the next stretch of a training that has several. no_graph: why steps were not repeated from a CUDA
    graph, where that was tried.
    """

    measures: dict[str, float]
    curve: list[dict[str, float]]
    seconds: float
    state_dict: dict[str, torch.Tensor] = field(repr=False)
    progress: State | None = field(default=None, repr=False)
    no_graph: str | None = None


def train(
    module: nn.Module,
    plan: Plan,
    settings: Settings,
    dataset: Dataset,
    seed: int,
    *,
    epochs: int | None = None,
    device: str | torch.device = "cpu",
    on_epoch: OnEpoch | None = None,
    order: int | None = None,
    measures: Sequence[str] = (),
    stretch: Stretch | None = None,
) -> Trained:
    """Train `module` in place, and measure it on the validation part after each epoch.

    `measures` names those beyond the usual of the task (`ece`, `macro_f1`, …). `epochs` takes the place of
    the setting; schedules span what is then left. With several folds a copy is trained for each, all in step,
    each with its own chance, and measures are means over the folds; `module` is the one of the first.
    `order` is the seed of the order of samples, where it is not `seed`. `stretch`: train a part only, of as many
    epochs as the settings say, or of as many as the stretch asks for, where those are more.
    Raises Diverged when the loss is no finite number, DataError where settings or data do not fit.
    """
    began = time.perf_counter()
    device = torch.device(device)
    check_fits(plan, dataset)
    n_epochs = epochs_of(settings, whole(settings, "epochs") if epochs is None else epochs)
    n_epochs = n_epochs if stretch is None else max(n_epochs, stretch.until)
    ends = stop(settings, dataset.kind)
    modules = [module, *(copy.deepcopy(module) for _ in dataset.folds[1:])]
    curve: list[dict[str, float]] = []
    with one_thread(device):
        chances = [_Chance(chance_of(seed, fold), device) for fold in range(len(modules))]
        sessions: list[Session] = []
        for fold, (m, chance) in enumerate(zip(modules, chances, strict=True)):
            with chance.drawing():
                sessions.append(
                    session(m, plan, settings, dataset, fold, seed, n_epochs, device, order, tuple(measures))
                )
        if stretch is not None:
            go_on(sessions, None if stretch.state is None else moved(stretch.state, device))
            found = means([one.measure() for one in sessions])  # where nothing is left to train
        first = sessions[0].course.epoch + 1
        last = max(one.setup.n_epochs for one in sessions) if stretch is None else stretch.until
        for epoch in range(first, last + 1):
            each = []
            for one, chance in zip(sessions, chances, strict=True):
                with chance.drawing():
                    each.append(one.epoch())
            found = means(each)
            ended = ends(found, time.perf_counter() - began)
            found.pop("interpolated", None)
            curve.append({"step": epoch, **found})
            if "time_to_target" in measures:
                curve[-1]["seconds"] = math.fsum(one.course.seconds for one in sessions)
            found.pop("train_loss")
            if (on_epoch is not None and not on_epoch(epoch, found)) or ended:
                break
        sessions[0].finish()
    progress = None if stretch is None else state_of(sessions)
    refused = (one.graph.refused for one in sessions if one.graph is not None)
    no_graph = next((why for why in refused if why is not None), None)
    return Trained(found, curve, time.perf_counter() - began, kept_state(module), progress, no_graph)


def kept_state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }


def measure(
    module: nn.Module,
    settings: Settings,
    dataset: Dataset,
    part: Part,
    *,
    device: str | torch.device = "cpu",
    measures: Sequence[str] = (),
) -> dict[str, float]:
    """The measures of a trained module on one part of the data; {} where the part is empty.

    accuracy and loss of classes; r2, mae and loss of numbers, see `measures`. Several outputs are measured
    each under its name (`box.r2`), and their means under the plain ones.
    """
    device = torch.device(device)
    rows = torch.from_numpy(np.array(dataset.rows(part))).to(device)
    if not len(rows):
        return {}
    with one_thread(device):
        loss = measured_loss(settings, dataset.kind)
        prepared = resident(dataset, 0, device, str(setting(settings, "prepare")))
        return measured(module, prepared, rows, dataset.kind, loss, measures)


def check_fits(plan: Plan, data: Dataset) -> None:
    """Raises DataError where the network was planned for other inputs than the data have, or gives
    other outputs than they have targets for."""
    has = {name: shape.sizes() for name, shape in data.shapes.items()}
    if dict(plan.inputs) != has:
        raise DataError(f"the network takes {dict(plan.inputs)}, but the data have {has}")
    _check_routes(plan, data)
    if set(plan.outputs) != set(data.targets):
        given, asked = (", ".join(f"`{name}`" for name in names) for names in (plan.outputs, data.targets))
        help = 'give targets by the names of the outputs: y = {name: array}, or npz(…, target = "a, b")'
        raise DataError(f"the network gives {given}, but the data have targets for {asked}", help=help)
    shapes = {node.name: node.shape for node in plan.nodes}
    for name, width in data.widths.items() if len(data.widths) > 1 else ():
        shape = shapes.get(plan.outputs[name], (width,))
        if shape != (width,):
            message = f"`output.{name}` has shape {shape}, and its targets ask for ({width},)"
            raise DataError(message, help=f"end it with `linear({width})`")


def _check_routes(plan: Plan, data: Dataset) -> None:
    for node in plan.nodes:
        if node.body is not None:
            _check_routes(node.body, data)
        if node.arguments.get("route") != "enforced":
            continue
        if data.routes is None:
            help = 'name the column that says it: `csv("…", target = "…", route = "domain")`, or an array of `npz`'
            raise DataError(f"the data do not say which expert of `{node.name}` a sample goes to", help=help)
        experts = copies_of(node.arguments)
        if len(data.route_names) > experts:
            named = ", ".join(data.route_names)
            help = f"write `experts = {len(data.route_names)}`"
            raise DataError(
                f"`{node.name}` has {experts} experts, and the data have the routes {named}", help=help
            )


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """One thread: at these sizes more are slower, and sums do not depend on how many there are."""
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Chance:
    """Torch's own generators as one fold sees them, which dropout draws from: seeded, and put back between its epochs."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self._seed = seed
        self._devices = [device] if device.type == "cuda" else []
        self._states: list[torch.Tensor] = []

    @contextmanager
    def drawing(self) -> Iterator[None]:
        with torch.random.fork_rng(devices=self._devices):
            if self._states:
                torch.set_rng_state(self._states[0])
                for device, state in zip(self._devices, self._states[1:], strict=True):
                    torch.cuda.set_rng_state(state, device)
            else:
                torch.manual_seed(self._seed)
            yield
            self._states = [torch.get_rng_state(), *map(torch.cuda.get_rng_state, self._devices)]
