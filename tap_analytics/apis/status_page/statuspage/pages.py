"""Further streams of Statuspage: what else a page has."""

from __future__ import annotations

from tap_analytics.apis.status_page.statuspage.core import PageStream
from tap_analytics.engine.pages.pagination import SinglePage, Unpaged


class MetricsProviders(PageStream):
    """Where the numbers of metrics come from."""

    name = "status_page_metrics_providers"
    path = "/pages/{page_id}/metrics_providers"
    paginator_class = Unpaged
    left_out = ("api_key", "api_token", "application_key", "email")


class UnsubscribedSubscribers(PageStream):
    """Who is not told about incidents any more."""

    name = "status_page_subscribers_unsubscribed"
    path = "/pages/{page_id}/subscribers/unsubscribed"
    references = {"page_access_user_id": "status_page_page_access_users.id"}


class StatusEmbedConfigs(PageStream):
    """How a page looks on other sites."""

    name = "status_page_status_embed_configs"
    path = "/pages/{page_id}/status_embed_config"
    primary_keys = ("page_id",)
    paginator_class = SinglePage


STREAMS = (MetricsProviders, UnsubscribedSubscribers, StatusEmbedConfigs)
