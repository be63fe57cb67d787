"""One job to one Result, inside a worker: rebuild the space, train or call the user's function.

Whatever a trial does short of taking the process down, it ends as a Result.
"""

from __future__ import annotations

import gc
import math
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from nasdsl.engine import checkpoints, functions, ours
from nasdsl.engine.messages import Apart, Done, Group, Job, Result, Setup
from nasdsl.engine.probing import measured
from nasdsl.engine.trial import Trial
from nasdsl.engine.untrained import costs_of, with_all_goals
from nasdsl.engine.worker import Channel
from nasdsl.language.errors import Infeasible
from nasdsl.language.point import Point

if TYPE_CHECKING:
    from nasdsl.language.space import Space
    from nasdsl.training import Dataset

Evaluate: TypeAlias = Callable[[Job, Channel], Result]

_LONGEST_ERROR = 500  # characters; the traceback has the rest


@dataclass(frozen=True)
class Evaluator:
    """`one` evaluates a job. `together`, where there is such a way, several as one program, and gives their
    outcomes as they come; none at all where that would not pay."""

    one: Evaluate
    together: Callable[[Group, Channel], Iterator[Done]] | None = None


def evaluator(setup: Setup) -> Evaluator:
    """What this worker does with each job. Raises what a bad space, function or data set raises."""
    if setup.own is not None:
        ours.unpack(setup.own)
    if setup.function is not None:
        return Evaluator(_custom(setup))
    from nasdsl.engine.training import trainer

    return trainer(setup)


def outcomes(how: Evaluator, group: Group, channel: Channel) -> Iterator[Done | Apart]:
    """The outcome of every job of a group, each as it comes; what cannot be done together goes back."""
    left = {job.trial: job for job in group}
    if how.together is not None:
        try:
            for done in how.together(group, channel):
                del left[done.trial]
                yield done
        except Exception:
            traceback.print_exc()  # into the log of the worker; alone, each says what is wrong with it
            gc.collect()
    if len(group) > 1 and left:
        yield Apart()
        return
    for job in left.values():
        yield Done(job.trial, guarded(how.one, job, channel))


def guarded(run: Evaluate, job: Job, channel: Channel) -> Result:
    """The Result of a job, also of one that raises, exits, or gives no number."""
    start = time.monotonic()
    try:
        result = run(job, channel)
        if channel.should_stop(job.trial) and result.error is None:
            result = replace(result, reason="stopped")
    except Infeasible as error:
        result = _failure(error, "infeasible")
    except (Exception, SystemExit, KeyboardInterrupt, GeneratorExit) as error:
        result = _failure(error, "failed")
    finally:
        _flush()
    if result.error is not None:
        gc.collect()  # a failed trial may hold its network in reference cycles
    return replace(result, seconds=time.monotonic() - start)


def scored(score: object, **fields: Any) -> Result:
    """A Result from what an evaluation called its score; NaN, infinities and non-numbers fail."""
    if isinstance(score, bool) or not hasattr(score, "__float__"):
        return Result(error=f"the score is no number but {score!r:.80}", reason="failed", **fields)
    value = float(score)
    if math.isfinite(value):
        return Result(score=value, **fields)
    return Result(error=f"the score is {value}", reason="failed", **fields)


def _custom(setup: Setup) -> Evaluate:
    assert setup.function is not None
    function = functions.arrive(setup.function)
    dataset = _dataset(setup)
    space = _space(setup, dataset)

    def run(job: Job, channel: Channel) -> Result:
        point = Point.from_json(job.point)
        costs = costs_of(space, point)
        found = measured(space, point, job.seed, dataset, setup.device)
        costs = replace(costs, measures={**costs.measures, **found})
        curve: list[Mapping[str, float]] = []

        def report(step: float, score: float) -> None:
            if math.isfinite(score):
                curve.append({"step": step, "score": score})
                channel.report(job.trial, step, score)

        trial = Trial(
            number=job.trial,
            point=point,
            seed=job.seed,
            budget=job.epochs,
            device=setup.device,
            space=space,
            _folder=checkpoints.folder_of(setup.folder, job.trial),
            _report=report,
            _should_stop=lambda: channel.should_stop(job.trial),
        )
        returned = function(trial)
        score, measures = _read(returned)
        result = costs.added_to(scored(score, measures=measures, curve=tuple(curve)))
        return with_all_goals(result, setup.goals)

    return run


def _read(returned: object) -> tuple[object, dict[str, float]]:
    """The score and the measures in what a custom evaluate returned."""
    if not isinstance(returned, Mapping):
        return returned, {}
    if "score" not in returned:
        raise ValueError(f"evaluate returned a dict without `score`; it has {sorted(map(str, returned))}")
    measures = {
        str(name): float(value)
        for name, value in returned.items()
        if name != "score" and hasattr(value, "__float__") and math.isfinite(float(value))
    }
    return returned["score"], measures


def _dataset(setup: Setup) -> Dataset | None:
    if setup.space_text is None or setup.data_folder is None:
        return None
    from nasdsl.training import Dataset

    return Dataset.open(setup.data_folder)


def _space(setup: Setup, dataset: Dataset | None) -> Space | None:
    """The space of the run, bound to the shapes of its data where the run has any."""
    if setup.space_text is None:
        return None
    from nasdsl.engine.spaces import parse_space

    space = parse_space(setup.space_text, setup.space_path, trust=True)
    if dataset is None:
        return space
    return space.with_task(dataset.shapes, dataset.outputs)


def _failure(error: BaseException, reason: Any) -> Result:
    name = type(error).__name__
    text = f"{name}: {error}" if str(error) else name
    if isinstance(error, SystemExit):
        text = f"the trial called sys.exit({error.code!r})"
    elif _is_out_of_memory(error):
        text = f"out of memory: {text}"
    return Result(error=text[:_LONGEST_ERROR], reason=reason, traceback=traceback.format_exc())


def _is_out_of_memory(error: BaseException) -> bool:
    """torch says it by a RuntimeError on the CPU, by OutOfMemoryError on a GPU."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _flush() -> None:
    """Onto the log now, so that the next trial's lines are its own. A user may have closed them."""
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
