"""Tables of more columns than fit: every heading and number can still be read."""

from __future__ import annotations

import io

from rich.table import Table

from nasdsl.engine.tables import PIPE_WIDTH, print_table


def table(n_goals: int) -> Table:
    made = Table(box=None, pad_edge=False)
    for heading in ("trial", *(f"time_to_target_{i}" for i in range(n_goals))):
        made.add_column(heading, justify="right", no_wrap=True)
    made.add_column("network", overflow="fold")
    for trial in (7, 12):
        made.add_row(f"{trial}", *(f"0.{trial}{i}" for i in range(n_goals)), "2 linear")
    return made


def printed(n_goals: int) -> str:
    stream = io.StringIO()
    print_table(table(n_goals), stream)
    return stream.getvalue()


def test_what_fits_is_a_table() -> None:
    assert printed(2) == (
        "trial  time_to_target_0  time_to_target_1  network\n"
        "    7              0.70              0.71  2 linear\n"
        "   12             0.120             0.121  2 linear\n"
    )


def test_what_does_not_fit_is_a_list() -> None:
    lines = printed(12).splitlines()
    assert max(map(len, lines)) < 80 < PIPE_WIDTH
    assert lines[:3] == ["trial 7", "  time_to_target_0   0.70", "  time_to_target_1   0.71"]
    assert lines[13:15] == ["  network            2 linear", "trial 12"]
    assert lines[-2:] == ["  time_to_target_11  0.1211", "  network            2 linear"]
