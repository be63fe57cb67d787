"""What was chosen for groups of jobs, in the meta of the run: `groups`, {structure: [together, why, what]}."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nasdsl.engine.events import Notice
from nasdsl.engine.messages import NO_GRAPH, Chose
from nasdsl.engine.store import Store

_KEY = "groups"


def known(meta: Mapping[str, Any]) -> dict[str, bool]:
    """For each structure whether its groups train together."""
    return {structure: bool(choice[0]) for structure, choice in meta.get(_KEY, {}).items()}


def remember(store: Store, chose: Chose) -> Notice | None:
    """Store a choice, and say it; nothing where another worker had told it."""
    groups = store.meta().get(_KEY, {})
    if chose.structure in groups:
        return None
    store.set_meta({_KEY: {**groups, chose.structure: [chose.together, chose.why, chose.what]}})
    return Notice(_sentence(chose.structure, chose.together, chose.why, chose.what))


def sentences(meta: Mapping[str, Any]) -> Iterator[str]:
    """All that was chosen, for people."""
    for structure, (together, why, *what) in meta.get(_KEY, {}).items():
        # Runs of before have no words for the structure.
        yield _sentence(structure, together, why, *(what or [f"groups of structure {structure[:8]}"]))


def _sentence(structure: str, together: bool, why: str, what: str) -> str:
    if structure.startswith(NO_GRAPH):
        return f"{what} run without a CUDA graph: {why}"
    return f"{what} {'train' if together else 'do not train'} as one program: {why}"
