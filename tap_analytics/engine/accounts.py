"""The accounts that one run reads: one whose settings are all there are, or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Account:
    """An account of the APIs.

    Attributes:
        name: What the user calls it; None if it is the only one.
        config: All settings that hold for it.
    """

    name: str | None
    config: Mapping[str, Any]


def accounts(config: Mapping[str, Any]) -> tuple[Account, ...]:
    """Return the accounts of a valid configuration, in order.

    What an account does not say comes from the settings around it.
    """
    if not config.get("accounts"):
        return (Account(None, config),)
    around = {name: value for name, value in config.items() if name != "accounts"}
    return tuple(
        Account(own["name"], {**around, **{k: v for k, v in own.items() if k != "name"}})
        for own in config["accounts"]
    )
