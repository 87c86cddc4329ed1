"""Freshsales' API, for the sales streams and those that only Freshsales has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_analytics.apis.sales import streams as documented
from tap_analytics.apis.sales.client import SalesApi, SalesPages, SalesStream
from tap_analytics.engine.pages.pagination import SinglePage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.pages.pagination import Paginator

_LEGACY_HOSTS = ".freshsales.io"
_HOURLY_REQUESTS = {"free": 1000, "growth": 1000, "pro": 2000, "enterprise": 5000}
_SMALLEST_PLAN = "growth"


class FreshsalesApi(SalesApi):
    """A host for every account, and requests limited by the minute and, by plan, the hour."""

    key_header = "Authorization"
    key_format = "Token token={}"
    host_setting = "host"
    windows = ((400, 60),)
    extra_settings = (
        th.Property(
            "sales_host",
            th.StringType(pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"),
            title="Sales: host",
            description="Host of the Freshsales account, such as acme.myfreshworks.com.",
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
        host = cls.setting(config, "host")
        return f"https://{host}" if host else None

    @classmethod
    def base_url(cls, config: Mapping[str, Any]) -> str:
        """Return where paths start, which depends on the kind of host."""
        parts = urlsplit(cls.setting(config, "base_url") or cls.default_origin(config) or "")
        host = cls.setting(config, "host") or parts.hostname or ""
        prefix = "/api" if host.lower().endswith(_LEGACY_HOSTS) else "/crm/sales/api"
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


class FreshsalesStream(SalesStream):
    """Base of the Freshsales streams."""

    api = FreshsalesApi
    paginator_class: ClassVar[type[Paginator]] = FreshsalesPages


class Views(FreshsalesStream):
    """Base of the saved views; what they show can be read through them only."""

    paginator_class = SinglePage
    records_jsonpath = "$.filters[*]"
    child_keys = {"view_id": "id", "view_name": "name"}


class ContactViews(Views):
    """Saved views of people."""

    name = "sales_contact_views"
    path = "/contacts/filters"


class AccountViews(Views):
    """Saved views of companies."""

    name = "sales_account_views"
    path = "/sales_accounts/filters"


class DealViews(Views):
    """Saved views of deals."""

    name = "sales_deal_views"
    path = "/deals/filters"


class Viewed(FreshsalesStream):
    """Base of what is read through the one view whose name `must_match` holds.

    In the order of creation, rows that change meanwhile stay on their page.
    """

    must_match: ClassVar[str]
    context_in_rows = False
    fixed_params = {"sort": "created_at", "sort_type": "asc"}

    def wants(self, context: dict[str, Any]) -> bool:
        """Tell whether a view is the one, in whatever case its name is written."""
        return str(context["view_name"]).strip().casefold() == self.must_match.casefold()


class Contacts(documented.Contacts, Viewed):
    """People."""

    path = "/contacts/view/{view_id}"
    parent_stream_type = ContactViews
    must_match = "All Contacts"


class Accounts(documented.Accounts, Viewed):
    """Companies."""

    path = "/sales_accounts/view/{view_id}"
    parent_stream_type = AccountViews
    must_match = "All Accounts"


class WonDeals(documented.WonDeals, Viewed):
    """Deals that were won."""

    path = "/deals/view/{view_id}"
    parent_stream_type = DealViews
    must_match = "Won Deals"


class OpenDeals(WonDeals):
    """Deals that are open."""

    name = "sales_open_deals"
    must_match = "Open Deals"


class LostDeals(WonDeals):
    """Deals that were lost."""

    name = "sales_lost_deals"
    must_match = "Lost Deals"


class OpenTasks(documented.OpenTasks, FreshsalesStream):
    """Tasks still to do."""

    path = "/tasks"
    fixed_params = {"filter": "open"}


class CompletedTasks(OpenTasks):
    """Tasks that are done."""

    name = "sales_completed_tasks"
    fixed_params = {"filter": "completed"}


class PastAppointments(documented.PastAppointments, FreshsalesStream):
    """Appointments that are over."""

    path = "/appointments"
    fixed_params = {"filter": "past"}


class UpcomingAppointments(PastAppointments):
    """Appointments to come."""

    name = "sales_upcoming_appointments"
    fixed_params = {"filter": "upcoming"}


STREAMS = (
    AccountViews,
    Accounts,
    ContactViews,
    Contacts,
    DealViews,
    WonDeals,
    OpenDeals,
    LostDeals,
    OpenTasks,
    CompletedTasks,
    PastAppointments,
    UpcomingAppointments,
)
