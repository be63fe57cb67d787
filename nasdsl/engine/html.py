"""A few words of HTML. Everything that is given as text is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1f2933; background: #fff;
       max-width: 960px; margin: 2rem auto 4rem; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; }
p.doc { color: #52606d; margin: .3rem 0 0; white-space: pre-line; }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.4rem 0; }
.figure { border: 1px solid #d9dee5; border-radius: 8px; padding: .6rem 1rem; min-width: 8rem; }
.figure b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.figure span { color: #52606d; font-size: .82rem; }
table { border-collapse: collapse; font-size: .87rem; width: 100%; }
th, td { padding: .28rem .7rem .28rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid #e4e7eb; }
th { color: #52606d; font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td { overflow-wrap: anywhere; }
code, pre { font: .85rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { background: #f5f7fa; border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; margin: .5rem 0; }
.wide { overflow-x: auto; } .picture { max-height: 640px; overflow: auto; } .chart { width: 100%; height: auto; }
.note { color: #52606d; font-size: .87rem; } details { margin: .8rem 0; } summary { cursor: pointer; }
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole document that needs no other file."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            *body,
            "</body></html>",
            "",
        ]
    )


def section(title: str, *parts: str) -> str:
    """A heading with parts of HTML below it; nothing where all parts are empty."""
    return "\n".join([f"<h2>{escape(title)}</h2>", *parts]) if any(parts) else ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """Columns whose number is in `numeric` stand to the right."""
    classes = [' class="n"' if column in numeric else "" for column in range(len(heads))]
    head = "".join(f"<th{c}>{escape(text)}</th>" for c, text in zip(classes, heads, strict=True))
    lines = [
        "<tr>"
        + "".join(f"<td{c}>{escape(text)}</td>" for c, text in zip(classes, row, strict=True))
        + "</tr>"
        for row in rows
    ]
    return "\n".join([f'<div class="wide"><table><tr>{head}</tr>', *lines, "</table></div>"])


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what they are, in two columns."""
    lines = [f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows]
    return "\n".join(["<table>", *lines, "</table>"])


def figures(rows: Iterable[tuple[str, str]]) -> str:
    """Numbers large, what they are small."""
    boxes = [
        f'<div class="figure"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for name, value in rows
    ]
    return "\n".join(['<div class="figures">', *boxes, "</div>"])


def note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def pre(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def folded(title: str, body: str, is_open: bool = False) -> str:
    """What only some readers want to see."""
    return f"<details{' open' if is_open else ''}><summary>{escape(title)}</summary>{body}</details>"
