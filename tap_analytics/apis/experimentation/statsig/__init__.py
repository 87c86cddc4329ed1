"""Statsig behind the experimentation API: its core, and what it has besides."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig import (
    core,
    delivery,
    exposures,
    monitoring,
    overrides,
    project,
    results,
    segments,
    uses,
    versions,
    warehouse,
)
from tap_analytics.engine.registry import Vendor

_SUBJECTS = (
    segments,
    results,
    exposures,
    versions,
    overrides,
    uses,
    warehouse,
    delivery,
    monitoring,
    project,
)
VENDOR = Vendor(core.STREAMS, tuple(stream for part in _SUBJECTS for stream in part.STREAMS))
