"""How a run reaches the APIs of one account: its options, and the lanes that fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.http.budget import Budget
from tap_analytics.engine.http.client import Client, Patience
from tap_analytics.engine.pages.lane import Lane
from tap_analytics.engine.run.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.accounts import Account
    from tap_analytics.engine.stream import AnalyticsStream


_MEMORY = 32 * 1024 * 1024
_LANES = 5


class Access:
    """The way of one run to the APIs of one account.

    Attributes:
        account: The account.
        name: Its name, None if it is the only one.
        config: The settings that hold for it.
        options: The same, read.
        memory: Bytes that it may keep of what was fetched, and as many of what is put in order.
    """

    def __init__(self, account: Account, sharers: int = 1) -> None:
        """Read the settings; threads start with the first list.

        Args:
            account: The account.
            sharers: How many accounts share the memory of the process.
        """
        self.memory = _MEMORY // sharers
        self.account = account
        self.name = account.name
        self.config = account.config
        self.options = Options.of(account.config)
        self._lanes: dict[str, Lane] = {}

    @property
    def row_context(self) -> dict[str, Any]:
        """What every row of the account carries."""
        return {} if self.name is None else {"account": self.name}

    def lane(self, stream: AnalyticsStream) -> Lane:
        """Return the lane of a stream's API."""
        api = stream.api
        if api.name not in self._lanes:
            options = self.options
            patience = Patience(options.timeout, options.max_wait, options.policy(api.policy))
            who = api.name if self.name is None else f"{api.name} of {self.name}"
            budget = Budget(api.limits(self.config), options.concurrency, who)
            client = Client(stream.url_base, budget, patience, options.concurrency)
            name = api.name if self.name is None else f"{api.name} of {self.name}"
            self._lanes[api.name] = Lane(
                name, client, options.concurrency, bytes_ahead=self.memory // _LANES
            )
        return self._lanes[api.name]

    def close(self) -> None:
        """End the threads."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()


def accesses(config: Mapping[str, Any]) -> list[Access]:
    """Return the ways to the APIs of all accounts of a configuration, in their order."""
    every = accounts(config)
    return [Access(account, len(every)) for account in every]
