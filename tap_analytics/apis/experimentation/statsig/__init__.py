"""Statsig behind the experimentation API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig import core, segments
from tap_analytics.engine.catalog import Vendor

VENDOR = Vendor(core.STREAMS, segments.STREAMS)
