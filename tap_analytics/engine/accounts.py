"""The accounts that one run reads: one whose settings are all there are, or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.api import Api

ACCOUNT = "account"
"""Column that tells whose a row is, where several accounts are read; it is part of the key."""


class Account(Struct, frozen=True):
    """An account of the APIs.

    Attributes:
        name: What the user calls it; None if it is the only one.
        config: All settings that hold for it.
    """

    name: str | None
    config: Mapping[str, Any]

    @property
    def of(self) -> str:
        """Whose something is, to be put behind it in a sentence; empty for the only account."""
        return "" if self.name is None else f" of account '{self.name}'"

    def has(self, api: type[Api]) -> bool:
        """Tell whether the streams of an API are read for it; a single account has them all."""
        return self.name is None or api.is_on(self.config)


def accounts(config: Mapping[str, Any]) -> tuple[Account, ...]:
    """Return the accounts of a valid configuration, in order.

    What an account does not say comes from the settings around it.
    """
    if not config.get("accounts"):
        return (Account(None, config),)
    return tuple(
        Account(own["name"], {**config, **{k: v for k, v in own.items() if k != "name"}})
        for own in config["accounts"]
    )
