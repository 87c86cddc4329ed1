"""A unit of work, one account, as it is sent to a worker, and as its outcome comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

COMPLETE = "complete"
FAILED = "failed"
"""Not all of it was read, or nothing."""
BUSY = "busy"
"""Another fleet is reading the account."""
INTERRUPTED = "interrupted"
MISCONFIGURED = 2
"""Exit status of a tap, and of a fleet, that was given what it cannot use."""


@dataclass(frozen=True, repr=False, eq=False)
class Unit:
    """One account to read into the target.

    Dask logs and displays what a task is given, so all that is shown of it is the account's name.

    Attributes:
        fleet: Id of the run of the fleet.
        account: The account's name.
        settings: The tap's settings for this account alone.
        target: The target's command line.
        store: URL of the shared place.
        catalog: The file of the catalog in the store, which is too large to travel with each
            unit; None for all streams.
        lease_seconds: How long without a sign of life before the account passes on.
        limit: Seconds after which the account is told to end.
        patience: Seconds to wait for its end then, before it is killed.
        is_schema_only: Whether the target is only told which tables there are to be.
    """

    fleet: str
    account: str
    settings: dict[str, Any]
    target: tuple[str, ...]
    store: str
    catalog: str | None = None
    lease_seconds: float = 30.0
    limit: float = 86_400.0
    patience: float = 60.0
    is_schema_only: bool = False

    def __repr__(self) -> str:
        """Show no settings."""
        return f"<account {self.account}>"

    @property
    def state_name(self) -> str:
        """The file of its state in the store."""
        return f"states/{self.account}.json"

    @property
    def log_name(self) -> str:
        """The file of its last log in the store."""
        return f"logs/{self.account}.log"


@dataclass(frozen=True)
class Outcome:
    """What became of a unit.

    Attributes:
        account: The account's name.
        status: ``complete``, ``failed``, ``busy`` or ``interrupted``.
        reason: Why, if it is not complete; what to know of it, if it is.
        records: Records that the tap wrote, if the target took all of it.
        seconds: How long the last attempt took.
        attempts: How often it was begun.
        worker: Where it was read, in words.
        tap_status: Exit status of the tap, negative if a signal ended it.
        target_status: Exit status of the target.
        streams: The streams' part of the tap's report.
    """

    account: str
    status: str
    reason: str | None = None
    records: int = 0
    seconds: float = 0.0
    attempts: int = 0
    worker: str | None = None
    tap_status: int | None = None
    target_status: int | None = None
    streams: list[dict[str, Any]] = field(default_factory=list)


class Unfinished(Exception):
    """The programs broke off in a way that another attempt may mend.

    Attributes:
        outcome: What is known about it.
    """

    def __init__(self, outcome: Outcome) -> None:
        """Take what is known."""
        super().__init__(outcome)
        self.outcome = outcome

    def __repr__(self) -> str:
        """Say why."""
        return f"{self.outcome.account}: {self.outcome.reason}"

    __str__ = __repr__
