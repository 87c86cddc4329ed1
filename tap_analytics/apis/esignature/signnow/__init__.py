"""SignNow behind the esignature API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.esignature.signnow import core
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(
    core.STREAMS, __name__, ("folders", "groups", "history", "organizations", "webhooks")
)
