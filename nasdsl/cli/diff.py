"""`nasdsl diff OLD NEW`: which decisions came, went, widened or narrowed, and what that does to a run."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from nasdsl.engine.comparing import Effect, effect, space_or_run
from nasdsl.language.carrying import Difference, differences, left_out

_SIGNS = {"came": "+", "went": "-", "unclear": "?"}
_UNCLEAR = (
    "?: unnamed siblings of one kind were added or removed, or changed places, and nothing says which is which; "
    "label them in both versions, as in `stem: conv(16)`"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", help="a .space file, or a run folder")
    parser.add_argument("new", metavar="NEW", help="a .space file, or a run folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    old, stored = space_or_run(options.old)
    new, _ = space_or_run(options.new)
    found = differences(old, new)
    done = effect(stored, new) if stored is not None else None
    if options.json:
        print(json.dumps(_as_json(found, done) | {"left_out": left_out(old, new)}, ensure_ascii=False))
        return 0
    print(_text(found, old.hash == new.hash))
    for line in left_out(old, new):
        print(line)
    if done is not None:
        print(_effect_text(done))
    return 0


def _as_json(found: list[Difference], done: Effect | None) -> dict[str, object]:
    lost = [{"site": site, "why": why, "trials": n} for (site, why), n in (done.lost if done else {}).items()]
    run = {"trials": done.trials, "whole": done.whole, "lost": lost} if done else None
    return {"decisions": [asdict(one) for one in found], "run": run}


def _text(found: list[Difference], are_equal: bool) -> str:
    if not found:
        return (
            "the spaces are the same" if are_equal else "the decisions are the same; something else differs"
        )
    width = max(len(one.site) for one in found)
    lines = [f"{_SIGNS.get(one.change, '~')} {one.site:<{width}}  {_told(one)}" for one in found]
    if any(one.change == "unclear" for one in found):
        lines.append(_UNCLEAR)
    return "\n".join(lines)


def _told(one: Difference) -> str:
    if not (one.old and one.new):
        return f"{one.change}: {one.old or one.new}"
    return f"{one.change}: {one.old}  ->  {one.new}" if one.old != one.new else f"{one.change}: {one.old}"


def _effect_text(done: Effect) -> str:
    lines = [f"{done.whole} of {done.trials} trials keep every answer"]
    lines += [
        f"  {n} lose{'s' * (n == 1)} `{site}`: it {why}" for (site, why), n in done.lost.items() if site
    ]
    lines += [f"  {n}: {why}" for (site, why), n in done.lost.items() if not site]
    return "\n".join(lines)
