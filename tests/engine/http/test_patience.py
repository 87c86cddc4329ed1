"""Whatever an API answers: no wait without an end, and no stream that starves for another."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.streams.rest import HTTPRequest

from tap_analytics.engine.errors import ReadError, TransientError
from tap_analytics.engine.http.answers import Answer
from tap_analytics.engine.http.budget import Budget
from tap_analytics.engine.http.client import Client, Patience
from tap_analytics.engine.http.pace import SLOWEST
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.output.report import Tally

MAX_WAIT = 900.0
POLICY = RetryPolicy(statuses=(429,), max_retries=3, factor=2)
LONGEST_BACK_OFF = 2 + 4 + 8
REQUEST = HTTPRequest(url="http://api.example/list", params={}, headers={})

Script = list[tuple[str, tuple[int, dict[str, str]]]]


class World:
    """A client without a network, in a time that passes when it waits.

    Attributes:
        now: The time.
        asked: Requests by stream.
    """

    def __init__(self, policy: RetryPolicy = POLICY) -> None:
        self.now = 1000.0
        self.asked: Counter[str] = Counter()
        self.budget = Budget((), 4, "api", lambda: self.now)
        self.budget._cond.wait = self.sleep  # type: ignore[method-assign]
        self.client = Client("http://api.example", self.budget, _patience(policy), 1)
        self.client._stopped.wait = self.sleep  # type: ignore[method-assign]
        self.tallies: dict[str, Tally] = {}

    def sleep(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert timeout <= MAX_WAIT + LONGEST_BACK_OFF
        self.now += timeout
        return True

    def fetch(self, stream: str, answer: Any) -> bool:
        """Fetch a list whose every request gets this answer, and tell whether it came."""
        tally = self.tallies.setdefault(stream, Tally(stream, "api"))

        def respond(request: HTTPRequest, auth: Any, space: Any, timeout: float) -> Answer:  # noqa: ARG001
            assert request is REQUEST
            self.asked[stream] += 1
            self.now += 0.05
            status, headers = answer()
            if status == 0:
                message = "no answer"
                raise TransientError(message)
            return Answer(status, headers, b"{}")

        self.client._sender.send = respond  # type: ignore[method-assign]
        try:
            self.client.fetch(REQUEST, lambda answer: answer.json(), tally)
        except ReadError:
            return False
        return True


def _patience(policy: RetryPolicy) -> Patience:
    return Patience(60, MAX_WAIT, policy)


def header(seconds: int) -> st.SearchStrategy[dict[str, str]]:
    text = str(seconds)
    return st.sampled_from(
        [
            {"Retry-After": text},
            {"X-RateLimit-Reset": text},
            {"X-RateLimit-Reset": str(int(time.time()) + seconds), "X-RateLimit-Remaining": "0"},
            {"RateLimit-Reset": text, "RateLimit-Remaining": "1", "RateLimit-Limit": "10"},
            {"RateLimit": f'"default";r=0;t={text}'},
        ]
    )


headers: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}), st.integers(0, 5000).flatmap(header)
)
answers = st.tuples(st.sampled_from([200, 200, 200, 429, 429, 429, 500, 503, 0]), headers)
scripts = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), answers), max_size=60)


@given(scripts)
@settings(deadline=None)
def test_every_wait_has_an_end(script: Script) -> None:
    world = World()
    for stream, answer in script:
        before = world.now
        world.fetch(stream, lambda answer=answer: answer)
        rate = world.budget._pace.rate
        assert rate is None or rate >= SLOWEST * 0.999999
        # One wait for others, one's own told waits, and the retries with the pace in between.
        assert world.now - before <= 4 * MAX_WAIT + LONGEST_BACK_OFF + 8 / SLOWEST + 10


@given(
    st.lists(st.sampled_from([(429, {}), (500, {}), (0, {}), (404, {})]), min_size=1, max_size=40),
    st.integers(1, 5),
)
@settings(deadline=None)
def test_healthy_streams_make_progress(bad: list[tuple[int, dict[str, str]]], lists: int) -> None:
    """Beside streams of which nothing ever comes."""
    world = World()
    for _ in range(10):
        assert world.fetch("good", lambda: (200, {}))
    for number, answer in enumerate(bad):
        world.fetch(f"bad {number % lists}", lambda answer=answer: answer)
        before = world.now
        for _ in range(5):
            assert world.fetch("good", lambda: (200, {}))
        assert world.now - before <= LONGEST_BACK_OFF + 5 * 1.0


def test_five_lists_whose_quota_is_spent_end_soon() -> None:
    world = World()
    for _ in range(200):
        assert world.fetch("good", lambda: (200, {}))
    before = world.now
    for number in range(5):
        for _ in range(30):  # as many pages or children as it may have
            assert not world.fetch(f"spent {number}", lambda: (429, {}))
    assert world.now - before < 5 * LONGEST_BACK_OFF + 10
    assert sum(world.asked.values()) == 200 + 5 * 4


def test_an_outage_that_heals_leaves_no_mark() -> None:
    world = World(RetryPolicy(max_retries=30, factor=2, constant=3))
    for _ in range(100):
        assert world.fetch("s", lambda: (200, {}))
    healed = world.now + 70
    assert world.fetch("s", lambda: (429 if world.now < healed else 200, {}))
    assert world.now < healed + 10
    before = world.now
    for _ in range(100):
        assert world.fetch("s", lambda: (200, {}))
    assert world.now - before < 20


@pytest.mark.parametrize("limit", [500, 1000])
def test_an_hours_quota_is_met_without_a_refusal(limit: int) -> None:
    """The wait for the next hour is longer than allowed: the stream ends and says so."""
    world = World()
    reset, left = world.now + 3600, limit

    def answer() -> tuple[int, dict[str, str]]:
        nonlocal left
        assert left > 0
        left -= 1
        seconds = str(int(reset - world.now))
        return 200, {"X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": seconds}

    for _ in range(limit):
        assert world.fetch("s", answer)
    assert not world.fetch("s", answer)
    assert world.asked["s"] == limit
    world.now, left = reset + 2, limit
    for _ in range(10):
        assert world.fetch("s", answer)
