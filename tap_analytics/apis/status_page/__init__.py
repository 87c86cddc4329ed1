"""The status page API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.status_page import statuspage
from tap_analytics.apis.status_page.streams import DOCUMENTED

if TYPE_CHECKING:
    from tap_analytics.engine.catalog import Streams

UPSTREAMS: dict[str, Streams] = {"statuspage": statuspage.STREAMS}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
