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

APIS = (
    workforce.API,
    status_page.API,
    experimentation.API,
    sales.API,
    esignature.API,
)
"""As documented."""

UPSTREAMS = (
    factorial.API,
    statuspage.API,
    statsig.API,
    freshsales.API,
    signnow.API,
)
"""As their vendors have them."""
