"""Imported first by the fork server, and by nothing else: when its parent is killed it goes at once,
instead of after it has imported torch for nobody. A termination of the whole process group is the parent's
to answer: the server must last as long as trials may end, for without it they count as dead."""

from __future__ import annotations

import signal

from nasdsl.engine.isolation import die_with_parent

die_with_parent()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
