"""The core of Freshsales: the documented streams and those of the public connectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_analytics.apis.sales import streams as documented
from tap_analytics.apis.sales.freshsales.client import FreshsalesStream, ViewPages

if TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

_OLDEST_FIRST = {"sort": "created_at", "sort_type": "asc"}


def _including(*names: str) -> dict[str, str]:
    """Return the parameter without which rows lack the ids of these."""
    return {"include": ",".join(names)}


_WITH_TARGET = _including("targetable")
_BY_USERS = dict.fromkeys(("owner_id", "creater_id", "updater_id"), "sales_owners.id")


class Views(FreshsalesStream):
    """Base of the saved views; what they show can be read through them only."""

    paginator_class = ViewPages
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
    """Base of what is read through the one view that has the name in `view`.

    In the order of creation, rows that change meanwhile stay on their page.
    """

    view: ClassVar[str]
    fixed_params = _OLDEST_FIRST

    def preprocess_context(  # type: ignore[override]
        self, context: Context
    ) -> Context | None:
        """Lead to a list only from the view, in whatever case its name is written."""
        is_it = str(context["view_name"]).strip().casefold() == self.view.casefold()
        return context if is_it else None

    def verdict(self, lists: int) -> str | None:
        """Miss the view where nothing led to it."""
        return None if lists else f"its parent has nothing named {self.view!r}"


class Contacts(documented.Contacts, Viewed):
    """People."""

    path = "/contacts/view/{view_id}"
    parent_stream_type = ContactViews
    view = "All Contacts"
    child_keys = {"contact_id": "id"}
    fixed_params = _OLDEST_FIRST | _including(
        *("owner", "creater", "updater", "source", "campaign", "territory", "sales_accounts"),
        *("lifecycle_stage", "contact_status"),
    )
    references = {
        **_BY_USERS,
        "sales_account_id": "accounts.id",
        "campaign_id": "sales_campaigns.id",
        "contact_status_id": "sales_contact_statuses.id",
        "lead_source_id": "sales_lead_sources.id",
        "lifecycle_stage_id": "sales_lifecycle_stages.id",
        "territory_id": "sales_territories.id",
    }


class Accounts(documented.Accounts, Viewed):
    """Companies."""

    path = "/sales_accounts/view/{view_id}"
    parent_stream_type = AccountViews
    view = "All Accounts"
    child_keys = {"sales_account_id": "id"}
    fixed_params = _OLDEST_FIRST | _including(
        *("owner", "creater", "updater", "territory", "industry_type", "business_type"),
        "parent_sales_account",
    )
    references = {
        **_BY_USERS,
        "parent_sales_account_id": "accounts.id",
        "business_type_id": "sales_business_types.id",
        "industry_type_id": "sales_industry_types.id",
        "territory_id": "sales_territories.id",
    }


class WonDeals(documented.WonDeals, Viewed):
    """Deals that were won."""

    path = "/deals/view/{view_id}"
    parent_stream_type = DealViews
    view = "Won Deals"
    fixed_params = _OLDEST_FIRST | _including(
        *("owner", "creater", "updater", "source", "contacts", "sales_account", "deal_stage"),
        *("deal_type", "deal_reason", "campaign", "deal_payment_status", "deal_product"),
        *("currency", "deal_pipeline", "territory"),
    )
    references = {
        **_BY_USERS,
        "sales_account_id": "accounts.id",
        "deal_pipeline_id": "sales_deal_pipelines.id",
        "deal_stage_id": "sales_deal_stages.id",
        "deal_reason_id": "sales_deal_reasons.id",
        "deal_type_id": "sales_deal_types.id",
        "deal_product_id": "sales_deal_products.id",
        "deal_payment_status_id": "sales_deal_payment_statuses.id",
        "campaign_id": "sales_campaigns.id",
        "currency_id": "sales_currencies.id",
        "lead_source_id": "sales_lead_sources.id",
        "territory_id": "sales_territories.id",
    }


class OpenDeals(WonDeals):
    """Deals that are open."""

    name = "sales_open_deals"
    view = "Open Deals"


class LostDeals(WonDeals):
    """Deals that were lost."""

    name = "sales_lost_deals"
    view = "Lost Deals"


class OpenTasks(documented.OpenTasks, FreshsalesStream):
    """Tasks still to do."""

    path = "/tasks"
    fixed_params = {"filter": "open", **_WITH_TARGET}
    references = {
        **_BY_USERS,
        "task_type_id": "sales_activity_entity_types.id",
        "outcome_id": "sales_activity_outcomes.id",
    }


class CompletedTasks(OpenTasks):
    """Tasks that are done."""

    name = "sales_completed_tasks"
    fixed_params = {"filter": "completed", **_WITH_TARGET}


class PastAppointments(documented.PastAppointments, FreshsalesStream):
    """Appointments that are over."""

    path = "/appointments"
    fixed_params = {"filter": "past"}
    references = {"creater_id": "sales_owners.id", "outcome_id": "sales_activity_outcomes.id"}


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
