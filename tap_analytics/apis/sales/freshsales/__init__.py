"""Freshsales behind the sales API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.sales.freshsales import (
    activities,
    core,
    deals,
    fields,
    lists,
    pipelines,
    selectors,
)
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(
    core.STREAMS,
    (
        *selectors.STREAMS,
        *pipelines.STREAMS,
        *fields.STREAMS,
        *deals.STREAMS,
        *activities.STREAMS,
        *lists.STREAMS,
    ),
)
