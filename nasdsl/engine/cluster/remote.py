"""The near end of slots on a cluster: a switchboard that agents call, and workers as the pool sees them."""

from __future__ import annotations

import secrets
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener
from pathlib import Path

from nasdsl.engine.cluster.agent import Gone, Hello, Kill, Start, Trouble
from nasdsl.engine.cluster.engines import Engine, Launched
from nasdsl.engine.messages import FromWorker, Group, Setup, StopTrial

_GONE_WITHIN_S = 10.0


class Switchboard:
    """Takes the calls of agents; each launch has a token, and its agent is handed out once."""

    def __init__(self, host: str) -> None:
        key = secrets.token_bytes(32)
        self._key = key.hex()
        self._listener = Listener((host, 0), backlog=64, authkey=key)
        self._lines: dict[str, Connection | None] = {}
        self._changing = threading.Lock()
        threading.Thread(target=self._answer, daemon=True).start()

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.address
        return str(host), int(port)

    def expect(self) -> tuple[str, str]:
        """A token for a launch, and the secret that its agent needs."""
        token = secrets.token_hex(8)
        with self._changing:
            self._lines[token] = None
        return token, f"{token}:{self._key}"

    def line(self, token: str) -> Connection | None:
        """The connection of an agent, once it has called."""
        with self._changing:
            found = self._lines.get(token)
            if found is not None:
                del self._lines[token]
            return found

    def close(self) -> None:
        self._listener.close()

    def _answer(self) -> None:
        while True:
            try:
                line = self._listener.accept()
                hello = line.recv()
            except (AuthenticationError, EOFError, ConnectionError):
                continue  # a caller without the key, or one that died
            except OSError:
                return  # closed
            with self._changing:
                wanted = isinstance(hello, Hello) and self._lines.get(hello.token, line) is None
                if wanted:
                    self._lines[hello.token] = line
            if not wanted:
                line.close()  # the engine ran a launch again that we have given up


class There:
    """A slot of a cluster. Its agent serves one worker after the other, as long as it lives."""

    def __init__(self, engine: Engine, board: Switchboard) -> None:
        self._engine, self._board = engine, board
        self._line: _Line | None = None

    def start(self, setup: Setup, log: Path) -> RemoteWorker:
        if self._line is None or self._line.ended() is not None:
            token, secret = self._board.expect()
            host, port = self._board.address
            self._line = _Line(token, self._engine.launch(host, port, secret), self._board)
        return RemoteWorker(self._line, Start(setup, log, tuple(sys.path)))


class _Line:
    """The way to one agent: launched, then connected, at last broken."""

    def __init__(self, token: str, launched: Launched, board: Switchboard) -> None:
        self._token, self._launched, self._board = token, launched, board
        self.connection: Connection | None = None
        self.broken = False

    def connected(self) -> Connection | None:
        if self.connection is None:
            self.connection = self._board.line(self._token)
        return None if self.broken else self.connection

    def ended(self) -> str | None:
        """Why no worker can be started over it."""
        if self.broken:
            return "the connection to the agent is lost"
        return self._launched.ended() if self.connected() is None else None

    def close(self) -> None:
        self.broken = True
        if self.connection is not None:
            self.connection.close()

    def wait_for_end(self, deadline: float) -> None:
        while self.connection is not None and self._launched.ended() is None and time.monotonic() < deadline:
            time.sleep(0.02)


class RemoteWorker:
    """One worker process on the cluster; see places.Worker."""

    def __init__(self, line: _Line, start: Start) -> None:
        self._line, self._start = line, start
        self._started = False
        self._gone: Gone | None = None
        self._trouble: str | None = None
        self._said: deque[FromWorker] = deque()

    @property
    def handles(self) -> Sequence[Connection]:
        line = self._line.connected()
        return () if line is None or self._gone else (line,)

    @property
    def reachable(self) -> bool:
        return self._open() is not None and self._gone is None

    @property
    def signal(self) -> int | None:
        """A lost connection is a death from outside: the trial may be blameless."""
        return signal.SIGKILL if self._gone is None else self._gone.signal

    def send(self, message: Group | StopTrial | Kill) -> None:
        line = self._open()
        if line is not None:
            self._send(line, message)

    def messages(self, most: int | None) -> Iterator[FromWorker]:
        self._listen()
        while self._said and (most is None or most > 0):
            most = None if most is None else most - 1
            yield self._said.popleft()

    def alive(self) -> bool:
        self._open()
        self._listen()
        return self._gone is None and self._line.ended() is None

    def trouble(self) -> str | None:
        return self._trouble

    def ending(self) -> str:
        return self._line.ended() or "" if self._gone is None else self._gone.ending

    def log_tail(self) -> str:
        return "" if self._gone is None else self._gone.log

    def kill(self) -> None:
        self.send(Kill())

    def close(self) -> None:
        """Forget it. A worker that still lives is ended by its agent, when that loses the connection."""
        if self._gone is None:
            self._line.close()
            self._line.wait_for_end(time.monotonic() + _GONE_WITHIN_S)

    def _open(self) -> Connection | None:
        line = self._line.connected()
        if line is not None and not self._started:
            self._started = True
            self._send(line, self._start)
        return line

    def _send(self, line: Connection, message: object) -> None:
        try:
            line.send(message)
        except OSError:
            self._line.broken = True

    def _listen(self) -> None:
        line = self._line.connected()
        try:
            while line is not None and self._gone is None and line.poll():
                match line.recv():
                    case Gone() as gone:
                        self._gone = gone
                    case Trouble(why):
                        self._trouble = why
                    case message:
                        self._said.append(message)
        except (EOFError, OSError):
            self._line.close()


class Cluster:
    """The slots of an engine. Use as a context manager around the pool."""

    def __init__(self, engine: Engine, workers: int | None) -> None:
        self._engine = engine
        self._board = Switchboard(engine.host)
        count = engine.slots() if workers is None else min(workers, engine.slots())
        self.places = [There(engine, self._board) for _ in range(count)]

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self._board.close()
        with suppress(OSError):
            self._engine.close()
