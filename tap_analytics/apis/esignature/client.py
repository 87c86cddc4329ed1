"""The e-signature API as its document describes it: dialect and base streams."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from typing_extensions import override

from tap_analytics.engine.api import Api
from tap_analytics.engine.http.auth import HeaderAuthenticator
from tap_analytics.engine.http.policy import RetryPolicy
from tap_analytics.engine.pages.pagination import PageNumbers, SinglePage
from tap_analytics.engine.schemas import KeyedSchema
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.engine.values.cursors import EpochSeconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.http.auth import Authenticator
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Cursor

SCHEMAS = Path(__file__).parent / "schemas"


class EsignatureApi(Api):
    """Retries after 429 and server errors, up to 3 times, with an exponential factor of 2."""

    name = "esignature"
    title = "E-signature"
    key_setting = "api_key_id"
    credential = "api_key_id"
    policy = RetryPolicy(statuses=(429, 500, 502, 503, 504), max_retries=3, factor=2)
    extra_settings: ClassVar[tuple[th.Property[Any], ...]] = (
        th.Property(
            "esignature_auth_token",
            th.StringType(min_length=1),
            secret=True,
            title="E-signature: application token",
            description="Basic token of the application; needed only for signing_links.",
        ),
    )


class ApplicationApi(EsignatureApi):
    """The part of the API that knows applications: by a ready-made Basic token."""

    credential = "auth_token"

    @classmethod
    @override
    def authenticator(cls, config: Mapping[str, Any]) -> Authenticator:
        """Return what adds the token; a configured key header is not for it."""
        token = cls.setting(config, cls.credential)
        return HeaderAuthenticator("Authorization", f"Basic {token}")


class EsignaturePages(PageNumbers):
    """``page`` from 1 with ``per_page`` 20."""

    size = 20
    size_param = "per_page"
    total_path = ("meta", "pagination", "total")
    pages_path = ("meta", "pagination", "total_pages")


class EsignatureStream(AnalyticsStream):
    """Base of the e-signature streams."""

    api = EsignatureApi
    paginator_class: ClassVar[type[Paginator]] = EsignaturePages
    records_jsonpath = "$.data[*]"
    schema = KeyedSchema(SCHEMAS)
    primary_keys: tuple[str, ...] = ("id",)
    cursor: ClassVar[Cursor | None] = EpochSeconds()


class SinglePageStream(EsignatureStream):
    """Base of the streams that come in one answer."""

    paginator_class = SinglePage
