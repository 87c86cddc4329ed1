"""The sandbox in a process of its own, so that it and the tool it serves have a core each."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.benchmarks.process import FailedError
from tests.helpers.support import ROOT

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.benchmarks.work import Work


@dataclass(frozen=True)
class Requests:
    """What a server was asked since it was last looked at.

    Attributes:
        first: When the first request came, in epoch seconds; 0 if none did.
        streams: Requests by stream.
        repeats: Those that asked for what had been asked for before.
    """

    first: float
    streams: dict[str, int]
    repeats: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.streams.values())


class Server:
    """A running sandbox; use it in a `with` block."""

    def __init__(self, **options: Any) -> None:
        """Start a sandbox with the arguments of `Sandbox`; raises FailedError if it ends."""
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tests.benchmarks.serve", json.dumps(options)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.config: dict[str, str] = self._answer()

    def requests(self) -> Requests:
        """Return what was asked since the last call."""
        return Requests(**self._ask("asked"))

    def rows(self, work: Work) -> int:
        """Count the rows there are to read."""
        return sum(self.rows_of(work.api, name) for name in work.names)

    def rows_of(self, api: str, stream: str) -> int:
        """Count the rows of one stream."""
        return int(self._ask(f"rows {api} {stream}"))

    def cpu(self) -> float:
        """Return the seconds of the processor that it took so far."""
        return float(self._ask("cpu"))

    def change(self, work: Work, count: int) -> None:
        """Let the first parents of a family change now, and each get one child more."""
        self._ask(f"change {work.api} {' '.join(work.names)} {count}")

    def _ask(self, question: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = f"the server ended with exit status {self._process.wait()}"
            raise FailedError(message)
        return json.loads(line)

    def __enter__(self) -> Self:
        """Do nothing: it runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.communicate()
