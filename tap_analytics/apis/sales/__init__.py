"""The sales API."""

from __future__ import annotations

from tap_analytics.apis.sales import freshsales
from tap_analytics.apis.sales.streams import DOCUMENTED

UPSTREAMS = {"freshsales": freshsales.VENDOR}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
