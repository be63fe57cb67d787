"""`search`: from a space to a Run. Wires data, searcher, store, workers and loop together."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine import facts, functions
from nasdsl.engine.confirm import after_search
from nasdsl.engine.data import Prepared, prepare_data
from nasdsl.engine.errors import EngineError, RunError
from nasdsl.engine.events import Event, Started
from nasdsl.engine.fidelity import Fidelity, stopping_rule
from nasdsl.engine.interrupts import Interrupts
from nasdsl.engine.isolation import usable_memory
from nasdsl.engine.lock import LOCK_NAME
from nasdsl.engine.loop import Loop
from nasdsl.engine.messages import Setup
from nasdsl.engine.meta import check_same_space, fresh_meta
from nasdsl.engine.pool import Pool
from nasdsl.engine.run import LOGS_FOLDER, Run, open_run
from nasdsl.engine.store import Store, has_run
from nasdsl.engine.weights import Keeper
from nasdsl.language.decisions import Answer
from nasdsl.language.point import Point
from searchers import SEARCHERS
from searchers.protocol import Searcher

if TYPE_CHECKING:
    from nasdsl.language.space import Space

DEFAULT_BUDGET = 32
_BEST_FIRST = ("smbo", "evolution", "random")  # the default searcher is the first of these that is there
_KEPT_WEIGHTS = 5
_MEMORY_SHARE = 0.9  # of the machine, for all workers together, unless told otherwise


@dataclass(frozen=True)
class Request:
    """The arguments of `search`, as given; see there."""

    space: Space
    searcher: str | Searcher | None
    budget: int | None
    time_s: float | None
    seed: int
    workers: int
    evaluate: Callable[..., Any] | str | None
    data: Any
    valid: Any
    confirm: int
    settings: Mapping[str, Answer]
    trial_time_s: float | None
    memory_bytes: int
    start: Point | None
    fidelity: Fidelity
    on_event: Callable[[Event], None] = field(repr=False)


def search(
    space: Space | str | Path,
    searcher: str | Searcher | None = None,
    budget: int | None = None,
    time: float | None = None,
    seed: int = 0,
    workers: int | None = None,
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
    fidelity: Fidelity = "none",
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Look for the best member of a space; every finished trial is kept whatever happens.

    `space`: a Space, or the path of a `.space` file. `searcher`: a name in `searchers.SEARCHERS` or an
    object with `ask` and `tell`. `budget` counts trials with an outcome (32 unless `budget` or `time`,
    in seconds, is given). `workers`: processes, one per core by default. `run`: the run folder; a fresh
    `runs/<space>-<n>` by default; a non-empty one needs `resume`. `evaluate(trial)` returns a score to
    maximise, or a dict with `score`; it runs in the workers, and is a function or "package.module:name".
    `data`, `valid`: the user's data in place of the space's. `confirm`: how many of the best to train again
    with as many seeds. `set`: settings of `train { }` by name. `trial_time` in seconds, `memory` in
    bytes: limits of each trial (nine tenths of the machine shared by the workers by default).
    `start`: the point of trial 0, by default that of the space. `fidelity`: "asha" stops trials early.

    An interrupt (Ctrl-C) ends the search early and returns the Run, with `run.ended == "interrupted"`.

    Raises SpaceError, EngineError (RunError, RunLocked, PoolError), and what `open_data` raises.
    """
    space = _as_space(space)
    workers = workers or facts.cores()
    request = Request(
        space=space,
        searcher=searcher,
        budget=DEFAULT_BUDGET if budget is None and time is None else budget,
        time_s=time,
        seed=seed,
        workers=workers,
        evaluate=evaluate,
        data=data,
        valid=valid,
        confirm=confirm,
        settings=dict(set or {}),
        trial_time_s=trial_time,
        memory_bytes=memory or int(usable_memory() * _MEMORY_SHARE / workers),
        start=start or space.start(),
        fidelity=fidelity,
        on_event=on_event or (lambda event: None),
    )
    _check(request)
    folder = _folder(space, run, resume)
    given = budget is not None or time is not None
    with Interrupts() as interrupts, _store(folder) as store:
        _search(request, store, interrupts, budget_given=given)
    return open_run(folder)


def _search(request: Request, store: Store, interrupts: Interrupts, budget_given: bool) -> None:
    meta = store.meta()
    if meta:
        check_same_space(store.folder, meta, request.space)
    prepared = _prepared(request, store.folder)
    meta = meta or _fresh(request, prepared)
    searcher = _searcher(request, prepared.space, meta)
    budget = request.budget if budget_given else meta["budget"]
    store.set_meta(meta | {"budget": budget, "ended": None})
    finished = len(store.records())
    request.on_event(
        Started(
            folder=store.folder,
            space=request.space.name,
            searcher=meta["searcher"],
            budget=budget,
            time_s=request.time_s,
            slots=request.workers,
            finished=finished,
        )
    )
    setup = _setup(request, prepared, store.folder)
    with Pool(setup, request.workers, store.folder / LOGS_FOLDER, request.trial_time_s) as pool:
        loop = Loop(
            store=store,
            searcher=searcher,
            workers=pool,
            keeper=Keeper(store.folder, max(_KEPT_WEIGHTS, request.confirm), store.records()),
            interrupts=interrupts,
            on_event=request.on_event,
            seed=meta["seed"],
            budget=budget,
            time_s=request.time_s,
            start=request.start,
            should_stop=stopping_rule(request.fidelity),
        )
        ended = loop.run()
        if ended.by not in ("interrupted", "failing"):
            ended = after_search(store, pool, ended, request.confirm, interrupts, request.on_event)
    store.set_meta({"ended": {"by": ended.by, "why": ended.why}})
    request.on_event(ended)


def _check(request: Request) -> None:
    """Raises EngineError for numbers that mean nothing."""
    for name, value, least in (
        ("budget", request.budget, 0),
        ("workers", request.workers, 1),
        ("confirm", request.confirm, 0),
    ):
        if value is not None and value < least:
            raise EngineError(f"{name} is {value}; it must be at least {least}")
    for name, limit in (
        ("time", request.time_s),
        ("trial_time", request.trial_time_s),
        ("memory", request.memory_bytes),
    ):
        if limit is not None and limit <= 0:
            raise EngineError(f"{name} is {limit}; it must be positive")
    if request.evaluate is None and not request.space.has_network:
        raise EngineError(f"`{request.space.name}` has no network to train; give `evaluate`")


def _as_space(space: Space | str | Path) -> Space:
    if isinstance(space, str | Path):
        import nasdsl

        return nasdsl.load(space)
    return space


@contextlib.contextmanager
def _store(folder: Path) -> Iterator[Store]:
    """The store; a fresh folder in which no trial came to an end is left as it was found."""
    existed, empty = folder.exists(), not folder.exists() or not any(folder.iterdir())
    with Store(folder) as store:
        try:
            yield store
        except BaseException:
            if empty and not store.records():
                _clear(folder, existed)
            raise


def _clear(folder: Path, keep_folder: bool) -> None:
    shutil.rmtree(folder)
    if keep_folder:
        folder.mkdir()


def _folder(space: Space, run: str | Path | None, resume: bool) -> Path:
    """The run folder. Raises RunError for a non-empty one that is not to be resumed."""
    if run is None:
        if resume:
            raise RunError("to resume, say which run: --run FOLDER")
        return _fresh_folder(Path("runs"), space.name)
    folder = Path(run)
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; a run needs a folder of its own")
    if folder.is_dir() and {path.name for path in folder.iterdir()} - {LOCK_NAME}:
        if not resume:
            raise RunError(f"{folder} is not empty; go on with --resume, or give another --run")
        if not has_run(folder):
            raise RunError(f"{folder} holds something else than a run; give another --run")
    return folder


def _fresh_folder(base: Path, name: str) -> Path:
    """The first free `base/name-n`, made now, so that two searches started together differ."""
    try:
        base.mkdir(parents=True, exist_ok=True)
        for n in range(1, 1_000_000):
            folder = base / f"{name}-{n}"
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                return folder
    except OSError as error:
        raise RunError(f"cannot make a run folder in {base}: {error.strerror}; give --run") from error
    raise RunError(f"{base} is full of runs of {name}; give --run")


def _prepared(request: Request, folder: Path) -> Prepared:
    """The data of the run, where the default training or the shapes of the network need them."""
    if not request.space.has_network:
        if request.data is not None:
            raise EngineError("data were given, but the space has no network; read them inside `evaluate`")
        return Prepared(request.space)
    if request.evaluate is not None and request.data is None:
        return Prepared(request.space)
    return prepare_data(request.space, request.data, request.valid, folder)


def _fresh(request: Request, prepared: Prepared) -> dict[str, Any]:
    name = request.searcher
    if name is None:
        name = next(candidate for candidate in _BEST_FIRST if candidate in SEARCHERS)
    options = {
        "searcher": name if isinstance(name, str) else type(name).__name__,
        "seed": request.seed,
        "budget": request.budget,
        "time_s": request.time_s,
        "workers": request.workers,
        "settings": dict(request.settings),
        "evaluate": functions.name_of(request.evaluate),
        "fidelity": request.fidelity,
        "limits": {"trial_time_s": request.trial_time_s, "memory_bytes": request.memory_bytes},
        "data": prepared.described,
    }
    return fresh_meta(request.space, options)


def _searcher(request: Request, space: Space, meta: Mapping[str, Any]) -> Searcher:
    """The searcher given, else the one stored with the run. Raises EngineError for an unknown name."""
    searcher = meta["searcher"] if request.searcher is None else request.searcher
    if not isinstance(searcher, str):
        return searcher
    if searcher not in SEARCHERS:
        raise EngineError(f"no searcher is called `{searcher}`; there are {', '.join(sorted(SEARCHERS))}")
    return SEARCHERS[searcher](space, meta["seed"])


def _setup(request: Request, prepared: Prepared, folder: Path) -> Setup:
    return Setup(
        folder=folder,
        space_name=request.space.name,
        space_text=request.space.text if request.space.has_network else None,
        data_folder=prepared.folder,
        function=None if request.evaluate is None else functions.portable(request.evaluate),
        settings=request.settings,
        memory_bytes=request.memory_bytes,
    )
