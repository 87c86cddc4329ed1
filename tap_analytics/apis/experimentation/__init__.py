"""The experimentation API."""

from __future__ import annotations

from tap_analytics.apis.experimentation import statsig
from tap_analytics.apis.experimentation.streams import DOCUMENTED

UPSTREAMS = {"statsig": statsig.VENDOR}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
