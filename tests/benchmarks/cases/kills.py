"""SIGKILL at any moment: what is lost, what comes twice, and does it ever end?"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.bench import say
from tests.benchmarks.process import usual
from tests.benchmarks.results import Check, Findings, Table
from tests.benchmarks.server import Server
from tests.benchmarks.work import FAMILY, PARENTS, Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.benchmarks.bench import Bench

_LATENCY = 0.05
_LONGEST_LIFE = 2.0
"""Seconds that a run may live after its first line, which comes with its first request."""
_ENOUGH = 0.5
"""Seconds after its first record within which a run must have written a STATE."""
_SEED = 20261121


@dataclass(frozen=True)
class Life:
    """What one run left behind before it was killed, or ended.

    Attributes:
        records: Its records: stream and digest of each.
        wrote: Seconds it lived after its first record; None if it had none.
        state: The last state it wrote, if any.
        ended: Whether it came to its own end.
    """

    records: list[tuple[str, bytes]]
    wrote: float | None
    state: Any
    ended: bool


def killed(bench: Bench) -> Findings:
    """Kill run after run, give each the state of the one before, and let the last one end."""
    kills, count = bench.pick((50, 6_000), (5, 700))
    work = Work(FAMILY)
    with (
        Server(records=0, sizes={PARENTS.name: count}, latency=_LATENCY) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        say("  one run to its end, to compare with")
        whole = live(bench, server, replace(work, concurrency=50), Path(folder), None)
        lives = list(_lives(bench, server, work, Path(folder), kills))
    everything = {record for life in lives for record in life.records}
    expected = set(whole.records)
    checks = [
        Check(
            "kills before the end",
            sum(not life.ended for life in lives),
            kills,
            "{:.0f}",
            at_least=True,
        ),
        Check("records that are missing", len(expected - everything), 0, "{:.0f}"),
        Check("records that nobody asked for", len(everything - expected), 0, "{:.0f}"),
        Check(
            f"runs without progress {_ENOUGH} s after their first record",
            sum(idle >= _ENOUGH for idle in _idle(lives)),
            0,
            "{:.0f}",
        ),
        Check("most records of a list sent again", _most_again(lives), work.page_size, "{:.0f}"),
    ]
    sent = sum(len(life.records) for life in lives)
    rows = [
        ("one run", "1", f"{len(whole.records):,}", f"{len(expected):,}"),
        ("killed runs and the last", str(len(lives)), f"{sent:,}", f"{len(everything):,}"),
    ]
    too_early = sum(life.wrote is None for life in lives)
    barely = sum(idle < _ENOUGH for idle in _idle(lives))
    return Findings(
        Table(("", "runs", "records sent", "different ones"), rows),
        checks,
        notes=[
            f"{count:,} parents with children, {_LATENCY * 1000:.0f} ms latency, default settings.",
            f"Each run is killed at random, within {_LONGEST_LIFE:.0f} s of its first line.",
            "Progress is a bookmark that moved; records leave with the STATE that names them.",
            (
                f"{too_early} runs died before their first record, {barely} soon after and without "
                "progress."
            ),
        ],
    )


def live(bench: Bench, server: Server, work: Work, folder: Path, longest: float | None) -> Life:
    """Let the tap run, for a while.

    Args:
        bench: The bench.
        server: Where it reads.
        work: What it reads.
        folder: Where its files are put.
        longest: Seconds from its first line to its death; None lets it come to its end.
    """
    command = bench.ours.command(work, server.config, folder)
    lines: list[bytes] = []
    with subprocess.Popen(  # noqa: S603
        command,
        cwd=folder,
        env=usual(bench.ours.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        alarm = threading.Timer(longest or 0.0, process.kill)
        first_record = None
        for line in process.stdout:
            if not lines and longest is not None:
                alarm.start()
            if first_record is None and b"RECORD" in line[:24]:
                first_record = time.monotonic()
            lines.append(line)
        wrote = None if first_record is None else time.monotonic() - first_record
        status = process.wait()
        alarm.cancel()
    messages = [json.loads(line) for line in lines if line.endswith(b"\n")]
    states = [message["value"] for message in messages if message["type"] == "STATE"]
    records = [
        (message["stream"], _digest(message["record"]))
        for message in messages
        if message["type"] == "RECORD"
    ]
    return Life(records, wrote, states[-1] if states else None, ended=status == 0)


def _digest(record: Any) -> bytes:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).digest()


def _lives(bench: Bench, server: Server, work: Work, folder: Path, kills: int) -> Iterator[Life]:
    chance = random.Random(_SEED)  # noqa: S311
    state = None
    for number in range(kills + 1):
        say(f"  run {number + 1} of {kills + 1}")
        longest = chance.uniform(0, _LONGEST_LIFE) if number < kills else None
        life = live(bench, server, _resumed(work, folder, state), folder, longest)
        state = life.state or state
        yield replace(life, state=state)
        if life.ended:
            return


def _resumed(work: Work, folder: Path, state: Any) -> Work:
    if state is None:
        return work
    path = folder / "state.json"
    path.write_text(json.dumps(state), encoding="utf-8")
    return replace(work, state=path)


def _idle(lives: Sequence[Life]) -> list[float]:
    """How long those runs wrote records that left the state as they found it."""
    found = [None, *(life.state for life in lives)]
    return [
        life.wrote
        for before, life in zip(found, lives, strict=False)
        if before == life.state and not life.ended and life.wrote is not None
    ]


def _most_again(lives: Iterable[Life]) -> int:
    """The most records of one stream that one run sent though an earlier one had."""
    known: set[tuple[str, bytes]] = set()
    most = 0
    for life in lives:
        again = Counter(stream for stream, digest in life.records if (stream, digest) in known)
        most = max(most, *again.values(), 0)
        known.update(life.records)
    return most
