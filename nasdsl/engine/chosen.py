"""What was chosen for groups of jobs, in the meta of the run: `groups`, {structure: [together, why]}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasdsl.engine.events import Notice
from nasdsl.engine.messages import Chose
from nasdsl.engine.store import Store

_KEY = "groups"


def known(meta: Mapping[str, Any]) -> dict[str, bool]:
    """For each structure whether its groups train together."""
    return {structure: together for structure, (together, _) in meta.get(_KEY, {}).items()}


def remember(store: Store, chose: Chose) -> Notice:
    """Store a choice, and say it."""
    groups = store.meta().get(_KEY, {})
    store.set_meta({_KEY: {**groups, chose.structure: [chose.together, chose.why]}})
    how = "train as one program" if chose.together else "do not train as one program"
    return Notice(f"groups of structure {chose.structure[:8]} {how}: {chose.why}")
