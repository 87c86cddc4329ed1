"""The status page streams."""

from __future__ import annotations

from tap_analytics.apis.status_page.client import StatusPageStream


class Pages(StatusPageStream):
    """Status pages."""

    name = "pages"
    path = "/v1/resource"


class Subscribers(StatusPageStream):
    """Who is told about incidents."""

    name = "subscribers"
    path = "/v1/resource/subscribers"


DOCUMENTED = (Pages, Subscribers)
