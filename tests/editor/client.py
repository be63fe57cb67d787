"""An editor in miniature: speaks the language server protocol with `nasdsl lsp` over its pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[2]


class Editor:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "nasdsl", "lsp", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        self._number = 0
        self._version = 0
        self._told: list[dict[str, Any]] = []  # notifications not looked at yet
        self.capabilities = self.ask("initialize", processId=None, rootUri=None, capabilities={})[
            "capabilities"
        ]
        self._send("initialized", {})

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def close(self) -> int:
        """Say goodbye; the exit status of the server."""
        self.ask("shutdown")
        self._send("exit", None)
        return self._process.wait(30)

    # --- files --------------------------------------------------------------------------------

    def open(self, uri: str, text: str) -> list[dict[str, Any]]:
        """Open a file; the problems that the server then shows."""
        document = {"uri": uri, "languageId": "nasdsl-space", "version": 0, "text": text}
        self._send("textDocument/didOpen", {"textDocument": document})
        return self._problems(uri)

    def change(self, uri: str, text: str) -> list[dict[str, Any]]:
        self._version += 1
        document = {"uri": uri, "version": self._version}
        self._send("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})
        return self._problems(uri)

    def _problems(self, uri: str) -> list[dict[str, Any]]:
        while True:
            for message in self._told:
                if message["method"] == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                    self._told.clear()
                    problems: list[dict[str, Any]] = message["params"]["diagnostics"]
                    return problems
            self._told.append(self._read())

    def at(self, what: str, uri: str, line: int, character: int) -> Any:
        """Ask something about a place, counted from 0."""
        place = {"line": line, "character": character}
        return self.ask(f"textDocument/{what}", textDocument={"uri": uri}, position=place)

    # --- messages -----------------------------------------------------------------------------

    def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._send(method, params or None, self._number)
        while True:
            message = self._read()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]
            self._told.append(message)

    def _send(self, method: str, params: Any, number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params})
        body = json.dumps(message if number is None else message | {"id": number}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the server is gone: " + self._process.stderr.read().decode()  # type: ignore[union-attr]
        found: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return found
