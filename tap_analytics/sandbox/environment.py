"""The environment that points the tap at a sandbox."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tap_analytics.sandbox.contracts import APIS

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "TAP_ANALYTICS_"
_MISLEADING = tuple(
    f"{_PREFIX}{api.name.upper()}_{name}" for api in APIS for name in ("UPSTREAM", "API_KEY_HEADER")
)


def variables(config: Mapping[str, object]) -> dict[str, str]:
    """The tap's settings as environment variables."""
    return {f"{_PREFIX}{name.upper()}": str(value) for name, value in config.items()}


def merged(
    inherited: Mapping[str, str], config: Mapping[str, object], more: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a command that is to use the sandbox.

    A start date that the user chose stays; what would make the tap speak to a vendor goes. The
    programs installed beside this Python are found too, activated environment or not.
    """
    kept = {name: value for name, value in inherited.items() if name not in _MISLEADING}
    start_date = f"{_PREFIX}START_DATE"
    chosen = {start_date: kept[start_date]} if start_date in kept else {}
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join(filter(None, (kept.get("PATH"), beside)))
    return {**kept, **variables(config), **chosen, **more, "PATH": path}
