"""What travels between the parent and its workers: plain data only, never closures or modules.

parent -> worker   Setup (once), then Group, StopTrial
worker -> parent   Ready or Broken (once), then for each group Begun, and for each job Report*, Chose*, Done
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from nasdsl.engine.records import Reason
from nasdsl.language.decisions import Answer
from nasdsl.language.network import Goal


@dataclass(frozen=True, slots=True)
class Own:
    """Operations of the user's own. `modules`: those that `use` brought in, and the folders to look in;
    `registered`: the bytes of cloudpickle for the others."""

    modules: Mapping[str, str]
    registered: bytes


@dataclass(frozen=True, slots=True)
class Setup:
    """What all trials of a run share.

    `space_text` None: points go to `function` as they are. `function` is the custom `evaluate`:
    "package.module:name", or the bytes of cloudpickle for functions that no import finds.
    `data_folder` holds a saved Dataset; `settings` override those of `train { }` by name. `groups`:
    what was chosen before for groups of a structure, see grouping.py.
    """

    folder: Path
    space_path: str = "inline.space"  # where the files that it names are; the parent has checked the text
    space_text: str | None = None
    data_folder: Path | None = None
    function: str | bytes | None = None
    settings: Mapping[str, Answer] = field(default_factory=dict)
    groups: Mapping[str, bool] = field(default_factory=dict)
    own: Own | None = None
    device: str = "cpu"
    memory_bytes: int | None = None
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `point` is JSON; `epochs` None: what the point says.

    train      trains the network, or calls the custom evaluate; the weights are written to `weights`
               where the score exceeds `keep_above`
    test       measures the network with the `weights` kept on the test split
    `order`: the seed of the order of samples, where it is not `seed`. `stretch`: train on from the checkpoint of the
    trial, where there is one, to `epochs` in all, and leave a checkpoint.
    baselines  fits scikit-learn's models of the task on the same split; the point plays no part
    """

    trial: int
    point: str
    seed: int
    task: Literal["train", "test", "baselines"] = "train"
    epochs: int | None = None
    weights: Path | None = None
    keep_above: float | None = None
    order: int | None = None
    stretch: bool = False


Group: TypeAlias = tuple[Job, ...]
"""Jobs for one worker: one, or several that may be trained as one program."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a job; the fields of a Record that the parent does not know itself."""

    score: float | None = None
    error: str | None = None
    reason: Reason = "complete"
    seconds: float = 0.0
    params: int | None = None
    macs: int | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[Mapping[str, float], ...] = ()
    traceback: str | None = None
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class StopTrial:
    """Ask a running trial to end soon; it sees `should_stop()`."""

    trial: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker is set up."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The worker cannot be set up, and neither could its replacement."""

    error: str
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """The group left the queue of its worker; its time limit starts."""


@dataclass(frozen=True, slots=True)
class Report:
    """A score on the way, at an epoch or step."""

    trial: int
    step: float
    score: float


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a job."""

    trial: int
    result: Result


NO_GRAPH = "graph: "


@dataclass(frozen=True, slots=True)
class Chose:
    """Whether groups of this structure train together from now on, and why. `what`: the same for people.

    A structure that begins with `NO_GRAPH` is none: it tells why steps are not repeated from a CUDA graph.
    """

    structure: str
    together: bool
    why: str
    what: str


@dataclass(frozen=True, slots=True)
class Apart:
    """The jobs of the group that have no outcome are to be done one by one, wherever there is room."""


FromWorker: TypeAlias = Ready | Broken | Begun | Report | Chose | Apart | Done
News: TypeAlias = Report | Chose | Done
