"""Further streams of Statsig: alerts and dashboards."""

from __future__ import annotations

from tap_analytics.apis.experimentation.statsig.client import StatsigStream


class Alerts(StatsigStream):
    """Alerts on metrics."""

    name = "experimentation_alerts"
    path = "/v1/alerts"
    child_keys = {"alert_id": "id"}
    references = {"companyID": "experimentation_companies.companyID"}


class AlertsEvents(StatsigStream):
    """When each alert was raised and ended."""

    name = "experimentation_alerts_events"
    path = "/v1/alerts/{alert_id}/events"
    parent_stream_type = Alerts
    primary_keys = ("alert_id", "id")
    replication_key = "createdTime"


class Dashboards(StatsigStream):
    """Dashboards."""

    name = "experimentation_dashboards"
    path = "/v1/dashboards"


STREAMS = (Alerts, AlertsEvents, Dashboards)
