"""The books' API: dialect, paginators and base stream."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tap_analytics.engine.api import Api
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.pages.pagination import NextLink, NextToken
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values.cursors import IsoTime

if TYPE_CHECKING:
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Cursor


class BooksApi(Api):
    """Bearer tokens that live for an hour, and a refresh token that gets others."""

    name = "books"
    title = "Books"
    key_setting = "access_token"
    credential = "access_token"
    key_header = "Authorization"
    key_format = "Bearer {}"
    token_path = "/oauth/token"
    policy = RetryPolicy(statuses=(429,), max_retries=3, factor=2)
    permission_help = "the application needs the scope 'books.read'"


class Cursors(NextToken):
    """``cursor`` from the page before, with ``limit`` 3."""

    size = 3
    token_path = ("page", "next")


class Links(NextLink):
    """A link to the next page, with ``limit`` 3."""

    size = 3
    token_path = ("links", "next")


class BooksStream(AnalyticsStream):
    """Base of the books' streams."""

    api = BooksApi
    paginator_class: ClassVar[type[Paginator]] = Cursors
    records_jsonpath = "$.items[*]"
    schema = KeyedSchema(Path(__file__).parent / "schemas")
    primary_keys: tuple[str, ...] = ("id",)
    cursor: ClassVar[Cursor | None] = IsoTime()
