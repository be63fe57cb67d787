"""Imported first by the fork server, and by nothing else: when its parent is killed it goes at once,
instead of after it has imported torch for nobody."""

from __future__ import annotations

from nasdsl.engine.isolation import die_with_parent

die_with_parent()
