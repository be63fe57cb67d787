"""The keys of decisions and of layers below one path: each only once, `name`, `name#2`, `name#3` among siblings."""

from __future__ import annotations


class Keys:
    """Keys in use. Those of an alternative lie over those `around` it, which it sees and does not change."""

    def __init__(self, around: Keys | None = None) -> None:
        self._around = around
        self._own: set[str] = set()
        self._taken: dict[str, int] = {}  # up to which number the siblings of a name are known to be taken

    def __contains__(self, key: str) -> bool:
        layer: Keys | None = self
        while layer is not None:
            if key in layer._own:
                return True
            layer = layer._around
        return False

    def add(self, key: str) -> None:
        self._own.add(key)

    def free(self, name: str) -> str:
        """The name, or the first `name#k` that no sibling has."""
        number = self._known(name) + 1
        while _numbered(name, number) in self:
            number += 1
        self._taken[name] = number - 1
        return _numbered(name, number)

    def take(self, name: str) -> str:
        """The same, which is taken from now on."""
        key = self.free(name)
        self.add(key)
        return key

    def absorb(self, alternative: Keys) -> None:
        """What comes after an alternative shares no key with it."""
        self._own |= alternative._own

    def _known(self, name: str) -> int:
        layer: Keys | None = self
        while layer is not None:
            if name in layer._taken:
                return layer._taken[name]
            layer = layer._around
        return 0


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}#{number}"
