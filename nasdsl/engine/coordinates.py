"""The coordinate check of a space: one network of it at several widths, with and without `scale = mup`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compiler.build import build
from compiler.plan import plan_of
from nasdsl.engine.data import home
from nasdsl.engine.errors import EngineError
from nasdsl.language.decisions import Answer, Integers, Options
from nasdsl.language.fixing import fix, openings
from nasdsl.language.network import Spec, Value
from nasdsl.language.space import Space
from nasdsl.language.suggest import did_you_mean
from nasdsl.training import Dataset, open_data
from nasdsl.training.coordinates import N_STEPS, Coordinates, powers, sizes_after

_WIDTHS = 4  # at most, of a range


@dataclass(frozen=True)
class Checked:
    """Layers of networks of these widths, without scaling and with it."""

    widths: tuple[int, ...]
    base: int
    plain: tuple[Coordinates, ...]
    scaled: tuple[Coordinates, ...]


def coordinate_check(
    space: Space, paths: Sequence[str], base: int | None = None, seeds: int = 3, steps: int = N_STEPS
) -> Checked:
    """Vary the decisions at `paths` together, all else as `start` or the defaults say; means over `seeds` networks.

    `base` is that of `mup`; the smallest width, where it is not given. Raises EngineError for paths that are no
    widths, AnswerError and Infeasible for widths that not all of them offer.
    """
    widths = _widths(space, paths)
    data = open_data(space.task, home(space))
    bound = space.with_task(data.shapes, data.outputs)
    base = widths[0] if base is None else base
    mup = Spec("mup", {"base": base})
    found = [[_sizes(bound, paths, w, scale, data, seeds, steps) for w in widths] for scale in (None, mup)]
    plain, scaled = (tuple(powers(widths, by_width)) for by_width in found)
    return Checked(widths, base, plain, scaled)


def _sizes(
    space: Space, paths: Sequence[str], width: int, scale: Spec | None, data: Dataset, seeds: int, steps: int
) -> dict[str, float]:
    fixed = fix(space, dict.fromkeys(paths, width))
    decided = fixed.decided(fixed.start() or fixed.default())
    settings: dict[str, Value] = {k: v for k, v in decided.settings.items() if k != "scale"}
    settings |= {} if scale is None else {"scale": scale}
    plan = plan_of(decided)
    each = [sizes_after(build(plan, seed=s), plan, settings, data, s, steps) for s in range(seeds)]
    return {path: float(np.mean([sizes[path] for sizes in each])) for path in each[0]}


def _widths(space: Space, paths: Sequence[str]) -> tuple[int, ...]:
    """What the first path offers: its numbers, or some of its range."""
    opened = openings(space)
    for path in paths:
        if path not in opened:
            help = did_you_mean(path, opened) or f"the decisions are {', '.join(opened)}"
            raise EngineError(f"the space has no decision `{path}`; {help}")
    found = _offered(opened, paths[0])
    if len(found) < 2:
        raise EngineError(f"`{paths[0]}` offers no two whole numbers: a width is to be varied")
    return found


def _offered(opened: Mapping[str, Sequence[object]], path: str) -> tuple[int, ...]:
    found: set[int] = set()
    for domain in opened[path]:
        match domain:
            case Options(values=values):
                found |= {v for v in values if _whole(v)}  # type: ignore[misc]
            case Integers(low=low, high=high, step=step):
                spread = np.geomspace(max(low, 1), max(high, 1), _WIDTHS)
                found |= {low + round((x - low) / step) * step for x in spread}
    return tuple(sorted(found))


def _whole(value: Answer) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
