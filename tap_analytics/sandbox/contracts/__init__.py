"""The contracts of the five APIs and of their vendors, one module and one table of fields each."""

from __future__ import annotations

from tap_analytics.sandbox.contracts import (
    esignature,
    experimentation,
    factorial,
    freshsales,
    sales,
    signnow,
    statsig,
    status_page,
    statuspage,
    workforce,
)
from tap_analytics.sandbox.contracts.further import with_further

APIS = (
    workforce.API,
    status_page.API,
    experimentation.API,
    sales.API,
    esignature.API,
)
"""As documented."""

CORE = (
    factorial.API,
    statuspage.API,
    statsig.API,
    freshsales.API,
    signnow.API,
)
"""As their vendors have them: what the tap lists unless it is asked for all."""

UPSTREAMS = tuple(with_further(api) for api in CORE)
"""As their vendors have them, with all that is served besides."""
