"""SignNow behind the esignature API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.esignature.signnow import (
    core,
    folders,
    groups,
    history,
    organizations,
    webhooks,
)
from tap_analytics.engine.registry import Vendor

VENDOR = Vendor(
    core.STREAMS,
    (
        *folders.STREAMS,
        *groups.STREAMS,
        *history.STREAMS,
        *organizations.STREAMS,
        *webhooks.STREAMS,
    ),
)
