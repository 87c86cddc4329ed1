"""A server of any mood against a reader: never "complete" with a row missing.

Requests are answered as of the moment they are sent, and come back in any order. What fails
is sent once more, later. Rows are added, or taken away, between any two requests.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tap_analytics.engine.errors import ListChanged, ReadError
from tap_analytics.engine.pages.judge import Outline
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.pagination import Offsets, PageNumbers, Paginator, Signals, Totals
from tap_analytics.engine.pages.reader import ListReader, Stock
from tap_analytics.engine.run.listing import Check
from tests.engine.doubles import Source

if TYPE_CHECKING:
    from tap_analytics.engine.stream import AnalyticsStream

MOST_EVENTS = 3000
STREAM = cast(
    "AnalyticsStream", SimpleNamespace(primary_keys=("id",), may_repeat=False, path="/rows")
)


@dataclass
class Mood:
    """How a server behaves."""

    totals: str
    more: bool
    end: str
    cap: int
    moves: str
    failing: float
    restless: float
    most_moves: int


@dataclass
class Model:
    """A list that changes, and what it has answered."""

    mood: Mood
    paginator: Paginator
    chance: random.Random
    rows: list[int]
    clock: float = 100.0
    moved: int = 0
    gone: set[int] = field(default_factory=set)

    def move(self) -> None:
        """Perhaps add or take away a row."""
        if self.moved >= self.mood.most_moves or self.chance.random() > self.mood.restless:
            return
        self.moved += 1
        place = {"front": 0, "end": len(self.rows)}.get(
            self.mood.moves, self.chance.randrange(len(self.rows) + 1)
        )
        if self.mood.moves != "deletes":
            self.rows.insert(place, 1000 + self.moved)
        elif self.rows:
            self.gone.add(self.rows.pop(place % len(self.rows)))

    def answer(self, token: int) -> Page | Exception:
        """Answer a request for a page as the list is now."""
        self.clock += 1.0
        size = min(self.mood.cap, self.paginator.page_size)
        by_row = isinstance(self.paginator, Offsets)
        start = token if by_row else (token - 1) * size
        last = max(len(self.rows) - 1, 0) // size * size
        if start > last and self.mood.end.isdigit():
            error = ReadError(f"answered {self.mood.end}")
            error.status = int(self.mood.end)
            return error
        if start > last and self.mood.end == "repeat":
            start = last
        rows = self.rows[start : start + size]
        total = {"right": len(self.rows), "page": len(rows), "wrong": len(self.rows) + 2}
        signals = Signals(
            total=total.get(self.mood.totals),
            more=start + size < len(self.rows) if self.mood.more else None,
        )
        records = [{"id": row} for row in rows]
        return Page(
            records,
            signals,
            hash(tuple(rows)),
            10 + len(rows),
            "2026-01-01T00:00:00Z",
            asked_at=self.clock,
            answered_at=self.clock,
        )


def read_once(model: Model, concurrency: int, earlier: Outline | None) -> tuple[set[int], Outline]:
    """Read the list; return its rows and outline, or raise what is wrong with it."""
    window = concurrency - 1 if earlier is None else 0
    stock = Stock()
    reader = ListReader((0,), Source(paginator=model.paginator), window, earlier, stock)
    check = Check(STREAM, earlier)
    flying: list[tuple[int, int, int, Page | Exception | None]] = []
    seen: set[int] = set()
    try:
        for _ in range(MOST_EVENTS):
            while (got := reader.pop()) is not None:
                if isinstance(got, Exception):
                    raise got
                check.ledger.add([(row["id"],) for row in got.records])
                check.see(got)
                seen |= {row["id"] for row in got.records}
            assert stock.pages == len(reader._arrived)
            assert stock.size == sum(
                got.size for got in reader._arrived.values() if isinstance(got, Page)
            )
            if reader.is_drained():
                break
            assert not reader.is_stuck
            model.move()
            if len(flying) < concurrency and (taken := reader.take()) is not None:
                fails = model.chance.random() < model.mood.failing
                flying.append((reader.epoch, *taken, None if fails else model.answer(taken[1])))
                continue
            place = model.chance.randrange(len(flying))
            epoch, index, token, result = flying[place]
            if result is None:
                flying[place] = (epoch, index, token, model.answer(token))
                continue
            del flying[place]
            if epoch == reader.epoch:
                reader.deliver(index, result)
        assert reader.is_drained()
        change = check.result(reader.judge)
    except ListChanged as error:
        change = error
    judge = reader.judge
    if change is not None:
        change.outline = judge.outline or Outline(tuple(judge.fingerprints), judge.total)  # type: ignore[attr-defined]
        raise change
    return seen, Outline((), 0)


MOODS = st.builds(
    Mood,
    totals=st.sampled_from(["right", "none", "page", "wrong"]),
    more=st.booleans(),
    end=st.sampled_from(["empty", "repeat", "400", "404"]),
    cap=st.sampled_from([1, 2, 3, 9]),
    moves=st.sampled_from(["front", "middle", "end", "deletes"]),
    failing=st.sampled_from([0.0, 0.2, 0.5]),
    restless=st.sampled_from([0.0, 0.05, 0.3]),
    most_moves=st.sampled_from([0, 1, 3, 20]),
)


@settings(max_examples=400, deadline=None)
@given(
    MOODS,
    st.sampled_from([PageNumbers, Offsets]),
    st.sampled_from([1, 8]),
    st.integers(0, 14),
    st.sampled_from(list(Totals)),
    st.integers(0, 2**32),
)
def test_no_list_is_complete_with_a_row_missing(  # noqa: PLR0913, PLR0917
    mood: Mood,
    kind: type[Paginator],
    concurrency: int,
    count: int,
    worth: Totals,
    seed: int,
) -> None:
    guarded = mood.totals == "right" and worth is not Totals.HINT
    if mood.moves == "deletes" and not guarded:
        mood.most_moves = 0  # nobody can notice these, not even one page after the other
    if mood.end == "repeat":  # by more rows, twice between two pages, nobody can tell the end
        mood.most_moves = min(mood.most_moves, 2 * min(mood.cap, 3) - 1)
    if mood.totals == "page":
        mood.cap = 9  # a page that is not full is taken at its word

    class Dialect(kind):  # type: ignore[valid-type, misc]
        size = 3
        totals = worth
        past_end = frozenset({400, 404})
        repeat_ends = mood.end == "repeat"

    assert_sound(Model(mood, Dialect(), random.Random(seed), list(range(count))), concurrency)  # noqa: S311


@settings(max_examples=200, deadline=None)
@given(st.integers(7, 11), st.sampled_from(["front", "middle"]), st.integers(0, 2**32))
def test_what_is_asked_for_again_is_not_judged_beside_what_came_before(
    count: int, moves: str, seed: int
) -> None:
    mood = Mood("none", False, "empty", 3, moves, 0.4, 0.4, 1)  # noqa: FBT003

    class Threes(PageNumbers):
        size = 3

    assert_sound(Model(mood, Threes(), random.Random(seed), list(range(count))), 8)  # noqa: S311


def assert_sound(model: Model, concurrency: int) -> None:
    """Read a list up to twice, as `Listing` does, and make sure that it is whole or fails."""
    mood = model.mood
    earlier: Outline | None = None
    for attempt in range(2):
        stable = set(model.rows)
        try:
            seen, _ = read_once(model, concurrency, earlier)
        except ListChanged as change:
            earlier = cast("Any", change).outline
            if attempt:
                event("failed")
                assert model.moved or mood.totals in {"page", "wrong"}
        except ReadError:
            event("failed at once")
            assert model.moved or mood.totals in {"page", "wrong"}
            return
        else:
            event("complete")
            assert stable - model.gone <= seen
            return
