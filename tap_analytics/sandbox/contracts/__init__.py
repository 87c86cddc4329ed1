"""The contracts of the five APIs, one module and one table of fields each."""

from __future__ import annotations

from tap_analytics.sandbox.contracts import (
    esignature,
    experimentation,
    sales,
    status_page,
    workforce,
)

APIS = (
    workforce.API,
    status_page.API,
    experimentation.API,
    sales.API,
    esignature.API,
)
