"""The workforce API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.workforce import factorial
from tap_analytics.apis.workforce.streams import DOCUMENTED

if TYPE_CHECKING:
    from tap_analytics.engine.catalog import Streams

UPSTREAMS: dict[str, Streams] = {"factorial": factorial.STREAMS}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
