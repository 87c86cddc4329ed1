"""SignNow's API: dialect, paginators and base stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import typing as th

from tap_analytics.apis.esignature.client import (
    ApplicationApi,
    EsignatureApi,
    EsignaturePages,
    EsignatureStream,
)
from tap_analytics.engine.pages.pagination import PageNumbers, PerhapsPages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.engine.pages.pagination import Paginator


class SignNowApi(EsignatureApi):
    """The key is a bearer token, for the real accounts or for those of the sandbox."""

    key_header = "Authorization"
    key_format = "Bearer {}"
    token_path = "/oauth2/token"  # noqa: S105
    permission_help = (
        "the token has to be of a user who may see this (an administrator, for what belongs to "
        "a team or an organization), and the account's plan has to have it"
    )
    extra_settings = (
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


class SignNowApplicationApi(ApplicationApi, SignNowApi):
    """The part of the API that knows applications: by a ready-made Basic token."""


class SignNowPages(EsignaturePages):
    """``page`` from 1: after the last one comes an empty page, it again, or 400 or 404."""

    past_end = PerhapsPages.past_end
    repeat_ends = True


class ContactPages(SignNowPages):
    """``page`` from 1 with ``per_page`` 100, which is known to be taken for contacts only."""

    size = 100


class LogPages(PageNumbers):
    """``page`` from 1 with ``per_page`` 20; every request to the API adds a row in front."""

    size = 20
    size_param = "per_page"
    newest_first = True
    past_end = PerhapsPages.past_end


class DocumentPages(PerhapsPages):
    """``page`` from 1 with ``per_page`` 100: after the last one an empty page, it again, or 400."""

    size_param = "per_page"


class SignNowStream(EsignatureStream):
    """Base of the SignNow streams."""

    api: ClassVar[type[EsignatureApi]] = SignNowApi
    paginator_class: ClassVar[type[Paginator]] = SignNowPages
