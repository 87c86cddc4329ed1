"""Statuspage behind the status page API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.status_page.statuspage import (
    access,
    core,
    incidents,
    pages,
    uptimes,
)
from tap_analytics.engine.registry import Vendor

_SUBJECTS = (incidents, uptimes, access, pages)
VENDOR = Vendor(core.STREAMS, tuple(stream for part in _SUBJECTS for stream in part.STREAMS))
