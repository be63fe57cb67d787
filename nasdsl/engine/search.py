"""`search`: from a space to a Run. Wires data, searcher, store, workers and loop together."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine import chosen, earlier, facts, functions, ours, overrides
from nasdsl.engine.confirm import after_search
from nasdsl.engine.data import Prepared, prepare
from nasdsl.engine.ending import no_success
from nasdsl.engine.errors import EngineError
from nasdsl.engine.events import Ended, Event, Notice, Started
from nasdsl.engine.fidelity import Fidelity, rule_of
from nasdsl.engine.folders import opened_store, run_folder
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.isolation import default_memory
from nasdsl.engine.loop import Loop
from nasdsl.engine.messages import Setup
from nasdsl.engine.meta import check_same_space
from nasdsl.engine.places import Here, Place, on_gpus, on_this_machine
from nasdsl.engine.pool import Pool
from nasdsl.engine.process import expect_workers
from nasdsl.engine.proposing import halved, searcher_of
from nasdsl.engine.request import DEFAULT_BUDGET, Request
from nasdsl.engine.run import LOGS_FOLDER, Run, open_run
from nasdsl.engine.store import Store
from nasdsl.engine.weights import Keeper
from nasdsl.language.decisions import Answer
from nasdsl.language.point import Point
from searchers.protocol import Searcher

if TYPE_CHECKING:
    from nasdsl.language.space import Space

__all__ = ["DEFAULT_BUDGET", "search"]

_KEPT_WEIGHTS = 5


def search(
    space: Space | str | Path,
    searcher: str | Searcher | None = None,
    budget: int | None = None,
    time: float | None = None,
    seed: int = 0,
    workers: int | None = None,
    gpus: Sequence[int | str] = (),
    per_gpu: int = 1,
    cluster: Any = None,
    run: str | Path | None = None,
    evaluate: Callable[..., Any] | str | None = None,
    data: Any = None,
    valid: Any = None,
    resume: bool = False,
    confirm: int = 0,
    set: Mapping[str, Answer] | None = None,
    trial_time: float | None = None,
    memory: int | None = None,
    start: Point | None = None,
    warm: str | Path | Sequence[str | Path] = (),
    fidelity: Fidelity = "none",
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Look for the best member of a space; every finished trial is kept whatever happens.

    `space`: a Space, or the path of a `.space` file. `searcher`: a name in `searchers.SEARCHERS` or an
    object with `ask` and `tell`. `budget` counts trials with an outcome (32 unless `budget` or `time`,
    in seconds, is given). `workers`: processes, one per core by default; or `per_gpu` for each of `gpus`, which
    are numbers or names as in CUDA_VISIBLE_DEVICES, and each sees its own card alone. `cluster`: run the
    trials there instead, on `workers` of its slots: the address of a Dask scheduler ("tcp://…"), a Dask `Client` or
    cluster, "dask" for one here, "ray", "ray://…" or "joblib:<backend>"; the run folder must be visible there. `run`: the run folder; a fresh
    `runs/<space>-<n>` by default; a non-empty one needs `resume`. `evaluate(trial)` returns a score to
    maximise, or a dict with `score`; it runs in the workers, and is a function or "package.module:name".
    `data`, `valid`: the user's data in place of the space's. `confirm`: how many of the best to train again
    with as many seeds. `set`: path -> answer, what is not to be searched: decisions, and settings of
    `train { }`. `trial_time` in seconds, `memory` in bytes: limits of each trial (nine tenths of the
    machine shared by the workers by default). `start`: the point of trial 0, by default that of the
    space. `warm`: folders of earlier runs, of this or of an edited space: their trials are told to the searcher
    before the first, and their best are evaluated again first. `fidelity`: "asha" stops trials that fall behind, "halving" trains the best of many short ones on.

    An interrupt (Ctrl-C, SIGTERM) ends the search early and returns the Run, with `run.ended == "interrupted"`.
    Without one success `run.best` is None and `run.why` says how it ended; without `on_event` a warning says
    what failed.

    Raises SpaceError, EngineError (RunError, RunLocked, PoolError), and what `open_data` raises.
    """
    if budget is not None and not isinstance(budget, int):
        raise EngineError(f"budget is a number of trials, not {budget!r}")
    with _slots(workers, [str(gpu) for gpu in gpus], per_gpu, cluster) as places:
        places = places[: budget or sys.maxsize]  # an idle worker only takes memory
        request = Request(
            space=_as_space(space),
            searcher=searcher,
            budget=budget,
            time_s=time,
            seed=seed,
            places=places,
            slots=_in_words(gpus, per_gpu, cluster),
            evaluate=evaluate,
            data=data,
            valid=valid,
            confirm=confirm,
            overrides=dict(set or {}),
            trial_time_s=trial_time,
            memory_bytes=default_memory(len(places)) if memory is None and cluster is None else memory,
            start=start,
            warm=[warm] if isinstance(warm, str | Path) else list(warm),
            fidelity=fidelity,
            on_event=on_event or (lambda event: None),
        )
        found = _run(request, run_folder(request.space.name, run, resume))
    if on_event is None and found.best is None and found.records:
        warnings.warn(no_success(found.records), stacklevel=2)
    return found


@contextmanager
def _slots(workers: int | None, gpus: Sequence[str], per_gpu: int, cluster: Any) -> Iterator[Sequence[Place]]:
    """A slot for each trial that runs at a time, here or on a cluster. Raises EngineError."""
    if cluster is None:
        yield _places(workers, gpus, per_gpu)
        return
    if gpus or per_gpu != 1:
        raise EngineError(
            "`gpus` are those of this machine; on a cluster each worker uses the card that its "
            "CUDA_VISIBLE_DEVICES names"
        )
    from nasdsl.engine.cluster.engines import engine_of
    from nasdsl.engine.cluster.remote import Cluster

    with Cluster(engine_of(cluster, workers), workers) as found:
        yield found.places


def _places(workers: int | None, gpus: Sequence[str], per_gpu: int) -> Sequence[Place]:
    """A slot for each trial that runs at a time. Raises EngineError for arguments that contradict each other."""
    if gpus:
        if workers is not None:
            raise EngineError("with `gpus`, `per_gpu` says how many trials run at a time, not `workers`")
        if per_gpu < 1:
            raise EngineError(f"per_gpu is {per_gpu}; it must be at least 1")
        return on_gpus(gpus, per_gpu)
    if per_gpu != 1:
        raise EngineError("per_gpu is about `gpus`, which are not given")
    workers = facts.cores() if workers is None else workers
    if workers < 1:
        raise EngineError(f"workers is {workers}; it must be at least 1")
    return on_this_machine(workers)


def _in_words(gpus: Sequence[int | str], per_gpu: int, cluster: Any) -> dict[str, Any]:
    """The slots asked for, as the meta of a run has them."""
    address = cluster if cluster is None or isinstance(cluster, str) else type(cluster).__name__
    return {"gpus": [str(gpu) for gpu in gpus], "per_gpu": per_gpu if gpus else None, "cluster": address}


def _as_space(space: Space | str | Path) -> Space:
    if isinstance(space, str | Path):
        from nasdsl.language.reading import load

        return load(space)
    return space


def _run(request: Request, folder: Path) -> Run:
    with Interrupts() as interrupts, opened_store(folder) as store:
        meta = store.meta()
        begun = bool(meta)
        if begun:
            check_same_space(folder, meta, request.space)
            request.check_warm(folder, meta)
        if any(isinstance(place, Here) and not place.environment for place in request.places):
            expect_workers(request.space.has_network)  # torch is loaded there while the data are read here
        prepared = prepare(request, folder)
        space, settings = overrides.apply(prepared.space, request.overrides_of(folder, meta))
        prepared = replace(prepared, space=space, settings=settings)
        meta = meta or request.meta(prepared.described)
        meta |= {"budget": request.budget_of(meta), "ended": None, **request.where()}
        if request.warm and not begun:
            meta["earlier"] = earlier.gather(request.warm, space, meta)
            request.on_event(Notice(earlier.said(meta["earlier"])))
        store.set_meta(meta)
        ended = _search(request, prepared, store, meta, interrupts)
        store.set_meta({"ended": {"by": ended.by, "why": ended.why}})
        request.on_event(ended)
    return open_run(folder)


def _search(
    request: Request, prepared: Prepared, store: Store, meta: Mapping[str, Any], interrupts: Interrupts
) -> Ended:
    """The loop over a pool of workers, and what follows the search."""
    searcher = _searcher(request, prepared.space, meta)
    known = meta.get("earlier") or {}
    recalled = [*earlier.tried_again(known, prepared.space)]
    request.on_event(_started(request, store, meta))
    for warning in (prepared.described or {}).get("warnings", ()):
        request.on_event(Notice(f"warning: {warning}"))
    setup = replace(_setup(request, prepared, store.folder), groups=chosen.known(meta))
    with Pool(setup, request.places, store.folder / LOGS_FOLDER, request.trial_time_s) as pool:
        ended = Loop(
            store=store,
            searcher=searcher,
            workers=pool,
            keeper=Keeper(store.folder, max(_KEPT_WEIGHTS, request.confirm), store.records()),
            interrupts=interrupts,
            on_event=request.on_event,
            seed=meta["seed"],
            budget=meta["budget"],
            time_s=request.time_s,
            starts=_starts(request.start or prepared.space.start(), recalled),
            rule=rule_of(meta["fidelity"], prepared.space.goals[0] if prepared.space.goals else None),
        ).run()
        if ended.by in ("interrupted", "failing"):
            return ended
        return after_search(store, pool, ended, request.confirm, interrupts, request.on_event)


def _starts(first: Point | None, recalled: Sequence[Point]) -> list[Point]:
    """The first trials: what the user says, then the best of earlier runs; each once."""
    return list(dict.fromkeys([*([first] if first else []), *recalled]))


def _searcher(request: Request, space: Space, meta: Mapping[str, Any]) -> Searcher:
    """The searcher given, else the one stored with the run."""
    if request.searcher is None or isinstance(request.searcher, str):
        name = meta["searcher"] if request.searcher is None else request.searcher
        return searcher_of({**meta, "searcher": name}, space)
    earlier.recall(request.searcher, meta.get("earlier") or {})
    return halved(request.searcher, meta)


def _started(request: Request, store: Store, meta: Mapping[str, Any]) -> Started:
    return Started(
        folder=store.folder,
        space=request.space.name,
        searcher=meta["searcher"],
        budget=meta["budget"],
        time_s=request.time_s,
        slots=len(request.places),
        finished=len(store.records()),
    )


def _setup(request: Request, prepared: Prepared, folder: Path) -> Setup:
    has_network = request.space.has_network
    return Setup(
        folder=folder,
        space_path=os.path.abspath(request.space.file.source.name) if has_network else "",
        space_text=request.space.text if has_network else None,
        data_folder=prepared.folder,
        function=None if request.evaluate is None else functions.portable(request.evaluate),
        settings=prepared.settings,
        own=ours.packed(),
        memory_bytes=request.memory_bytes,
        goals=request.space.goals,
    )
