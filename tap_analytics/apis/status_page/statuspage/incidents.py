"""Further streams of Statuspage: what belongs to incidents."""

from __future__ import annotations

from tap_analytics.apis.status_page.statuspage.client import StatuspageStream
from tap_analytics.apis.status_page.statuspage.core import Incidents
from tap_analytics.engine.pages.pagination import SinglePage


class IncidentUpdates(StatuspageStream):
    """Updates of incidents, one row each, from the incidents themselves."""

    name = "status_page_incident_updates"
    path = "/pages/{page_id}/incidents"
    parent_stream_type = Incidents
    inside = "incident_updates"
    paginator_class = SinglePage
    primary_keys = ("page_id", "incident_id", "id")


STREAMS = (IncidentUpdates,)
