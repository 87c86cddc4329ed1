"""The workforce streams."""

from __future__ import annotations

from tap_analytics.apis.workforce.client import WorkforceStream


class PublicCredentials(WorkforceStream):
    """The company behind the key."""

    name = "public_credentials"
    path = "/v1/api_public/credentials"


class WebhookSubscriptions(WorkforceStream):
    """Webhooks that were set up."""

    name = "webhook_subscriptions"
    path = "/v1/api_public/webhook_subscriptions"


class Tasks(WorkforceStream):
    """Tasks of employees."""

    name = "tasks"
    path = "/v1/tasks/tasks"
    replication_key = "updated_at"


class Schedules(WorkforceStream):
    """Work schedules."""

    name = "schedules"
    path = "/v1/work_schedule/schedules"
    replication_key: str | None = "updated_at"


class OverlapPeriods(WorkforceStream):
    """Periods of work schedules that overlap."""

    name = "overlap_periods"
    path = "/v1/work_schedule/overlap_periods"
    references = {"schedule_id": "schedules.id"}


DOCUMENTED = (PublicCredentials, WebhookSubscriptions, Tasks, Schedules, OverlapPeriods)
