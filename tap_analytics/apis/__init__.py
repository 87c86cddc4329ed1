"""The APIs this tap can read: one package each, all of the same shape."""

from __future__ import annotations

from tap_analytics.apis import esignature, experimentation, sales, status_page, workforce
from tap_analytics.engine.catalog import Family

FAMILIES = (
    Family(workforce.DOCUMENTED, workforce.UPSTREAMS),
    Family(status_page.DOCUMENTED, status_page.UPSTREAMS),
    Family(experimentation.DOCUMENTED, experimentation.UPSTREAMS),
    Family(sales.DOCUMENTED, sales.UPSTREAMS),
    Family(esignature.DOCUMENTED, esignature.UPSTREAMS),
)
"""Every API, as its document describes it and as the vendors behind it really are."""
