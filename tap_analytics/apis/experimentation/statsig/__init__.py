"""Statsig behind the experimentation API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig import core
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(
    core.STREAMS,
    __name__,
    (
        "segments",
        "results",
        "exposures",
        "versions",
        "overrides",
        "uses",
        "warehouse",
        "delivery",
        "monitoring",
        "project",
    ),
)
