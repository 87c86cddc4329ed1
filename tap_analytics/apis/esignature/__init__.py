"""The e-signature API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.esignature import signnow
from tap_analytics.apis.esignature.streams import DOCUMENTED

if TYPE_CHECKING:
    from tap_analytics.engine.catalog import Streams

UPSTREAMS: dict[str, Streams] = {"signnow": signnow.STREAMS}

__all__ = ["DOCUMENTED", "UPSTREAMS"]
