"""One run of the tap: its options, its lanes, and what it reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_analytics.engine.http.budget import Budget
from tap_analytics.engine.http.client import Client, Patience
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.output.report import Report
from tap_analytics.engine.output.writer import LineWriter, StateWriter
from tap_analytics.engine.pages.lane import Lane
from tap_analytics.engine.run.listing import Listing
from tap_analytics.engine.run.spool import FIRST
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_analytics.engine.stream import AnalyticsStream


@dataclass(frozen=True)
class Options:
    """The settings that hold for all APIs; times in microseconds since 1970."""

    since: int
    until: int
    concurrency: int
    timeout: float
    max_wait: float
    max_retries: int | None
    backoff_factor: float | None
    report_path: str | None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Options:
        """Read them from a valid configuration."""
        start, end = config.get("start_date"), config.get("end_date")
        factor = config.get("backoff_factor")
        return cls(
            since=FIRST if start is None else times.micros(start),
            until=-FIRST if end is None else times.last_micros(end),
            concurrency=config["max_concurrency"],
            timeout=float(config["request_timeout"]),
            max_wait=float(config["max_wait"]),
            max_retries=config.get("max_retries"),
            backoff_factor=None if factor is None else float(factor),
            report_path=config.get("report_path"),
        )

    def policy(self, documented: RetryPolicy) -> RetryPolicy:
        """Return an API's documented policy with the user's own values put in."""
        factor = self.backoff_factor
        constant = documented.constant
        return RetryPolicy(
            statuses=documented.statuses,
            max_retries=documented.max_retries if self.max_retries is None else self.max_retries,
            factor=documented.factor if factor is None else factor,
            constant=constant if factor is None or constant is None else factor,
        )


class Run:
    """Holds together what the streams of one run share."""

    def __init__(
        self, config: Mapping[str, Any], state: Mapping[str, Any], writer: LineWriter
    ) -> None:
        """Start the clock; threads start with the first list."""
        self.started = times.now()
        self.options = Options.of(config)
        self.report = Report()
        self.writer = writer
        self.states = StateWriter(writer, state)
        self._config = config
        self._lanes: dict[str, Lane] = {}
        self._opened: dict[str, Listing] = {}
        self._order: dict[str, int] = {}
        self._left: set[str] = set()
        self._is_closed = False

    def lane(self, stream: AnalyticsStream) -> Lane:
        """Return the lane of a stream's API."""
        api = stream.api
        if api.name not in self._lanes:
            options = self.options
            patience = Patience(options.timeout, options.max_wait, options.policy(api.policy))
            budget = Budget(api.limits(self._config), options.concurrency, api.name)
            client = Client(stream.url_base, budget, patience, options.concurrency)
            self._lanes[api.name] = Lane(api.name, client, options.concurrency)
        return self._lanes[api.name]

    def plan(self, streams: Iterable[AnalyticsStream]) -> None:
        """Take the streams of a whole run, in order, and start to read their first pages."""
        roots = list(streams)
        self._left = {stream.name for stream in roots}
        self._order = {stream.name: number for number, stream in enumerate(roots)}
        for root in roots:
            for stream in root.family:
                self.report.tally(stream.name, stream.api.name)
        for root in roots:
            context = next(iter(root.slices()), None)
            self._opened[root.name] = Listing(root, context, self.priority(root))

    @property
    def is_planned(self) -> bool:
        """Whether this is a whole run, and not a single stream or a dry run."""
        return bool(self._order)

    def priority(self, root: AnalyticsStream) -> tuple[int, ...]:
        """Return the priority of a stream without parent."""
        return (self._order.get(root.name, 0),)

    def take_opened(self, root: AnalyticsStream) -> Listing | None:
        """Return the list that `plan` opened for a stream, once."""
        return self._opened.pop(root.name, None)

    def pause(self) -> float | None:
        """Use a wait for the API to hand over what was written.

        Returns:
            Seconds after which to be called again, if the wait takes longer.
        """
        if not self.writer.holding:
            self.writer.flush()
            return None
        due = self.states.due_in()
        if due > 0:
            return due
        self.states.write()
        return None

    def finished(self, root: AnalyticsStream) -> None:
        """Note that a stream without parent is done; after the last one, close."""
        self._left.discard(root.name)
        if not self._left:
            self.close()

    def close(self) -> None:
        """Write the last state and everything that is still buffered, and end the threads."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()
        if not self._is_closed:
            self._is_closed = True
            self.states.write(last=True)
