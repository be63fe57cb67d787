"""What came of a run, at the end of a search: the best networks, the winner's figures, where things are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from nasdsl.engine.progress import record_json
from nasdsl.engine.run import Run
from nasdsl.engine.tables import best_table, front_table, goal_value, print_table
from nasdsl.engine.wording import number

SHOWN = 5  # networks
HYPERVOLUME = "of the box between the worst and the best value of each goal"


def print_result(run: Run, report: Path, out: TextIO) -> None:
    """The table of the best and the lines below it."""
    if run.best is None:
        out.write(f"\nno trial succeeded ({len(run.records)} tried)\n")
    else:
        out.write(f"\nbest networks of {len(run.records)} trials\n")
        print_table(best_table(run, SHOWN), out)
        print_front(run, out)
    out.write("\n" + "\n".join(figures(run)) + "\n" if figures(run) else "")
    out.write(f"\nrun folder  {run.folder}\nreport      {report}\n")
    if run.best is not None and run.space.has_network:
        out.write(f"next        nasdsl show {run.folder}\n")
        out.write(f"            nasdsl export {run.folder} --to python network.py\n")


def print_front(run: Run, out: TextIO) -> None:
    """The best trade-offs, where there are several objectives."""
    front = front_table(run)
    if front is not None:
        out.write(f"\nbest trade-offs of {' and '.join(goal.measure for goal in run.goals)}\n")
        print_table(front, out)
        covered = run.hypervolume()
        if covered is not None:
            out.write(f"hypervolume {number(covered)} {HYPERVOLUME}\n")


def figures(run: Run) -> list[str]:
    """The winner on validation and, once only, on test data; confirmation, baselines, and the split."""
    winner = run.meta.get("winner")
    if winner is None:
        return []
    goal = run.goals[0]
    lines = [
        f"winner      trial {winner}: validation {goal.measure} {number(goal_value(run.record(winner), run.goals))}"
    ]
    lines[0] += test_figure(run)
    for entry in run.meta.get("confirmed", []):
        lines.append(f"confirmed   {confirmed_text(entry, goal.measure, goal.maximize)}")
    for model, measures in run.meta.get("baselines", {}).items():
        values = ", ".join(f"{part_of(name)} {number(value)}" for name, value in measures.items())
        lines.append(f"baseline    {model}: {values}")
    data = run.meta.get("data")
    if data:
        lines.append(f"data        {data['statement']}")
        lines += [f"warning     {warning}" for warning in data.get("warnings", ())]
    return lines


def part_of(measure: str) -> str:
    """`valid_accuracy` of a baseline is `validation accuracy`, what has no such mark is on test data."""
    name = measure.removeprefix("valid_")
    return f"validation {name}" if name != measure else f"test {name}"


def test_figure(run: Run) -> str:
    """`, test accuracy 0.9200`, or nothing where there is none."""
    test = run.meta.get("test")
    if not test:
        return ""
    measure = run.goals[0].measure
    shown = [measure] if measure in test["measures"] else sorted(test["measures"])
    return "".join(f", test {name} {number(test['measures'][name])}" for name in shown)


def confirmed_text(entry: dict[str, object], measure: str, maximize: bool) -> str:
    """`trial 3: accuracy 0.9212 ± 0.0041 over 3 seeds`"""
    mean, spread, seeds = entry["mean"], entry["spread"], entry["seeds"]
    assert isinstance(seeds, list)
    if not isinstance(mean, int | float):
        return f"trial {entry['trial']}: failed with all {len(seeds)} seeds"
    told = f" ± {number(float(spread))}" if isinstance(spread, int | float) else ""
    return f"trial {entry['trial']}: {measure} {number(mean if maximize else -mean)}{told} over {_seeds(len(seeds))}"


def result_json(run: Run) -> str:
    """The last line of `search --json`."""
    best = None if run.best is None else record_json(run.best)
    end = {"done": True, "best": best, "run": str(run.folder), "ended": run.ended}
    return json.dumps(
        end | {key: run.meta[key] for key in ("winner", "test", "confirmed", "baselines") if key in run.meta}
    )


def _seeds(n: int) -> str:
    return f"{n} seed" if n == 1 else f"{n} seeds"
