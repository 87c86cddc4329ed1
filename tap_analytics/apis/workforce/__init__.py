"""The workforce API."""

from __future__ import annotations

from tap_analytics.apis.workforce import factorial
from tap_analytics.apis.workforce.streams import DOCUMENTED

UPSTREAMS = {"factorial": factorial.VENDOR}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
