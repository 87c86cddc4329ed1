"""Further streams of Statuspage: groups of components, and what was up how long."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_analytics.apis.status_page.statuspage.client import StatuspageStream
from tap_analytics.apis.status_page.statuspage.core import Components, PageStream
from tap_analytics.engine.pages.pagination import SinglePage

if TYPE_CHECKING:
    from tap_analytics.engine.errors import ReadError


class UptimesStream(StatuspageStream):
    """Base of uptimes: of the last 90 days, so that every day brings a further row."""

    paginator_class = SinglePage
    of_every_parent = True
    append_only = True
    primary_keys: tuple[str, ...] = ("page_id", "id", "range_start", "range_end")

    def is_nothing(self, error: ReadError) -> bool:
        """Tell whether no uptime is kept."""
        return error.status == HTTPStatus.UNPROCESSABLE_ENTITY


class ComponentGroups(PageStream):
    """Groups of components."""

    name = "status_page_component_groups"
    path = "/pages/{page_id}/component-groups"
    child_keys = {"page_id": "page_id", "component_group_id": "id"}


class ComponentUptimes(UptimesStream):
    """Uptime of each component: a request for each."""

    name = "status_page_component_uptimes"
    path = "/pages/{page_id}/components/{component_id}/uptime"
    parent_stream_type = Components
    references = {"id": "status_page_components.id"}


class ComponentGroupUptimes(UptimesStream):
    """Uptime of each group of components: a request for each."""

    name = "status_page_component_group_uptimes"
    path = "/pages/{page_id}/component-groups/{component_group_id}/uptime"
    parent_stream_type = ComponentGroups
    references = {"id": "status_page_component_groups.id"}


STREAMS = (ComponentGroups, ComponentUptimes, ComponentGroupUptimes)
