"""A local server that speaks the five contracts, or those of their vendors, on generated data."""

from __future__ import annotations

from tap_analytics.sandbox.data.store import Store
from tap_analytics.sandbox.http.exchange import Answer, Fault, Request
from tap_analytics.sandbox.http.limits import Quota

try:
    from tap_analytics.sandbox.http.server import Sandbox
except ModuleNotFoundError as missing:
    message = "the sandbox needs its extra: pip install 'tap-analytics[sandbox]'"
    raise ModuleNotFoundError(message, name=missing.name) from missing

__all__ = ["Answer", "Fault", "Quota", "Request", "Sandbox", "Store"]
