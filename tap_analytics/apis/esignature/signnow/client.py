"""SignNow's API: dialect, paginators and base stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th
from typing_extensions import override

from tap_analytics.apis.esignature.client import (
    ApplicationApi,
    EsignatureApi,
    EsignaturePages,
    EsignatureStream,
)
from tap_analytics.engine.http.auth import Grant, OAuth
from tap_analytics.engine.pages.pagination import PageNumbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.http.auth import Authenticator
    from tap_analytics.engine.pages.pagination import Paginator


class SignNowApi(EsignatureApi):
    """The key is a bearer token, for the real accounts or for those of the sandbox."""

    key_header = "Authorization"
    key_format = "Bearer {}"
    also_on = ("refresh_token", "client_id", "client_secret")
    permission_help = (
        "the user behind the key needs the role for it (an administrator's for teams, "
        "organizations and brands), and the plan has to have it"
    )
    extra_settings = (
        th.Property(
            "esignature_refresh_token",
            th.StringType(min_length=1),
            secret=True,
            title="E-signature: refresh token",
            description="Renews the bearer token, and is renewed with it; needs the client's id "
            "and secret.",
        ),
        th.Property(
            "esignature_client_id",
            th.StringType(min_length=1),
            title="E-signature: client id",
            description="Id of the application that the refresh token was issued to.",
        ),
        th.Property(
            "esignature_client_secret",
            th.StringType(min_length=1),
            secret=True,
            title="E-signature: client secret",
            description="Secret of the application that the refresh token was issued to.",
        ),
        th.Property(
            "esignature_sandbox",
            th.BooleanType,
            default=False,
            title="E-signature: sandbox",
            description="Whether the key belongs to SignNow's own sandbox, api-eval.",
        ),
    )

    @classmethod
    def default_origin(cls, config: Mapping[str, Any]) -> str:
        """Return the host that the key belongs to."""
        name = "api-eval" if cls.setting(config, "sandbox") else "api"
        return f"https://{name}.signnow.com"

    @classmethod
    @override
    def authenticator(cls, config: Mapping[str, Any]) -> Authenticator:
        """Return what adds the bearer token, and renews it if the settings for that are there."""
        renewer, name, secret = (cls.setting(config, part) for part in cls.also_on)
        if not (renewer and name and secret):
            return super().authenticator(config)
        settings = " and ".join(f"'{cls.name}_{part}'" for part in cls.also_on)
        url = cls.base_url(config) + "/oauth2/token"
        grant = Grant(url, name, secret, renewer, f"the settings {settings}")
        return OAuth.shared(grant, cls.setting(config, cls.key_setting))


class SignNowApplicationApi(ApplicationApi, SignNowApi):
    """The part of the API that knows applications: by a ready-made Basic token."""


class ContactPages(EsignaturePages):
    """``page`` from 1 with ``per_page`` 100, which is known to be taken for contacts only."""

    size = 100


class LogPages(PageNumbers):
    """``page`` from 1 with ``per_page`` 20; every request to the API adds a row in front."""

    size = 20
    size_param = "per_page"
    newest_first = True


class DocumentPages(PageNumbers):
    """``page`` from 1 with ``per_page`` 100: after the last one an empty page, it again, or 400."""

    size_param = "per_page"
    repeat_ends = True
    past_end = frozenset({400, 404})


class SignNowStream(EsignatureStream):
    """Base of the SignNow streams."""

    api: ClassVar[type[EsignatureApi]] = SignNowApi
    paginator_class: ClassVar[type[Paginator]] = EsignaturePages
