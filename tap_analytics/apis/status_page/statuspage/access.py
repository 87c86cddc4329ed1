"""Further streams of Statuspage: who may see which parts of a page."""

from __future__ import annotations

from tap_analytics.apis.status_page.statuspage.client import StatuspageStream
from tap_analytics.apis.status_page.statuspage.core import PageStream
from tap_analytics.engine.links import Links


class PageAccessGroups(PageStream):
    """Groups of users who see parts of a page."""

    name = "status_page_page_access_groups"
    path = "/pages/{page_id}/page_access_groups"
    child_keys = {"page_id": "page_id", "page_access_group_id": "id"}


class PageAccessUsers(PageStream):
    """Users who see parts of a page."""

    name = "status_page_page_access_users"
    path = "/pages/{page_id}/page_access_users"
    child_keys = {"page_id": "page_id", "page_access_user_id": "id"}
    references = {"page_access_group_id": "status_page_page_access_groups.id"}


class PageAccessGroupComponents(Links, StatuspageStream):
    """Which components each group sees."""

    name = "status_page_page_access_group_components"
    path = "/pages/{page_id}/page_access_groups/{page_access_group_id}/components"
    parent_stream_type = PageAccessGroups
    primary_keys = ("page_id", "page_access_group_id", "id")
    references = {"id": "status_page_components.id"}


class PageAccessUserComponents(Links, StatuspageStream):
    """Which components each user sees."""

    name = "status_page_page_access_user_components"
    path = "/pages/{page_id}/page_access_users/{page_access_user_id}/components"
    parent_stream_type = PageAccessUsers
    primary_keys = ("page_id", "page_access_user_id", "id")
    references = {"id": "status_page_components.id"}


class PageAccessUserMetrics(Links, StatuspageStream):
    """Which metrics each user sees."""

    name = "status_page_page_access_user_metrics"
    path = "/pages/{page_id}/page_access_users/{page_access_user_id}/metrics"
    parent_stream_type = PageAccessUsers
    primary_keys = ("page_id", "page_access_user_id", "id")
    references = {"id": "status_page_metrics.id"}


STREAMS = (
    PageAccessGroups,
    PageAccessUsers,
    PageAccessGroupComponents,
    PageAccessUserComponents,
    PageAccessUserMetrics,
)
