"""The experimentation API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.experimentation import statsig
from tap_analytics.apis.experimentation.streams import DOCUMENTED

if TYPE_CHECKING:
    from tap_analytics.engine.catalog import Streams

UPSTREAMS: dict[str, Streams] = {"statsig": statsig.STREAMS}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
