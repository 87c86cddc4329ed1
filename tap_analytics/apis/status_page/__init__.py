"""The status page API."""

from __future__ import annotations

from tap_analytics.apis.status_page import statuspage
from tap_analytics.apis.status_page.streams import DOCUMENTED

UPSTREAMS = {"statuspage": statuspage.VENDOR}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
