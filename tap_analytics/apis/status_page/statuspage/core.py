"""The core of Statuspage: the documented streams and those of the public connectors."""

from __future__ import annotations

from tap_analytics.apis.status_page import streams as documented
from tap_analytics.apis.status_page.statuspage.client import (
    LimitPages,
    StatuspageStream,
    SubscriberPages,
    WholePages,
)
from tap_analytics.engine.pages.pagination import SinglePage


class Pages(documented.Pages, StatuspageStream):
    """Status pages; the one list that is not paged, as far as is known."""

    path = "/pages"
    paginator_class = WholePages
    child_keys = {"page_id": "id"}


class PageStream(StatuspageStream):
    """Base of what each status page has."""

    parent_stream_type = Pages
    primary_keys: tuple[str, ...] = ("page_id", "id")


class Subscribers(documented.Subscribers, PageStream):
    """Who is told about incidents, in any state; by default there are only active ones."""

    path = "/pages/{page_id}/subscribers"
    paginator_class = SubscriberPages
    fixed_params = {"state": "all"}
    references = {"page_access_user_id": "status_page_page_access_users.id"}


class SubscribersHistogramByState(PageStream):
    """Numbers of subscribers by kind and state: one row for each status page."""

    name = "status_page_subscribers_histogram_by_state"
    path = "/pages/{page_id}/subscribers/histogram_by_state"
    paginator_class = SinglePage
    records_jsonpath = "$"
    primary_keys = ("page_id",)


class IncidentTemplates(PageStream):
    """Templates of incidents."""

    name = "status_page_incident_templates"
    path = "/pages/{page_id}/incident_templates"


class Incidents(PageStream):
    """Incidents and maintenances, with their updates."""

    name = "status_page_incidents"
    path = "/pages/{page_id}/incidents"
    paginator_class = LimitPages
    replication_key = "updated_at"
    child_keys = {"page_id": "page_id", "incident_id": "id"}


class Components(PageStream):
    """Components."""

    name = "status_page_components"
    path = "/pages/{page_id}/components"
    replication_key = "updated_at"
    child_keys = {"page_id": "page_id", "component_id": "id"}
    references = {"group_id": "status_page_component_groups.id"}


class Metrics(PageStream):
    """Metrics that the pages show; their data points cannot be read.

    Their times stay behind while they go on, so they are read in full.
    """

    name = "status_page_metrics"
    path = "/pages/{page_id}/metrics"
    references = {"metrics_provider_id": "status_page_metrics_providers.id"}


STREAMS = (
    Pages,
    Subscribers,
    SubscribersHistogramByState,
    IncidentTemplates,
    Incidents,
    Components,
    Metrics,
)
