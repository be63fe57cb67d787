"""A plan as a picture: one box per node, from the inputs at the top to the outputs at the bottom."""

from __future__ import annotations

from itertools import pairwise
from xml.sax.saxutils import escape

from compiler.layout import Item, Layout, lay_out
from compiler.plan import INPUT, Node, Plan
from compiler.wording import call_text, shape_text, short_count
from nasdsl.language.signatures.layers import LAYER_SIGNATURES

_MARGIN = 24.0
_HEIGHT = 40.0  # of a box
_ROW = 66.0  # from one row to the next
_LETTER = 7.0  # mean width of a letter at 13 pixels
_SMALL_LETTER = 5.8  # at 11 pixels
_MAX_LETTERS = 44
_FONT = "font-family='Helvetica, Arial, sans-serif'"

# What kind of node it is -> fill and border.
_COLOURS = {
    "input": ("#eceff4", "#7b8794"),
    "weighted": ("#dbe9fb", "#3b73b9"),
    "activation": ("#e3f4e1", "#4f9a48"),
    "merge": ("#f1e6fa", "#8a56b8"),
    "other": ("#ffffff", "#9aa5b1"),
}
_INSERTED = ("#fff2d9", "#c98a1b")

_ACTIVATIONS = frozenset(row.name for row in LAYER_SIGNATURES if row.group == "activation")


def draw_svg(plan: Plan) -> str:
    """The picture as one SVG document. Inserted adaptations have a dashed, amber border."""
    nodes = {node.name: node for node in plan.nodes}
    layout = lay_out(
        {node.name: node.inputs for node in plan.nodes},
        {node.name: _width(node) for node in plan.nodes},
    )
    y = {item: _MARGIN + _ROW * row for row, items in enumerate(layout.rows) for item in items}
    parts = [_edge(way, layout, y) for way in layout.bends.values()]
    parts += [_box(node, layout.x[node.name] + _MARGIN, y[node.name]) for node in plan.nodes]
    if len(plan.outputs) > 1:
        for name, source in plan.outputs.items():
            parts.append(_output(name, layout.x[source] + _MARGIN, y[nodes[source].name]))
    width = layout.width + 2 * _MARGIN
    height = _ROW * len(layout.rows) + 2 * _MARGIN
    total = f"{plan.params:,} parameters, {plan.macs:,} MACs"
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:.0f}' height='{height:.0f}' "
            f"viewBox='0 0 {width:.0f} {height:.0f}' {_FONT}>",
            f"<title>{total}</title>",
            "<rect width='100%' height='100%' fill='#ffffff'/>",
            *parts,
            f"<text x='{width / 2:.1f}' y='{height - 16:.1f}' font-size='11' fill='#52606d' "
            f"text-anchor='middle'>{total}</text>",
            "</svg>",
            "",
        ]
    )


def _kind(node: Node) -> str:
    if node.op == INPUT:
        return "input"
    if node.params:
        return "weighted"
    if node.op in _ACTIVATIONS:
        return "activation"
    return "merge" if len(node.inputs) > 1 else "other"


def _title(node: Node) -> str:
    text = node.name if node.op == INPUT else call_text(node)
    return text if len(text) <= _MAX_LETTERS else text[: _MAX_LETTERS - 1] + "…"


def _note(node: Node) -> str:
    shape = shape_text(node.shape)
    return f"{shape}  ·  {short_count(node.params)} params" if node.params else shape


def _width(node: Node) -> float:
    return 24 + max(_LETTER * len(_title(node)), _SMALL_LETTER * len(_note(node)), 60)


def _box(node: Node, x: float, y: float) -> str:
    fill, border = _INSERTED if node.inserted else _COLOURS[_kind(node)]
    dashed = " stroke-dasharray='5 3'" if node.inserted else ""
    width = _width(node)
    return (
        f"<g><title>{escape(node.path)}</title>"
        f"<rect x='{x - width / 2:.1f}' y='{y:.1f}' width='{width:.1f}' height='{_HEIGHT:.0f}' rx='7' "
        f"fill='{fill}' stroke='{border}' stroke-width='1.2'{dashed}/>"
        f"<text x='{x:.1f}' y='{y + 17:.1f}' font-size='13' fill='#1f2933' text-anchor='middle'>"
        f"{escape(_title(node))}</text>"
        f"<text x='{x:.1f}' y='{y + 32:.1f}' font-size='11' fill='#52606d' text-anchor='middle'>"
        f"{escape(_note(node))}</text></g>"
    )


def _edge(way: tuple[Item, ...], layout: Layout, y: dict[Item, float]) -> str:
    """A line from the foot of the first item to the head of the last, straight beside the rows it passes."""
    first = way[0]
    path = [f"M {layout.x[first] + _MARGIN:.1f} {y[first] + _HEIGHT:.1f}"]
    for upper, lower in pairwise(way):
        x0, x1 = layout.x[upper] + _MARGIN, layout.x[lower] + _MARGIN
        y0, y1 = y[upper] + _HEIGHT, y[lower]
        middle = (y0 + y1) / 2
        path.append(f"C {x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
        if lower is not way[-1]:
            path.append(f"V {y1 + _HEIGHT:.1f}")
    x, tip = layout.x[way[-1]] + _MARGIN, y[way[-1]]
    return (
        f"<path d='{' '.join(path)}' fill='none' stroke='#7b8794' stroke-width='1.3'/>"
        f"<path d='M {x - 4:.1f} {tip - 6:.1f} L {x:.1f} {tip:.1f} L {x + 4:.1f} {tip - 6:.1f} Z' fill='#7b8794'/>"
    )


def _output(name: str, x: float, y: float) -> str:
    return (
        f"<text x='{x:.1f}' y='{y + _HEIGHT + 14:.1f}' font-size='11' font-weight='bold' fill='#1f2933' "
        f"text-anchor='middle'>{escape(name)}</text>"
    )
