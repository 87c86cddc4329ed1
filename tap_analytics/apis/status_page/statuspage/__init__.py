"""Statuspage behind the status page API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.status_page.statuspage import core
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(core.STREAMS, __name__, ("incidents", "uptimes", "access", "pages"))
