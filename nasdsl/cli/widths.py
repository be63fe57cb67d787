"""`nasdsl widths FILE --vary PATH`: whether steps stay of one size as the network grows wider."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from nasdsl.cli.values import at_least


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a .space file")
    parser.add_argument(
        "--vary",
        metavar="PATH",
        action="append",
        required=True,
        help="the decision that is the width; several are varied together",
    )
    parser.add_argument("--base", type=at_least(1), help="of mup; by default the smallest width")
    parser.add_argument("--seeds", type=at_least(1), default=3, help="networks per width, averaged (3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    from nasdsl.engine.coordinates import coordinate_check
    from nasdsl.language.reading import load

    found = coordinate_check(load(Path(options.file)), options.vary, options.base, options.seeds)
    print(json.dumps(asdict(found), ensure_ascii=False) if options.json else _text(found))
    return 0


def _text(found: object) -> str:
    from nasdsl.engine.coordinates import Checked

    assert isinstance(found, Checked)
    titles = ("plain", f"scale = mup(base = {found.base})")
    width = max(map(len, [*titles, *(one.layer for one in found.plain)]))
    heads = "".join(f"{w:>9}" for w in found.widths)
    lines = ["How far five steps on one batch move what each layer gives, mean over its numbers, by width."]
    for title, side in zip(titles, (found.plain, found.scaled), strict=True):
        lines += ["", f"{title:<{width}}{heads}    power of the width"]
        lines += [
            f"{one.layer:<{width}}{''.join(f'{size:9.3f}' for size in one.sizes)}    {one.power:+.2f}"
            for one in side
        ]
    lines += ["", "A power near 0 means that one learning rate fits all widths."]
    return "\n".join(lines)
