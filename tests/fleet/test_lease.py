"""One reader of an account at a time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tap_analytics.fleet.lease import Busy, Holder, Lease, Lost
from tap_analytics.fleet.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 0.8


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path))


def lease(store: Store, fleet: str, account: str = "acme") -> Lease:
    return Lease(store, account, Holder(fleet, f"machine of {fleet}"), SECONDS)


def abandoned(store: Store, fleet: str) -> Lease:
    """Return a lease whose holder died: taken, and renewed no more."""
    held = lease(store, fleet)
    held.__enter__()
    held._ended.set()
    held._renewer.join()
    return held


def test_a_second_fleet_is_told_who_reads_the_account(store: Store) -> None:
    with lease(store, "one"), pytest.raises(Busy, match="machine of one"), lease(store, "two"):
        pass


def test_a_living_holder_is_noticed_before_its_lease_would_pass_on(store: Store) -> None:
    with lease(store, "one"):
        began = time.monotonic()
        with pytest.raises(Busy), lease(store, "two"):
            pass
        assert time.monotonic() - began < SECONDS


def test_what_was_given_back_is_taken_at_once(store: Store) -> None:
    for number in range(5):
        began = time.monotonic()
        with lease(store, f"fleet {number}"):
            assert time.monotonic() - began < SECONDS / 2
    assert len(store.names("leases/acme")) == 1


def test_accounts_do_not_stand_in_each_others_way(store: Store) -> None:
    with lease(store, "one"), lease(store, "two", "globex"):
        pass


def test_the_lease_of_a_dead_fleet_passes_on_in_time(store: Store) -> None:
    abandoned(store, "one")
    began = time.monotonic()
    with lease(store, "two") as taken:
        assert SECONDS <= time.monotonic() - began < 4 * SECONDS
        taken.check()


def test_another_attempt_of_the_same_fleet_ends_the_first_before_it_begins(store: Store) -> None:
    ended = threading.Event()
    with lease(store, "one") as first:
        first.on_loss = ended.set
        with lease(store, "one") as second:
            assert ended.is_set()
            assert second.holder.attempt == 2
            with pytest.raises(Lost):
                first.check()
            second.check()
    with lease(store, "one") as third:
        assert third.holder.attempt == 3


def test_of_many_that_want_a_dead_fleets_lease_one_gets_it(store: Store) -> None:
    abandoned(store, "dead")
    gate = threading.Lock()

    def take(number: int) -> bool:
        try:
            with lease(store, f"fleet {number}") as taken:
                assert gate.acquire(blocking=False)
                time.sleep(2 * SECONDS)
                taken.check()
                gate.release()
                return True
        except Busy:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(take, range(8))).count(True) == 1


def test_a_store_that_fails_for_a_moment_loses_nothing_and_for_long_the_lease(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    with lease(store, "one") as held:
        held.on_loss = ended.set
        write = Store.write

        def fail(*_: object) -> None:
            raise ConnectionError

        monkeypatch.setattr(Store, "write", fail)
        time.sleep(SECONDS / 3)
        monkeypatch.setattr(Store, "write", write)
        time.sleep(SECONDS)
        held.check()
        monkeypatch.setattr(Store, "write", fail)
        assert ended.wait(4 * SECONDS)
        monkeypatch.setattr(Store, "write", write)
        with pytest.raises(Lost):
            held.check()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null"])
def test_a_lease_that_cannot_be_read_is_waited_out(store: Store, content: bytes) -> None:
    store.write("leases/acme/7.json", content)
    with lease(store, "one") as taken:
        taken.check()
    assert store.names("leases/acme") == ["8.json"]
