"""The sales API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.sales import freshsales
from tap_analytics.apis.sales.streams import DOCUMENTED

if TYPE_CHECKING:
    from tap_analytics.engine.catalog import Streams

UPSTREAMS: dict[str, Streams] = {"freshsales": freshsales.STREAMS}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
