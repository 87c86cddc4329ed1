"""The bench that all cases work at: the tools, the servers, and runs in turns."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from tests.benchmarks import output
from tests.benchmarks.process import FailedError, measure
from tests.benchmarks.tools import Ours

if TYPE_CHECKING:
    from tests.benchmarks.server import Requests, Server
    from tests.benchmarks.tools import Tool
    from tests.benchmarks.work import Work

_T = TypeVar("_T")

Contenders = Mapping[str, "tuple[Tool, Work]"]
"""Tools and what each is to read, by label."""


@dataclass(frozen=True)
class Sample:
    """One run, or the medians of several.

    Attributes:
        reading: Seconds from the first request to the end.
        wall: Seconds in all.
        cpu: Seconds of processor time.
        peak: Bytes of memory.
        requests: What the server was asked, in the last run.
        output: What was written, in the last run.
    """

    reading: float
    wall: float
    cpu: float
    peak: float
    requests: Requests
    output: output.Output

    @property
    def speed(self) -> float:
        """Records a second."""
        return self.output.records / self.reading


@dataclass(frozen=True)
class Bench:
    """Where cases are measured.

    Attributes:
        tools: The tools there are, by name.
        rounds: How often each run is repeated.
        quick: Whether to do just enough to see that it works.
    """

    tools: Mapping[str, Tool]
    rounds: int
    quick: bool

    def pick(self, full: _T, quick: _T) -> _T:
        """Return one of two sizes."""
        return quick if self.quick else full

    @property
    def ours(self) -> Tool:
        """This tap, which every case needs."""
        return self.tools[Ours.name]

    def contenders(self, work: Work, *names: str) -> dict[str, tuple[Tool, Work]]:
        """Return the named tools, those that there are, with the same work."""
        found = [self.tools[name] for name in names if name in self.tools]
        return {tool.label: (tool, work) for tool in found}

    def run(self, server: Server, tool: Tool, work: Work, records: int | None = None) -> Sample:
        """Let a tool do its work once.

        Args:
            server: Where it reads.
            tool: The tool.
            work: The work.
            records: How many records it has to read, if that is known.

        Raises:
            FailedError: It failed, or read another number of records.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            command = tool.command(work, server.config, folder)
            server.requests()
            usage = measure(command, folder, tool.env)
            asked, written = server.requests(), output.read(folder / "out")
        if records is not None and written.records != records:
            message = f"read {written.records:,} of {records:,} records"
            raise FailedError(message)
        return Sample(
            reading=usage.ended - asked.first,
            wall=usage.ended - usage.started,
            cpu=usage.cpu,
            peak=usage.peak,
            requests=asked,
            output=written,
        )

    def compare(
        self, server: Server, contenders: Contenders, records: int | None = None
    ) -> dict[str, Sample | str]:
        """Let tools do their work in turns; returns medians, or why there are none, by label.

        Args:
            server: Where they read.
            contenders: The tools and their work.
            records: How many records each has to read, if that is known.
        """
        samples: dict[str, list[Sample]] = {label: [] for label in contenders}
        failed: dict[str, str] = {}
        for number in range(self.rounds):
            for label, (tool, work) in contenders.items():
                if label in failed:
                    continue
                say(f"  round {number + 1}: {label}")
                try:
                    samples[label].append(self.run(server, tool, work, records))
                except FailedError as error:
                    failed[label] = str(error)
        return {
            label: failed[label] if label in failed else medians(runs)
            for label, runs in samples.items()
        }


def say(line: str) -> None:
    """Tell the user how it goes; standard output is for results."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def medians(runs: Sequence[Sample]) -> Sample:
    """Return the medians of runs; requests and output are those of the last one."""
    return Sample(
        reading=median(run.reading for run in runs),
        wall=median(run.wall for run in runs),
        cpu=median(run.cpu for run in runs),
        peak=median(run.peak for run in runs),
        requests=runs[-1].requests,
        output=runs[-1].output,
    )
