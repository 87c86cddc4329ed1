"""The APIs this tap can read: one package each, all of the same shape."""

from __future__ import annotations

from tap_analytics.apis import esignature, experimentation, sales, status_page, workforce
from tap_analytics.engine.registry import ApiPackage

PACKAGES = (
    ApiPackage(workforce.DOCUMENTED, workforce.UPSTREAMS),
    ApiPackage(status_page.DOCUMENTED, status_page.UPSTREAMS),
    ApiPackage(experimentation.DOCUMENTED, experimentation.UPSTREAMS),
    ApiPackage(sales.DOCUMENTED, sales.UPSTREAMS),
    ApiPackage(esignature.DOCUMENTED, esignature.UPSTREAMS),
)
"""Every API, as its document describes it and as the vendors behind it really are."""
