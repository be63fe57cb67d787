"""`with`, `frozen` and `pretrained`: wrappers that change the layers in their body and add none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from nasdsl.language import syntax as s
from nasdsl.language.keys import Keys
from nasdsl.language.network import Spec
from nasdsl.language.scope import Checker, FrameBuilder, Scope, Wanted
from nasdsl.language.signatures.signature import Signature
from nasdsl.language.surroundings import Default
from nasdsl.language.tree import PLAIN, Constant, Sequence
from nasdsl.language.values import bind, by_name, value

Body: TypeAlias = Callable[[Checker, s.Block, Scope], Sequence]


def enclosing(c: Checker, row: Signature, node: s.Call, scope: Scope, label: str, body: Body) -> Sequence:
    """The body of one of them, its layers changed."""
    assert node.body is not None
    match row.name:
        case "with":
            return _with(c, row, node, node.body, scope, label, body)
        case "frozen":
            bind(c, row, node, scope.inner())
            return body(c, node.body, _surrounded(scope.inner(label), frozen=True))
        case _:
            return _pretrained(c, row, node, node.body, scope, label, body)


def _surrounded(scope: Scope, **changes: object) -> Scope:
    return replace(scope, surroundings=replace(scope.surroundings, **changes))  # type: ignore[arg-type]


def _with(
    c: Checker, row: Signature, node: s.Call, block: s.Block, scope: Scope, label: str, body: Body
) -> Sequence:
    given = by_name(c, row, node)
    defaults = {name: Default(row.by_name[name], one, scope) for name, one in given.items()}
    if not defaults:
        c.problems.error(
            "missing-argument",
            "`with` gives no default",
            node.span,
            "for example `with(weight = low_rank(8)) { … }`",
        )
    everything = {**scope.surroundings.defaults, **defaults}
    inner = body(c, block, _surrounded(scope.inner(label), defaults=everything))
    for name, default in defaults.items():
        if id(default.value) not in c.taken_defaults:
            # No layer has checked what is written, so it is checked here.
            value(c, default.value, replace(scope, frame=FrameBuilder(), taken=Keys()), _wanted(default))
            message = f"no layer in this `with` takes its `{name}`"
            c.problems.warn("unused-default", message, default.value.span, "leave it out")
    return inner


def _wanted(default: Default) -> Wanted:
    return Wanted(default.argument.name, default.argument.kind, PLAIN)


def _pretrained(
    c: Checker, row: Signature, node: s.Call, block: s.Block, scope: Scope, label: str, body: Body
) -> Sequence:
    """The body stands under a part of the path of its own, which keys of the file do not have."""
    under = scope.fresh_place(label or row.name).removeprefix(scope.prefix)
    terms = dict(bind(c, row, node, scope.inner()))
    if not all(isinstance(term, Constant) for term in terms.values()):
        message = "what a body starts from stands fixed: it is no decision"
        help = 'choose between bodies: `{ pretrained("a.safetensors") { … } } | { pretrained("b.safetensors") { … } }`'
        c.problems.error("wrong-kind", message, node.span, help)
        return body(c, block, scope.inner(under))
    given = {name: term.value for name, term in terms.items() if isinstance(term, Constant)}
    _look_for(c, node, given["file"])
    start = Spec(row.name, {**given, "under": under})
    if scope.surroundings.pretrained:
        message = "a body within `pretrained` cannot start from a second file"
        help = "let the two bodies follow one another, or put all weights into one file"
        c.problems.error("nested-pretrained", message, node.span, help)
    return body(c, block, _surrounded(scope.inner(under), pretrained=start))


def _look_for(c: Checker, node: s.Call, file: object) -> None:
    """A file lies below the folder of the space, unless its author is trusted; that it is missing is a warning.
    What has a colon is a Python function, and needs trust."""
    name = c.problems.source.name
    if not isinstance(file, str):
        return
    if ":" in file:
        if not c.trust:
            help = "pass `--trust` if you know who wrote this file, or name a safetensors file"
            c.problems.error(
                "untrusted", f"`{file}` runs Python code of the author of this space", node.span, help
            )
        return
    if not file.endswith(".safetensors"):
        help = "save them with `safetensors.torch.save_file`"
        c.problems.error("wrong-kind", f'"{file}" is no safetensors file', node.span, help)
        return
    folder = os.path.realpath(os.path.dirname(name))
    found = os.path.realpath(os.path.join(folder, file))
    if not c.trust and os.path.commonpath([folder, found]) != folder:
        message = f'"{file}" lies outside the folder of this file'
        help = "put the weights beside the space, or pass `--trust` if you know who wrote it"
        c.problems.error("file-outside", message, node.span, help)
    elif os.path.isfile(name) and not os.path.isfile(found):
        message = f'there is no file "{file}" beside this space'
        c.problems.warn("missing-file", message, node.span, "`search` and `export` will need it")
