"""Further streams of Freshsales: what its lists of choices hold; they come whole, in one answer."""

from __future__ import annotations

from tap_analytics.apis.sales.freshsales.client import FreshsalesStream
from tap_analytics.engine.pages.pagination import Unpaged


class Choices(FreshsalesStream):
    """Base of the lists of choices; a page asked for means nothing to them."""

    paginator_class = Unpaged


class Owners(Choices):
    """Users of the account."""

    name = "sales_owners"
    path = "/selector/owners"
    records_jsonpath = "$.users[*]"


class Territories(Choices):
    """Territories."""

    name = "sales_territories"
    path = "/selector/territories"
    records_jsonpath = "$.territories[*]"


class Currencies(Choices):
    """Currencies, with their rates of exchange."""

    name = "sales_currencies"
    path = "/selector/currencies"
    records_jsonpath = "$.currencies[*]"


class LeadSources(Choices):
    """Where people and deals come from."""

    name = "sales_lead_sources"
    path = "/selector/lead_sources"
    records_jsonpath = "$.lead_sources[*]"


class Campaigns(Choices):
    """Campaigns."""

    name = "sales_campaigns"
    path = "/selector/campaigns"
    records_jsonpath = "$.campaigns[*]"


class IndustryTypes(Choices):
    """Industries of companies."""

    name = "sales_industry_types"
    path = "/selector/industry_types"
    records_jsonpath = "$.industry_types[*]"


class BusinessTypes(Choices):
    """Kinds of companies."""

    name = "sales_business_types"
    path = "/selector/business_types"
    records_jsonpath = "$.business_types[*]"


class LifecycleStages(Choices):
    """Stages in the life of a contact."""

    name = "sales_lifecycle_stages"
    path = "/selector/lifecycle_stages"
    records_jsonpath = "$.lifecycle_stages[*]"


class ContactStatuses(Choices):
    """Statuses of contacts, each within a stage of their life."""

    name = "sales_contact_statuses"
    path = "/selector/contact_statuses"
    records_jsonpath = "$.contact_statuses[*]"
    references = {"lifecycle_stage_id": "sales_lifecycle_stages.id"}


STREAMS = (
    Owners,
    Territories,
    Currencies,
    LeadSources,
    Campaigns,
    IndustryTypes,
    BusinessTypes,
    LifecycleStages,
    ContactStatuses,
)
