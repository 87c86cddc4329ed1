"""Freshsales behind the sales API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.sales.freshsales import core
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(
    core.STREAMS, __name__, ("selectors", "pipelines", "fields", "deals", "activities", "lists")
)
