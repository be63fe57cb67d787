"""Whose Python may run: `use "package.module"`, refused unless the reader trusts the file.

Trust is given for a process (`--trust`), or for a file once and for all (`nasdsl trust FILE`), which
remembers the hash of the file and those of its modules: a change to any of them takes it back.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from nasdsl.language import syntax as s
from nasdsl.language.bare import bare
from nasdsl.language.errors import NasdslError
from nasdsl.language.printer import print_file


class _Trust:
    """What this process trusts: everything, or the modules that it has brought in before."""

    everything = False
    brought: dict[str, str] = {}  # noqa: RUF012  module -> the folder that it was looked for in
    folders: dict[str, str] = {}  # noqa: RUF012  the same as a stored run has it, for a text without a file


def trust_everything() -> None:
    """As `--trust` does: from now on every file may bring Python and name files outside its folder."""
    _Trust.everything = True


def trusts_everything() -> bool:
    return _Trust.everything


def brought() -> dict[str, str]:
    """The modules that have been brought in, and where they were looked for; workers need the same."""
    return dict(_Trust.brought)


def look_in(folders: dict[str, str]) -> None:
    """Where the modules of a stored run were found. This trusts none of them."""
    _Trust.folders.update(folders)


def bring(module: str, folder: str) -> None:
    """Import a module, which registers its operations by `nasdsl.op`. Raises what the import raises."""
    if folder and folder not in sys.path:
        sys.path.insert(0, folder)
    importlib.import_module(module)
    _Trust.brought[module] = folder


def is_trusted(file: s.File, module: str) -> bool:
    """Whether a resolved file may bring in a module."""
    if _Trust.everything or module in _Trust.brought:
        return True
    known = _remembered().get(hash_of(file), {})
    found = module_file(module, folder_of(file, module))
    return found is not None and known.get(module) == _hash(found.read_bytes())


def remember(file: s.File) -> list[str]:
    """Trust a resolved file and the modules that it uses, as they are now. Their names are returned.

    Raises NasdslError where one cannot be found.
    """
    hashes = {}
    for item in file.items:
        if isinstance(item, s.Use):
            found = module_file(item.module, folder_of(file, item.module))
            if found is None:
                raise NasdslError(f"no module `{item.module}` is to be found; nothing is trusted")
            hashes[item.module] = _hash(found.read_bytes())
    path = _store()
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {**_remembered(), hash_of(file): hashes}
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(known, indent=1), "utf-8")
    os.replace(temporary, path)
    return list(hashes)


def hash_of(file: s.File) -> str:
    """SHA-256 of a resolved file without comments and layout, as `Space.hash`."""
    return _hash(print_file(bare(file)).encode())


def folder_of(file: s.File, module: str) -> str:
    """The folder that a module of a file is looked for in first; "" where there is none."""
    name = file.source.name
    beside = os.path.dirname(os.path.realpath(name)) if os.path.isfile(name) else ""
    return beside or _Trust.folders.get(module, "")


def module_file(module: str, folder: str) -> Path | None:
    """The file of a module, found without running anything."""
    paths: list[str] | None = [*([folder] if folder else []), *sys.path]
    spec = None
    for number in range(1, module.count(".") + 2):
        spec = PathFinder.find_spec(".".join(module.split(".")[:number]), paths)
        if spec is None:
            return None
        paths = list(spec.submodule_search_locations or [])
    return Path(spec.origin) if spec is not None and spec.origin and os.path.isfile(spec.origin) else None


def _store() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(base) / "nasdsl" / "trusted.json"


def _remembered() -> dict[str, dict[str, str]]:
    try:
        found = json.loads(_store().read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # nothing is trusted where nothing can be read
    return found if isinstance(found, dict) else {}


def _hash(content: bytes) -> str:
    from hashlib import sha256  # loads OpenSSL, which a check has no use for

    return sha256(content).hexdigest()
