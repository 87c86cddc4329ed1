"""One stream being read in one run: what it wants, how far it got, what became of it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_analytics.engine.errors import Denied, Gone, ReadError
from tap_analytics.engine.output.report import DENIED, FAILED
from tap_analytics.engine.run.bookmarks import Bookmark, ChildBookmark
from tap_analytics.engine.run.carried import Carried
from tap_analytics.engine.run.rows import RowMaker
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import FIRST, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.engine.output.report import Report, Tally
    from tap_analytics.engine.pages.lane import Lane
    from tap_analytics.engine.run.access import Access
    from tap_analytics.engine.run.outlet import Outlet
    from tap_analytics.engine.run.relay import Relay
    from tap_analytics.engine.stream import AnalyticsStream

_REFUSALS_IN_A_ROW = 10
_SECOND = 1_000_000


class Reading:
    """A stream that is read for one account, with the readings of the streams below it.

    Attributes:
        stream: What is read, with the settings of the account.
        access: For whom, and how it reaches the API.
        outlet: Where rows and bookmarks go.
        parent: The reading it is below, if any.
        children: The readings below it.
        tally: Where requests and records are counted.
        entry: Its part of the state.
        carried: Which fields its rows carry.
        bookmark: How far it was read; None if every run reads it in full.
        window: Which replication keys are wanted.
        is_full: Whether this run reads all rows, of this stream and of those above it.
        version: What its records carry for ACTIVATE_VERSION, if anything.
        is_closed: Whether the API refused its lists so often that no more are asked for.
    """

    def __init__(
        self,
        stream: AnalyticsStream,
        access: Access,
        outlet: Outlet | Relay,
        report: Report,
        parent: Reading | None = None,
    ) -> None:
        """Look at the state; a reading without parent decides for all below it."""
        self.stream = stream if access.name is None else stream.for_account(access.config)
        self.access = access
        self.outlet: Outlet | Relay = outlet
        self.parent = parent
        self.tally: Tally = report.tally(stream.name, stream.api.name, access.name)
        self.entry = outlet.entry(stream.name, access.name)
        self.carried = Carried()
        self.tally.follow(lambda: self.entry.read().get("replication_key_value"))
        self.is_closed = False
        self.is_full = False
        self.version: int | None = None
        self._in_order: bool | None = None
        self._is_narrowed = False
        self._lists = 0
        self._successes = 0
        self._gone = 0
        self._is_suspicious = False
        self._refusals = 0
        self.children = [Reading(one, access, outlet, report, self) for one in self.stream.children]
        self.bookmark = self._open_bookmark()
        self.window = Window()
        self.row_maker: RowMaker
        if parent is None:
            self.decide()

    @property
    def name(self) -> str:
        """The stream's name."""
        return self.stream.name

    @property
    def lane(self) -> Lane:
        """Where its pages are fetched."""
        return self.access.lane(self.stream)

    @property
    def is_wanted(self) -> bool:
        """Whether its rows leave, and not only those below it."""
        is_outside = self.access.options.backfill and self.stream.window_key is None
        return bool(self.stream.selected) and not is_outside

    @property
    def family(self) -> Iterable[Reading]:
        """The reading itself and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.family

    # What it wants

    def _open_bookmark(self) -> Bookmark | ChildBookmark | None:
        stream = self.stream
        if stream.window_key is None or stream.cursor is None:
            return None
        bookmark = Bookmark(self.entry, stream.window_key, stream.cursor, times.now())
        if self.parent is not None:
            return ChildBookmark(self.entry, bookmark)
        if stream.child_streams:
            bookmark.cover([one.name for one in self.family if one.stream.selected])
        if bookmark.trouble:
            self.tally.note(bookmark.trouble)
        return bookmark

    def decide(self) -> None:
        """Decide, parents first, what is read in full and from where on the rest is."""
        self.is_full = self._reads_all() and (self.parent is None or self.parent.is_full)
        self.version = self._chosen_version()
        self.window = self._wanted()
        self.row_maker = self._new_row_maker()
        for child in self.children:
            child.decide()

    def _reads_all(self) -> bool:
        return self.stream.window_key is None or (
            self.access.options.reads_open_end and any(one.asks_for_all for one in self.family)
        )

    @property
    def asks_for_all(self) -> bool:
        """Whether it has to be read in full, with those above it."""
        stream = self.stream
        return (stream.window_key is not None and self.is_due) or (
            stream.of_every_parent and bool(stream.selected)
        )

    @property
    def is_due(self) -> bool:
        """Whether it is time to read in full what is else read incrementally."""
        every = self.access.options.full_read_every
        if every is None:
            return False
        last = self.entry.read().get("full_read")
        try:
            return times.now() - times.micros(str(last)) >= every
        except ValueError:
            return True

    def _chosen_version(self) -> int | None:
        options = self.access.options
        if not options.activate_versions or self.stream.append_only:
            return None
        if self.stream.asks_by_days and not options.reads_open_end:
            return None
        last = self.entry.read().get("version")
        last = last if type(last) is int else None
        if self.is_full:
            return max(times.now() // _SECOND, 0 if last is None else last + 1)
        return last if options.full_read_every is not None else None

    def _wanted(self) -> Window:
        options = self.access.options
        window = Window(options.since, options.until)
        if self.stream.window_key is None:
            return window
        if not isinstance(self.bookmark, Bookmark) or self.is_full or options.backfill:
            return window
        return self._starting_at(self.bookmark.since)

    def _starting_at(self, since: int | None) -> Window:
        """Return what is wanted from a bookmark on, and from so long before it as is declared."""
        options = self.access.options
        if since is None:
            return Window(options.since, options.until)
        return Window(max(options.since, since - self.lookback), options.until)

    @property
    def lookback(self) -> int:
        """How far before its bookmark it starts, in microseconds."""
        chosen = self.access.options.lookback
        return int(self.stream.lookback_days * times.DAY) if chosen is None else chosen

    @property
    def is_proven(self) -> bool:
        """Whether a list may be left where only older rows follow: it was in order before."""
        if self.is_full or self.access.options.backfill:
            return False
        is_new = isinstance(self.bookmark, ChildBookmark) and not self._is_narrowed
        return not is_new and "in_order" in self.entry.read()

    def prove_order(self, *, in_order: bool) -> None:
        """Note whether a list was in order, as far as it was read."""
        self._in_order = in_order and self._in_order is not False
        if not in_order and self.is_proven:
            self.tally.note("its list is not in the order of its changes any more: read to its end")

    def narrow(self, census: str | None) -> None:
        """Start at the bookmark of a child, if its parents are the same as last time.

        Args:
            census: A digest of today's parents.
        """
        if isinstance(self.bookmark, ChildBookmark):
            since = self.bookmark.since(census)
            if since is not None and not (self.is_full or self.access.options.backfill):
                self.window = self._starting_at(since)
                self._is_narrowed = True

    def _new_row_maker(self) -> RowMaker:
        return RowMaker(
            self.stream,
            self.tally,
            version=self.version,
            context=self.access.row_context,
            is_wanted=self.is_wanted,
        )

    # What became of it

    def meet(self) -> None:
        """Note that a parent's row led to a list of this stream."""
        self._lists += 1

    def succeed(self) -> None:
        """Note that a list was read."""
        self._successes += 1

    def miss(self, error: Gone) -> None:
        """Note that a parent is gone, so that its list cannot be read."""
        self._gone += 1
        self.tally.skip(str(error))
        if isinstance(self.bookmark, ChildBookmark):
            self.bookmark.miss()

    @property
    def is_in_doubt(self) -> bool:
        """Whether all lists so far were gone, which is no proof that their parents are."""
        return bool(self._gone) and not self._successes

    def fail(self, error: Exception) -> None:
        """Note a failure; where too many lists in a row are refused, ask for no more."""
        stream = self.stream
        if isinstance(error, Denied) or (isinstance(error, Gone) and self.parent is None):
            self._refusals += 1
            self.is_closed = self._refusals >= _REFUSALS_IN_A_ROW and not self._successes
            helps, self.tally.may_be_left_out = stream.api.refusal_help(error.status)
            self.tally.fail(DENIED, f"{error}; {helps}" if helps else str(error))
        elif isinstance(error, ReadError):
            self.tally.fail(FAILED, str(error))
        elif isinstance(error, MemoryError):
            lower = f"a smaller '{stream.api.name}_page_size' or 'max_concurrency' needs less"
            self.tally.fail(FAILED, f"no memory is left for it: {lower}")
        else:
            stream.logger.error("Unexpected failure of '%s'", self.name, exc_info=error)
            self.tally.fail(FAILED, f"unexpected {type(error).__name__}: {error}")

    def finish(self) -> None:
        """Say what became of it, and move a child's bookmark if all of it was read."""
        tally, conformer = self.tally, self.stream.conformer
        self._judge()
        for what, counts in (
            ("fields outside the schema", conformer.unknown),
            ("values of another type", conformer.changed),
        ):
            if counts:
                tally.drifted(what, [f"{name} ({count})" for name, count in counts.most_common()])
        conformer.forget_drift()
        tally.complete()
        with self.stream.get_record_counter() as counter:
            counter.increment(tally.records)
        if not tally.is_complete:
            return
        if isinstance(self.bookmark, ChildBookmark):
            self.bookmark.commit()
        if self._in_order is not None and self.entry.read().get("in_order") != self._in_order:
            self.entry.write(in_order=self._in_order or None)
        if self.is_full and self.stream.window_key and self.access.options.full_read_every:
            self.entry.write(full_read=times.iso(times.now()))

    def _judge(self) -> None:
        """Note why what was read cannot be all, apart from lists that failed."""
        tally = self.tally
        if self.row_maker.refused:
            tally.fail(FAILED, f"{self.row_maker.refused} rows without a key were refused")
        if self.is_in_doubt:
            self._lack()
        if self.parent is not None and self.parent.tally.reasons and not tally.reasons:
            self._miss_lists(self.parent)
        if not tally.reasons and (verdict := self.stream.verdict(self._lists)):
            tally.fail(FAILED, verdict)

    def _miss_lists(self, parent: Reading) -> None:
        """Note that lists may be missing, for rows that lead to them are."""
        status = DENIED if parent.tally.status == DENIED else FAILED
        what = "was refused" if status == DENIED else "failed"
        self.tally.may_be_left_out = parent.tally.may_be_left_out
        self.tally.fail(status, f"{parent.name}, which it is read below, {what}")

    def _lack(self) -> None:
        """Note that no list below any parent is there: the parents are, so the lists are not."""
        helps, self.tally.may_be_left_out = self.stream.api.refusal_help(HTTPStatus.NOT_FOUND)
        absent = f"none of its {self._gone} lists is there"
        self.tally.fail(DENIED if helps else FAILED, f"{absent}; {helps}" if helps else absent)

    def suspect(self, why: str) -> None:
        """Note that an empty list may be no proof that there is nothing."""
        self._is_suspicious = True
        self.tally.note(why)

    @property
    def saw_all(self) -> bool:
        """Whether all rows came that there are, and not only those from a bookmark on."""
        return self.tally.is_complete and (self.is_full or self.starts_over)

    @property
    def starts_over(self) -> bool:
        """Whether no bookmark leaves anything out, of this stream or one above it."""
        if self.parent is None:
            return not isinstance(self.bookmark, Bookmark) or self.bookmark.since is None
        return self.tally.bookmark_before is None and self.parent.starts_over

    def may_activate(self) -> bool:
        """Tell whether targets may remove rows that carry an older version than this run's."""
        if self._is_suspicious:
            return False
        if not (self.version and self.is_full and self.is_wanted and self.tally.is_complete):
            return False
        if self._starts_later():
            self.tally.note("ACTIVATE_VERSION withheld: start_date was earlier last time")
            return False
        before, now = self.entry.read().get("rows", 0), self._rows
        before = before if type(before) is int else 0
        if now < before * (1 - self.access.options.max_lost_share) or (before and not now):
            self.tally.note(f"ACTIVATE_VERSION withheld: {now} rows, {before} last time")
            return False
        return True

    @property
    def _rows(self) -> int:
        """How many rows it has, those that were written again left out."""
        return self.tally.records - self.tally.again

    @property
    def first(self) -> str | None:
        """The start date that keeps older rows out, of this stream or one above it."""
        above = self.parent.first if self.parent else None
        since = self.window.since if self.stream.window_key else FIRST
        return above if since == FIRST else max(above or "", times.iso(since))

    def _starts_later(self) -> bool:
        """Whether rows were sent once that are older than all that this run reads."""
        entry = self.entry.read()
        return "version" in entry and (self.first or "") > str(entry.get("since") or "")

    def hand_over(self, outlet: Outlet) -> None:
        """Let what is said after the end of the reading go to another outlet."""
        for one in self.family:
            one.outlet = outlet
            one.entry = outlet.entry(one.name, one.access.name)

    def activated(self) -> None:
        """Remember the version, and how many rows it has."""
        self.entry.write(rows=self._rows, version=self.version, since=self.first)
