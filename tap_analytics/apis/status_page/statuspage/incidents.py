"""Further streams of Statuspage: what belongs to incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_analytics.apis.status_page.statuspage.client import StatuspageStream
from tap_analytics.apis.status_page.statuspage.core import Incidents
from tap_analytics.engine.errors import Gone
from tap_analytics.engine.pages.pagination import SinglePage

if TYPE_CHECKING:
    from tap_analytics.engine.errors import ReadError


class IncidentUpdates(StatuspageStream):
    """Updates of incidents, one row each, from the incidents themselves."""

    name = "status_page_incident_updates"
    path = "/pages/{page_id}/incidents"
    parent_stream_type = Incidents
    inside = "incident_updates"
    paginator_class = SinglePage
    primary_keys = ("page_id", "incident_id", "id")


class Postmortems(StatuspageStream):
    """Postmortems of incidents: a request for each incident that changed."""

    name = "status_page_incidents_postmortems"
    path = "/pages/{page_id}/incidents/{incident_id}/postmortem"
    parent_stream_type = Incidents
    paginator_class = SinglePage
    primary_keys = ("page_id", "incident_id")
    left_out = ("preview_key",)

    def is_nothing(self, error: ReadError) -> bool:
        """Tell whether an incident has none."""
        return isinstance(error, Gone)


class IncidentSubscribers(StatuspageStream):
    """Who is told about single incidents: requests for each incident that changed."""

    name = "status_page_incidents_subscribers"
    path = "/pages/{page_id}/incidents/{incident_id}/subscribers"
    parent_stream_type = Incidents
    primary_keys = ("page_id", "incident_id", "id")
    references = {"page_access_user_id": "status_page_page_access_users.id"}


STREAMS = (IncidentUpdates, Postmortems, IncidentSubscribers)
