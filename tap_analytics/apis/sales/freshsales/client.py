"""Freshsales' API: dialect, paginators and base stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_analytics.apis.sales.client import SalesApi, SalesPages, SalesStream
from tap_analytics.engine.pages.pagination import PerhapsPages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.pages.pagination import Paginator

_HOSTS = ".myfreshworks.com"
_LEGACY_HOSTS = ".freshsales.io"
_HOST_PATTERN = r"^(?:[Hh][Tt][Tt][Pp][Ss]://)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?:/[^\s?#@]*)?\Z"
_HOURLY_REQUESTS = {"free": 1000, "growth": 1000, "pro": 2000, "enterprise": 5000}
_SMALLEST_PLAN = "growth"


class FreshsalesApi(SalesApi):
    """A host for every account, and requests limited by the minute and, by plan, the hour."""

    key_header = "Authorization"
    key_format = "Token token={}"
    host_setting = "host"
    windows = ((400, 60),)
    permission_help = (
        "the role of the key's user has to be allowed to see these records, and the account's "
        "plan has to have them"
    )
    extra_settings = (
        th.Property(
            "sales_host",
            th.StringType(pattern=_HOST_PATTERN),
            title="Sales: host",
            description="Freshsales account: acme, acme.myfreshworks.com, or what the browser "
            "shows there.",
        ),
        th.Property(
            "sales_plan",
            th.StringType(allowed_values=list(_HOURLY_REQUESTS)),
            default=_SMALLEST_PLAN,
            title="Sales: plan",
            description="Freshsales plan of the account; it decides the requests per hour.",
        ),
    )

    @classmethod
    def default_origin(cls, config: Mapping[str, Any]) -> str | None:
        """Return the account's own host."""
        host = cls._host(config)
        return f"https://{host}" if host else None

    @classmethod
    def _host(cls, config: Mapping[str, Any]) -> str | None:
        """Return the host in what people paste: a name alone, a host, or an address."""
        given = cls.setting(config, "host")
        host = str(given or "").lower().removeprefix("https://").partition("/")[0]
        return f"{host}{_HOSTS}" if host and "." not in host else host or None

    @classmethod
    def base_url(cls, config: Mapping[str, Any]) -> str:
        """Return where paths start, which depends on the kind of host."""
        parts = urlsplit(cls.setting(config, "base_url") or cls.default_origin(config) or "")
        host = cls._host(config) or parts.hostname or ""
        prefix = "/api" if host.endswith(_LEGACY_HOSTS) else "/crm/sales/api"
        return f"{parts.scheme}://{parts.netloc}{prefix}"

    @classmethod
    def limits(cls, config: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
        """Return the limits in force: the configured rate, or by the minute and the hour."""
        if cls.setting(config, "requests_per_second"):
            return super().limits(config)
        hourly = _HOURLY_REQUESTS[cls.setting(config, "plan") or _SMALLEST_PLAN]
        return (*cls.windows, (hourly, 3600))


class FreshsalesPages(SalesPages):
    """``page`` from 1 with ``per_page`` 100, the most there is."""

    size = 100


class ViewPages(PerhapsPages, FreshsalesPages):
    """All views come in one answer, as far as is known."""


class FreshsalesStream(SalesStream):
    """Base of the Freshsales streams."""

    api = FreshsalesApi
    paginator_class: ClassVar[type[Paginator]] = FreshsalesPages
