"""The esignature API."""

from __future__ import annotations

from tap_analytics.apis.esignature import signnow
from tap_analytics.apis.esignature.streams import DOCUMENTED

UPSTREAMS = {"signnow": signnow.VENDOR}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
