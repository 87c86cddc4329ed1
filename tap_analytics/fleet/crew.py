"""The units of a run, handed to Dask: it places them, tries them again and has the machines."""

from __future__ import annotations

import queue
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from distributed.scheduler import KilledWorker

from tap_analytics.fleet.plan import PlanError
from tap_analytics.fleet.unit import (
    BUSY,
    COMPLETE,
    FAILED,
    INTERRUPTED,
    MISCONFIGURED,
    Outcome,
    Unfinished,
)
from tap_analytics.fleet.work import halt, read_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from distributed import Client, Future

    from tap_analytics.fleet.show import Show
    from tap_analytics.fleet.tables import Tables
    from tap_analytics.fleet.told import Told
    from tap_analytics.fleet.unit import Unit

_TICK_SECONDS = 0.2
_LOOK_SECONDS = 1.0
_HALT_SECONDS = 2.0
_MARGIN_SECONDS = 10.0
"""For a worker to say that it had to kill what would not end."""


@dataclass(frozen=True)
class Limits:
    """How long and how often a run tries.

    Attributes:
        retries: How often an account is tried again whose programs broke off.
        patience: Seconds to go on without a worker, and that units have to end when told to.
    """

    retries: int
    patience: float


class Crew:
    """One run over units."""

    def __init__(
        self,
        client: Client,
        units: Sequence[Unit],
        limits: Limits,
        told: Told,
        shown: Show,
    ) -> None:
        """Prepare a run.

        Args:
            client: Dask's client.
            units: The units.
            limits: How long and how often to try.
            told: Whether the run was told to end.
            shown: Where to say how it goes.
        """
        self._client = client
        self._units = units
        self._limits = limits
        self._told = told
        self._shown = shown
        self._names = {unit.account for unit in units}
        self._open: dict[str, Unit] = {}
        self._lost: list[Unit] = []
        self._rounds = 0
        self._futures: list[Future[Outcome]] = []
        self._done: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
        self.outcomes: dict[str, Outcome] = {}
        self.has_given_up = False

    def run(self, tables: Tables | None) -> list[Outcome]:
        """Read all units; returns their outcomes in the units' order.

        Args:
            tables: What makes the tables ahead. None if accounts share none.
        """
        obstacle = self._make(tables) if tables and not tables.are_made else None
        if obstacle:
            for unit in self._units:
                self._note(replace(obstacle, account=unit.account))
        else:
            self._submit(self._units)
            self._follow()
        return [
            self.outcomes.get(unit.account)
            or Outcome(unit.account, INTERRUPTED, reason="not begun")
            for unit in self._units
        ]

    def _make(self, tables: Tables) -> Outcome | None:
        """Make tables, or let another fleet do so; returns what is in the way, if anything."""
        deadline = time.monotonic() + self._limits.patience
        while not tables.are_made:
            self._submit([tables.unit])
            self._follow()
            outcome = self.outcomes.pop(tables.unit.account, None)
            if outcome is None:
                return None
            if outcome.tap_status == MISCONFIGURED:
                raise PlanError([str(outcome.reason)])
            if outcome.status == COMPLETE:
                tables.note()
            elif outcome.status != BUSY or time.monotonic() > deadline:
                return replace(outcome, reason=f"tables cannot be made: {outcome.reason}")
        return None

    def _submit(self, units: Iterable[Unit]) -> None:
        for unit in units if self._told.status is None else ():
            self._rounds += 1
            key = f"{unit.account}-{unit.fleet}-{self._rounds}"
            future = self._client.submit(
                read_account, unit, key=key, retries=self._limits.retries, pure=False
            )
            self._open[key] = unit
            self._futures.append(future)  # Dask forgets what nobody holds
            future.add_done_callback(self._done.put)

    def _follow(self) -> None:
        """Take the outcomes of all that is open, as they come."""
        alive_at = time.monotonic()
        halted_at: float | None = None
        halt_again_at = look_again_at = 0.0
        while self._open or self._lost:
            with suppress(queue.Empty):
                self._take(self._done.get(timeout=_TICK_SECONDS))
            now = time.monotonic()
            if now > look_again_at and self._has_workers():
                alive_at, look_again_at = now, now + _LOOK_SECONDS
                lost, self._lost = self._lost, []
                self._submit(lost)
            if self._told.status is not None:
                halted_at = halted_at or now
                if now > halt_again_at and self._client.status == "running":
                    # Again and again, for workers that come meanwhile.
                    self._client.run(halt, self._fleet, on_error="ignore")
                    halt_again_at = now + _HALT_SECONDS
            if halted_at is not None and now - halted_at > self._limits.patience + _MARGIN_SECONDS:
                self._give_up(INTERRUPTED, "did not end in time")
            elif now - alive_at > self._limits.patience:
                self._give_up(FAILED, f"no worker for {self._limits.patience:.0f} s")
            elif self._client.status == "closed":
                self._give_up(FAILED, "the scheduler was lost")
            self._shown.tick(len(self._open))

    @property
    def _fleet(self) -> str:
        return self._units[0].fleet

    def _has_workers(self) -> bool:
        return self._client.status == "running" and bool(
            self._client.scheduler_info().get("workers")
        )

    def _take(self, future: Future[Outcome]) -> None:
        unit = self._open.pop(str(future.key), None)
        if unit is None:
            return
        if future.status == "finished":
            self._note(future.result())
        elif future.status == "error":
            self._note(_of_error(unit, future.exception(), self._limits.retries))
        else:  # the scheduler forgot it: it was restarted
            self._lost.append(unit)

    def _give_up(self, status: str, reason: str) -> None:
        self.has_given_up = True
        for unit in (*self._open.values(), *self._lost):
            text = f"{reason}; the next run goes on from the account's state"
            self._note(Outcome(unit.account, status, reason=text))
        self._open.clear()
        self._lost.clear()

    def _note(self, outcome: Outcome) -> None:
        self.outcomes[outcome.account] = outcome
        if outcome.account in self._names:
            self._shown.outcome(outcome)


def _of_error(unit: Unit, error: BaseException | None, retries: int) -> Outcome:
    """Return the outcome of a unit that Dask has given up."""
    if isinstance(error, Unfinished):
        tried = f" ({retries + 1} attempts)" if retries else ""
        return replace(error.outcome, reason=f"{error.outcome.reason}{tried}")
    if isinstance(error, KilledWorker):
        reason = "each worker that read it died: out of memory, perhaps"
    else:
        reason = f"its worker failed: {type(error).__name__}: {error}"
    return Outcome(unit.account, FAILED, reason=reason)
