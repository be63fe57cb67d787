"""`nasdsl show FILE | RUN`: one network as a table of layers, or the space as a tree; and as a picture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from compiler.draw import draw_svg
from compiler.plan import plan
from compiler.wording import value_text
from nasdsl.cli.points import read_point
from nasdsl.engine.data import with_its_data
from nasdsl.engine.outline import outline_svg, outline_text
from nasdsl.engine.overrides import overridden
from nasdsl.engine.records import Record
from nasdsl.engine.run import open_run
from nasdsl.engine.tables import print_plan, record_line, settings_text, texts_text, trial_or_best
from nasdsl.engine.wording import point_text
from nasdsl.language.decisions import Answer
from nasdsl.language.errors import NasdslError
from nasdsl.language.point import Point
from nasdsl.language.reading import load
from nasdsl.language.space import Space


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|RUN", help="a .space file or a run folder")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seed", type=int, metavar="S", help="the point that `sample --seed S` draws")
    which.add_argument("--point", metavar="FILE", help="the point in this file, as JSON")
    which.add_argument("--trial", type=int, metavar="N", help="this trial of the run (default: the best)")
    which.add_argument(
        "--tree", action="store_true", help="not one network but the space: its parts, with their counts"
    )
    parser.add_argument("--svg", metavar="OUT", help="draw the network, or the tree, into this file as well")


def run(options: argparse.Namespace) -> int:
    if Path(options.source).is_dir():
        return _show_run(options)
    if options.trial is not None:
        raise NasdslError("--trial needs a run folder")
    if options.tree:
        _show_tree(load(options.source), options.svg)
        return 0
    space = with_its_data(load(options.source))
    _show(space, _point(space, options), options.svg)
    return 0


def _show_run(options: argparse.Namespace) -> int:
    found = open_run(options.source)
    if options.tree:
        _show_tree(found.space, options.svg)
        return 0
    if options.seed is not None or options.point is not None:
        _show(found.space, _point(found.space, options), options.svg)
        return 0
    record = trial_or_best(found, options.trial)
    _show(found.space, record.point, options.svg, record, found.meta.get("settings", {}))
    return 0


def _show_tree(space: Space, svg: str | None) -> None:
    """Print the outline of a space. Data that have not been read do not hinder it."""
    lines, total = space.outline(), space.count_soon()
    sys.stdout.write(outline_text(space.name, space.doc, total, lines))
    if svg:
        _write(outline_svg(space.name, total, lines), Path(svg))


def _point(space: Space, options: argparse.Namespace) -> Point:
    """The one asked for, else the `start` of the space, else its default."""
    if options.point is not None:
        return read_point(space, options.point)
    if options.seed is not None:
        return space.sample(options.seed)
    return space.start() or space.default()


def _show(
    space: Space,
    point: Point,
    svg: str | None,
    record: Record | None = None,
    fixed: Mapping[str, Answer] = MappingProxyType({}),
) -> None:
    """Print a network; `fixed` are the settings that the run was told to keep."""
    title = [space.name, *([space.doc] if space.doc else [])]
    if record is not None:
        title.append(record_line(record, space.goals))
    print("\n".join(title) + "\n\n" + point_text(point) + "\n")
    if not space.has_network:
        if svg:
            raise NasdslError(f"`{space.name}` has no network to draw")
        return
    _refuse_open_shapes(space)
    planned = plan(space, point)
    print_plan(planned, sys.stdout)
    texts = texts_text(space.task.inputs) if space.task is not None else ""
    if texts:
        print("\n" + texts)
    settings = overridden(space.decided(point).settings, fixed)
    print("\n" + settings_text({name: value_text(value) for name, value in settings.items()}))
    if svg:
        _write(draw_svg(planned), Path(svg))


def _refuse_open_shapes(space: Space) -> None:
    if space.task is None or not all(shape.concrete for shape in space.task.inputs.values()):
        raise NasdslError(
            "the shapes of this network depend on data that are read by `nasdsl search` only; "
            "search it first and show the run"
        )


def _write(picture: str, path: Path) -> None:
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise NasdslError(f"cannot write {path}: {error.strerror}") from error
