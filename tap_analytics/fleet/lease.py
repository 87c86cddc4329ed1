"""Who may read an account: one at a time, whatever dies.

A lease is a numbered file; the highest number holds. To take it is to create the next number,
which only one of several can. Its holder rewrites the file now and then. Who waits for it
watches for that with a clock of its own, so the clocks of machines need not agree.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from tap_analytics.fleet.store import Store

_BEATS = 4
"""How often a lease is renewed within the time after which it would pass on."""


class Busy(Exception):
    """Somebody else holds the lease, and is alive."""


class Lost(Exception):
    """The lease has passed on, or cannot be renewed any more."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lease.

    Attributes:
        fleet: Id of the fleet's run.
        place: Where, in words.
        attempt: Which attempt of that fleet it is, from 1.
    """

    fleet: str
    place: str
    attempt: int = 1


class Lease:
    """The right to read an account, renewed by a thread until it is given back."""

    def __init__(self, store: Store, account: str, holder: Holder, seconds: float) -> None:
        """Ask for a lease, which entering a `with` block takes.

        Args:
            store: Where leases are.
            account: Name of the account.
            holder: Who wants it; the attempt is counted here.
            seconds: How long without a sign of life before a lease passes on.
        """
        self._store = store
        self._folder = f"leases/{account}"
        self.holder = holder
        self._seconds = seconds
        self._number = 0
        self._beat = 0
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self.lost = False
        self.on_loss: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        """Take the lease, waiting out a holder that gives no sign of life.

        An earlier attempt of the same fleet may still run where Dask lost sight of it; it sees
        that the lease has passed on, ends, and says so by removing its file.

        Raises:
            Busy: Its holder is alive, or somebody was faster.
        """
        number, content = self._highest()
        before = _read(content)
        is_ours = before.get("fleet") == self.holder.fleet
        if is_ours:
            attempt = int(before.get("attempt", 0)) + 1
            self.holder = Holder(self.holder.fleet, self.holder.place, attempt)
        is_alive = self._is_alive(number, content)
        if is_alive and not is_ours:
            raise Busy(_who(before))
        self._number = number + 1
        if not self._store.create(self._name(self._number), self._content()):
            raise Busy(_who(_read(self._highest()[1])))
        highest, content = self._highest()
        if highest != self._number:
            self._store.remove(self._name(self._number))
            raise Busy(_who(_read(content)))
        if is_alive:
            self._wait(lambda: self._store.read(self._name(number)) is None)
        for name in self._store.names(self._folder):
            if _number(name) < self._number:
                self._store.remove(f"{self._folder}/{name}")
        self._renewer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lease back, if it is still ours."""
        self._ended.set()
        self._renewer.join()
        if not self.lost and self._is_ours():
            self._store.write(self._name(self._number), self._content(released=True))

    def check(self) -> None:
        """Make sure that the lease is still ours.

        Raises:
            Lost: It is not.
        """
        if self.lost or not self._is_ours():
            text = "the lease of the account has passed on to another worker"
            raise Lost(text)

    def _is_alive(self, number: int, content: bytes | None) -> bool:
        """Whether the lease is held by somebody who renews it; that takes a while to see."""
        if content is None or _read(content).get("released"):
            return False
        self._wait(lambda: self._highest() != (number, content))
        now, seen = self._highest()
        return (now, seen) != (number, content) and not _read(seen).get("released")

    def _wait(self, is_over: Callable[[], bool]) -> None:
        """Wait until it is over, or for as long as a lease lasts without a sign of life."""
        deadline = time.monotonic() + self._seconds
        while not is_over() and time.monotonic() < deadline:
            time.sleep(min(1.0, self._seconds / _BEATS / 2))

    def _renew(self) -> None:
        pause = self._seconds / _BEATS
        renewed = time.monotonic()
        while not self._ended.wait(pause):
            try:
                if not self._is_ours():
                    break
                self._beat += 1
                self._store.write(self._name(self._number), self._content())
            except Exception:  # noqa: BLE001 - of whatever store: try again while there is time
                if time.monotonic() - renewed > self._seconds - 2 * pause:
                    break
            else:
                renewed = time.monotonic()
        if not self._ended.is_set():
            self.lost = True
            self.on_loss()
            with suppress(Exception):
                self._store.remove(self._name(self._number))

    def _is_ours(self) -> bool:
        return self._highest()[0] == self._number

    def _highest(self) -> tuple[int, bytes | None]:
        """Return the number of the newest lease and what it says."""
        names = self._store.names(self._folder)
        if not names:
            return 0, None
        newest = max(names, key=_number)
        return _number(newest), self._store.read(f"{self._folder}/{newest}")

    def _name(self, number: int) -> str:
        return f"{self._folder}/{number}.json"

    def _content(self, *, released: bool = False) -> bytes:
        return json.dumps(
            {
                "fleet": self.holder.fleet,
                "place": self.holder.place,
                "attempt": self.holder.attempt,
                "beat": self._beat,
                "released": released,
            }
        ).encode()


def _number(name: str) -> int:
    stem = name.removesuffix(".json")
    return int(stem) if stem.isdecimal() else 0


def _read(content: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _who(lease: dict[str, Any]) -> str:
    place = lease.get("place", "somewhere else")
    return f"is being read by another fleet ({place})"
