"""The meta of a fresh run, and whether a resume may go on from a stored one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasdsl.engine import facts
from nasdsl.engine.errors import RunError
from nasdsl.engine.formats import FORMAT
from nasdsl.engine.store import Json
from nasdsl.language import trusting

if TYPE_CHECKING:
    from nasdsl.language.space import Space


def fresh_meta(space: Space, options: Mapping[str, Json]) -> dict[str, Json]:
    """What is known when a run begins; `options` are the arguments of the search that decide it."""
    return {
        "format": FORMAT,
        "space_name": space.name,
        "space_text": space.text,
        "space_hash": space.hash,
        "uses": dict(trusting.brought()),
        "goals": [[goal.measure, goal.maximize] for goal in space.goals],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": facts.versions(),
        "hardware": facts.hardware(),
        "data": None,
        "ended": None,
        **options,
    }


def check_same_space(folder: Path, stored: Mapping[str, Any], space: Space) -> None:
    """Raises RunError where the stored run is of another space."""
    if stored["space_hash"] != space.hash:
        raise RunError(
            f"{folder} is a run of another space (`{stored['space_name']}`, hash {stored['space_hash'][:12]}; "
            f"this is `{space.name}`, hash {space.hash[:12]}); `nasdsl diff {folder} FILE` says what differs; "
            "give another --run"
        )
