"""Statuspage behind the status page API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.status_page.statuspage import core, incidents
from tap_analytics.engine.catalog import Vendor

VENDOR = Vendor(core.STREAMS, incidents.STREAMS)
