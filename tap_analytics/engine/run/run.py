"""One run of the tap: its accounts, its streams in their order, and its end."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.output.report import Report
from tap_analytics.engine.run.carried import Carried, compare, recall
from tap_analytics.engine.run.outlet import Outlet
from tap_analytics.engine.run.reading import Reading
from tap_analytics.engine.run.relay import Relay, Worker
from tap_analytics.engine.run.sync import Sync
from tap_analytics.engine.threads import allow_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_analytics.engine.output.writer import LineWriter
    from tap_analytics.engine.run.access import Access
    from tap_analytics.engine.stream import AnalyticsStream

_OPENED_AHEAD = 32
_FEWEST_EMPTY = 2
_logger = logging.getLogger("tap-analytics")


class Run:
    """Reads streams one after the other, each for all accounts, while later ones are fetched.

    Several accounts are read side by side, each in a thread of its own that never reads more
    than one stream at a time; they are written in their order.
    """

    def __init__(
        self, accesses: Sequence[Access], state: dict[str, Any], writer: LineWriter
    ) -> None:
        """Take what is shared; nothing is asked yet.

        Args:
            accesses: For whom to read.
            state: The state of earlier runs, which is moved on.
            writer: Takes the messages.
        """
        self.report = Report()
        self._accesses = accesses
        backfill = any(access.options.backfill for access in accesses)
        names = [access.name for access in accesses if access.name is not None]
        if names:
            allow_files()
        self._outlet = Outlet(writer, state, backfill=backfill, accounts=names)
        self._workers: dict[str, Worker] = {}
        self._is_closed = False

    def read(self, roots: Sequence[AnalyticsStream], *, says_schema: bool = True) -> None:
        """Read streams without parent, with all below them.

        Args:
            roots: The streams, in order.
            says_schema: Whether to write their SCHEMA; those below them are always said.
        """
        read: list[Reading] = []
        waiting: list[list[Reading]] = []
        syncs = self._opened(self._planned(roots))
        for _, group in groupby(syncs, key=lambda sync: sync.root.name):
            done: list[Reading] = []
            for sync in group:
                if not done:
                    self._say_schemas(sync.root, says_root=says_schema)
                if isinstance(sync.outlet, Relay):
                    sync.outlet.drain()
                    sync.root.hand_over(self._outlet)
                else:
                    sync.go()
                done.append(sync.root)
            for same in zip(*(root.family for root in done), strict=True):
                readings = list(same)
                read += readings
                self._compare(readings)
                if any(map(_may_be_deceived, readings)) or not any(
                    one.tally.records for one in readings
                ):
                    waiting.append(readings)
                else:
                    self._activate(readings)
        _suspect(read)
        for readings in waiting:
            self._activate(readings)

    def _planned(self, roots: Sequence[AnalyticsStream]) -> Iterator[Sync]:
        """Yield what is to be read, stream by stream, and each for one account after the other."""
        parts = [
            (number, root, access)
            for number, root in enumerate(roots)
            for access in self._accesses
            if access.account.has(root.api)
        ]
        for _, root, access in parts:
            for stream in root.family:
                self.report.tally(stream.name, stream.api.name, access.name)
        is_alone = len(self._accesses) == 1 or any(one.is_dry_run for one in roots)
        for number, root, access in parts:
            outlet = self._outlet if is_alone else Relay(self._outlet)
            reading = Reading(root, access, outlet, self.report)
            for one in reading.family:
                one.carried = Carried(recall(one.stream, self._outlet.entry(one.name, None)))
            yield Sync(reading, number)

    def _opened(self, planned: Iterator[Sync]) -> Iterator[Sync]:
        """Yield what is to be read, and open the first lists of what comes later."""
        ahead: deque[Sync] = deque()
        for sync in planned:
            sync.open()
            if isinstance(sync.outlet, Relay):
                self._worker(sync.root.access).give(sync.outlet, sync.go)
            ahead.append(sync)
            if len(ahead) > _OPENED_AHEAD:
                yield ahead.popleft()
        while ahead:
            yield ahead.popleft()

    def _worker(self, access: Access) -> Worker:
        name = str(access.name)
        if name not in self._workers:
            self._workers[name] = Worker(name)
        return self._workers[name]

    def _say_schemas(self, root: Reading, *, says_root: bool) -> None:
        for one in root.family:
            if one.is_wanted and (says_root or one is not root):
                one.stream.write_schema()

    def _compare(self, readings: Sequence[Reading]) -> None:
        """Say which fields no row of a stream carries any more, whatever the account."""
        first, *_ = readings
        seen = [one for one in readings if one.carried.always is not None]
        is_told = first.is_wanted and not first.stream.is_dry_run
        if not is_told or not any(one.tally.is_complete for one in seen):
            return
        entry = self._outlet.entry(first.name, None)
        rows, saw_all = [one.carried for one in seen], all(one.saw_all for one in seen)
        if gone := compare(first.stream, entry, rows, saw_all=saw_all):
            seen[0].tally.drifted("fields that all rows carried before and none does now", gone)

    def _activate(self, readings: Sequence[Reading]) -> None:
        """Let targets remove what is gone from a stream, if that is sure for every account."""
        if all(one.may_activate() for one in readings):
            readings[0].stream.write_activate_version(max(one.version or 0 for one in readings))
            for one in readings:
                one.activated()

    def close(self) -> None:
        """Write the last state and everything that is still buffered, and end the threads."""
        for access in self._accesses:
            access.close()
        if not self._is_closed:
            self._is_closed = True
            self._outlet.close()


def _may_be_deceived(reading: Reading) -> bool:
    return reading.stream.api.empty_is_suspicious and not reading.tally.rows_read


def _suspect(read: Sequence[Reading]) -> None:
    """Say so where every list of an API came back empty that answers wrong keys like that."""
    by_api: dict[tuple[str, str | None], list[Reading]] = defaultdict(list)
    for one in read:
        by_api[one.stream.api.name, one.access.name].append(one)
    for (name, account), readings in by_api.items():
        asked = [one for one in readings if one.tally.requests and one.tally.is_complete]
        if len(asked) < _FEWEST_EMPTY or not all(map(_may_be_deceived, readings)):
            continue
        what = (
            f"all {len(asked)} lists came back empty, as {name} answers a key of another "
            f"environment: check '{name}_api_key' and '{name}_base_url'; nothing is deleted"
        )
        whose = name if account is None else f"{name} of {account}"
        _logger.warning("%s: %s", whose, what)
        for one in asked:
            one.suspect(what)
