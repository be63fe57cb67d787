"""One network as a table of its layers, for people. The picture is `compiler.draw`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from compiler.plan import Node, Plan
from compiler.wording import call_text, shape_text, short_count

INSERTED = "+"  # marks a layer that the space did not write down
SHARED = "shared"  # stands for the parameters of a layer that uses those of an earlier copy


def plan_table(plan: Plan) -> Table:
    """A row per layer: name, operation, its inputs where they are not the row above, shape, costs."""
    table = Table(show_footer=True, box=None, pad_edge=False, header_style="bold")
    table.add_column("layer", "total", overflow="fold")
    table.add_column("operation", overflow="fold")
    table.add_column("from", overflow="fold")
    table.add_column("output", justify="right", no_wrap=True)
    table.add_column("params", f"{plan.params:,}", justify="right", no_wrap=True)
    table.add_column("MACs", f"{plan.macs:,}", justify="right", no_wrap=True)
    above: str | None = None
    for node in plan.nodes:
        table.add_row(*_cells(node, above), style="yellow" if node.inserted else None)
        above = node.name
    return table


def summary(plan: Plan) -> str:
    """The lines below the table."""
    lines = []
    if any(node.inserted for node in plan.nodes):
        lines.append(f"{INSERTED} inserted to make shapes meet")
    if any(node.shares for node in plan.nodes):
        lines.append(f"{SHARED}: the weights are those of the first copy")
    if len(plan.outputs) > 1:
        lines.append("outputs: " + ", ".join(f"{name} = {node}" for name, node in plan.outputs.items()))
    if plan.trainable_params != plan.params or plan.merged_params != plan.params:
        lines.append(
            f"{plan.trainable_params:,} parameters are trained; exported with {plan.merged_params:,}"
            + (f"; {plan.state:,} numbers beside them" if plan.state else "")
        )
    layers = "layer" if plan.depth == 1 else "layers"
    lines.append(f"{plan.depth} weighted {layers} on the longest path; structure {plan.hash[:12]}")
    lines.append(
        f"{short_count(plan.train_memory)} bytes of memory in training, at the batch size of the point"
    )
    return "\n".join(lines)


def plan_text(plan: Plan, width: int = 100) -> str:
    """Table and summary as plain text of at most `width` columns, for pipes and files."""
    console = Console(width=width, no_color=True, force_terminal=False, highlight=False)
    with console.capture() as capture:
        console.print(plan_table(plan))
        console.print(summary(plan), markup=False)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _cells(node: Node, above: str | None) -> tuple[str, ...]:
    mark = f"{INSERTED} " if node.inserted else ""
    told = not node.inputs or node.inputs == (above,)
    return (
        node.name,
        mark + call_text(node),
        "" if told else ", ".join(node.inputs),
        shape_text(node.shape),
        f"{node.params:,}" if node.params else SHARED if node.shares else "",
        f"{node.macs:,}" if node.macs else "",
    )
