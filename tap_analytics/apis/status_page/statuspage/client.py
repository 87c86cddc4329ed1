"""Statuspage's API: dialect, paginators and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tap_analytics.apis.status_page.client import SCHEMAS, StatusPageApi, StatusPageStream
from tap_analytics.engine.pages.pagination import PageNumbers, PerhapsPages
from tap_analytics.engine.schemas import KeyedSchema

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator


class StatuspageApi(StatusPageApi):
    """60 requests in any 60 seconds, and one second more for their way there."""

    key_header = "Authorization"
    key_format = "OAuth {}"
    origin = "https://api.statuspage.io"
    prefix = "/v1"
    windows = ((60, 61),)
    permission_help = (
        "the key has to be one of a user of the organization who may see this page, and the "
        "page's plan has to have the feature"
    )


class LimitPages(PageNumbers):
    """``page`` from 1 with ``limit`` 100; answers say nothing about the whole list."""


class PerPagePages(LimitPages):
    """``page`` from 1 with ``per_page`` 100."""

    size_param = "per_page"


class WholePages(PerhapsPages):
    """``page`` from 1 with ``per_page`` 100, for lists that come whole as far as is known."""

    size_param = "per_page"


class SubscriberPages(LimitPages):
    """``page`` with ``limit`` 100, from 0 or from 1: sources disagree."""

    first = 0
    zero_or_one = True


class StatuspageStream(StatusPageStream):
    """Base of the Statuspage streams: arrays without anything around them."""

    api = StatuspageApi
    schema = KeyedSchema(SCHEMAS, Path(__file__).parent / "schemas")
    paginator_class: ClassVar[type[Paginator]] = PerPagePages
    records_jsonpath = "$[*]"
