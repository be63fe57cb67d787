"""What each word of the grammar is for, in a line or two: shown by editors."""

from __future__ import annotations

from collections.abc import Mapping

FORMS: Mapping[str, str] = {
    "space": "`space NAME`: the name of this space.",
    "import": '`import "blocks/conv.space"`: the blocks and lets of another file, by a path relative to this one.',
    "use": '`use "package.module"`: operations written in Python. Refused without trust.',
    "task": "`task KIND on DATA`: what is learned, and from which data.",
    "let": "`let x = 16 | 32`: one decision; every use of `x` has the same answer.",
    "block": "`block conv(width) { … }`: a template; every use decides afresh.",
    "network": "`network { … }`: what a network may be.",
    "train": "`train { … }`: how it may be trained.",
    "require": "`require params <= 500k`: what must hold of every point.",
    "maximize": "`maximize accuracy`: what is good.",
    "minimize": "`minimize loss`: what is good when small.",
    "start": "`start { network/width = 32 }`: a point that is tried first; the rest by default.",
    "if": "`if n > 2 { … } else { … }`: opens decisions only in the branch taken.",
    "else": "The branch taken where the condition of `if` is false.",
    "repeat": "`repeat 1..4 { … }`: how many copies; each decides for itself, with `tied` once for all.",
    "permute": "`permute { a; b; c }`: the order of its members is a decision.",
    "pick": "`pick 2 of { a; b; c }`: a subset of its members, in the order written.",
    "and": "True where both sides are.",
    "or": "True where one side is.",
    "not": "True where the other is false.",
    "log": "`1e-4..1 log`: spreads a range over its scale, so that each factor is equally likely.",
    "step": "`16..64 step 16`: only every so many.",
    "in": "`repeat i in 1..4 { … }`: the number of the copy as a value, from 1.",
    "of": "`pick 2 of { … }`: the members to pick from.",
    "on": "`task classification on digits`: the data.",
    "from": "`a = relu from b`: the wires that an operation of a `dag` reads.",
    "tied": "`repeat n tied { … }`: the copies decide once, and have weights of their own.",
    "shared": "`repeat n shared { … }`: the copies decide once, and have the same weights.",
    "except": "`shared except layer_norm`: these operations keep weights of their own.",
    "online": "`0.05..0.5 online`: left to the training itself, not to the searcher.",
    "unused": "`output = concat unused`: joins every wire that nothing reads.",
}
