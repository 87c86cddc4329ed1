"""What one API's streams have in common: where it is, how it knows us, how patient to be."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_analytics.engine.http.auth import Grant, HeaderAuthenticator, OAuth
from tap_analytics.engine.http.policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_analytics.engine.http.auth import Authenticator

RENEWAL = ("refresh_token", "client_id", "client_secret")
"""What renews tokens, as settings without an API's prefix."""


class Api:
    """A dialect of an API: declared values, nothing that changes.

    Attributes:
        name: Prefix of its settings.
        title: What a person calls it.
        key_setting: The secret that turns it on, without the prefix.
        token_path: Where its tokens are renewed (OAuth 2), after the base URL; None if its
            key lives until it is revoked.
        also_on: Settings that together turn it on as well, without the prefix.
        credential: The secret its requests carry, without the prefix.
        key_header: Header that carries the key.
        key_format: The header's value, with ``{}`` for the key.
        origin: Scheme and host where no base URL is configured, None if one must be.
        host_setting: The setting that gives the host instead, without the prefix.
        prefix: Path before every stream's path.
        headers: Further headers of every request.
        policy: Its documented retries.
        windows: Its documented limits, as pairs of (requests, seconds).
        extra_settings: Settings of this API alone.
        permission_help: What helps when a list is refused or absent: which permission or
            module it needs, and where that is set.
        empty_is_suspicious: Whether the API answers wrong credentials with empty lists.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    key_setting: ClassVar[str] = "api_key"
    token_path: ClassVar[str | None] = None
    also_on: ClassVar[tuple[str, ...]] = ()
    credential: ClassVar[str] = "api_key"
    key_header: ClassVar[str] = "api_key"
    key_format: ClassVar[str] = "{}"
    origin: ClassVar[str | None] = None
    host_setting: ClassVar[str | None] = None
    prefix: ClassVar[str] = ""
    headers: ClassVar[Mapping[str, str]] = {}
    policy: ClassVar[RetryPolicy] = RetryPolicy()
    windows: ClassVar[tuple[tuple[int, float], ...]] = ()
    extra_settings: ClassVar[tuple[th.Property[Any], ...]] = ()
    permission_help: ClassVar[str] = ""
    empty_is_suspicious: ClassVar[bool] = False

    def __init_subclass__(cls, **more: Any) -> None:
        """Let what renews tokens turn the API on."""
        super().__init_subclass__(**more)
        if cls.token_path is not None:
            cls.also_on = RENEWAL

    @classmethod
    def setting(cls, config: Mapping[str, Any], name: str) -> Any:
        """Return one of the API's own settings, None if it is not set."""
        return config.get(f"{cls.name}_{name}")

    @classmethod
    def is_on(cls, config: Mapping[str, Any]) -> bool:
        """Tell whether the API has a key, or what else turns it on."""
        others = [cls.setting(config, name) for name in cls.also_on]
        return bool(cls.setting(config, cls.key_setting)) or (bool(others) and all(others))

    @classmethod
    def has_credential(cls, config: Mapping[str, Any]) -> bool:
        """Tell whether its requests can be sent."""
        if cls.credential == cls.key_setting:
            return cls.is_on(config)
        return bool(cls.setting(config, cls.credential))

    @classmethod
    def refusal_help(cls, status: int | None) -> tuple[str, bool]:
        """Return what helps when a list is refused, and whether it may be left out instead.

        Args:
            status: The status that it was refused with.
        """
        if status == HTTPStatus.UNAUTHORIZED:
            return f"check setting '{cls.name}_{cls.credential}'", False
        return cls.permission_help, True

    @classmethod
    def base_url(cls, config: Mapping[str, Any]) -> str:
        """Return where paths start.

        A configured base URL counts whole, except where the API has a host of its own: there
        it replaces scheme and host, and the API's prefix stays.
        """
        configured = cls.setting(config, "base_url") or cls.default_origin(config) or ""
        if cls.default_origin(config):
            parts = urlsplit(configured)
            configured = f"{parts.scheme}://{parts.netloc}"
        return configured.rstrip("/") + cls.prefix

    @classmethod
    def default_origin(cls, config: Mapping[str, Any]) -> str | None:  # noqa: ARG003
        """Return scheme and host without a configured base URL; None if there are none."""
        return cls.origin

    @classmethod
    def authenticator(cls, config: Mapping[str, Any]) -> Authenticator:
        """Return what adds the credentials to a request.

        It is a header with the key, or with a token that is renewed where the settings for
        that are there.
        """
        renewer, name, secret = (cls.setting(config, part) for part in RENEWAL)
        if cls.token_path is not None and renewer and name and secret:
            settings = " and ".join(f"'{cls.name}_{part}'" for part in RENEWAL)
            url = cls.base_url(config) + cls.token_path
            grant = Grant(url, name, secret, renewer, f"the settings {settings}")
            return OAuth.shared(grant, cls.setting(config, cls.credential))
        header = cls.setting(config, "api_key_header") or cls.key_header
        key = cls.setting(config, cls.credential) or ""
        return HeaderAuthenticator(header, cls.key_format.format(key))

    @classmethod
    def limits(cls, config: Mapping[str, Any]) -> tuple[tuple[int, float], ...]:
        """Return the limits in force: the configured rate or the documented ones."""
        rate = cls.setting(config, "requests_per_second")
        return ((1, 1 / float(rate)),) if rate else cls.windows

    @classmethod
    def settings(cls, upstreams: tuple[str, ...]) -> Iterator[th.Property[Any]]:
        """Yield the settings of the API.

        Args:
            upstreams: Names of the vendors whose real API it can speak.
        """
        yield th.Property(
            f"{cls.name}_{cls.key_setting}",
            th.StringType(min_length=1),
            secret=True,
            title=f"{cls.title}: key",
            description="Key of the API; setting it turns the API on.",
        )
        yield th.Property(
            f"{cls.name}_base_url",
            th.StringType(min_length=1),
            title=f"{cls.title}: base URL",
            description="Scheme and host (and path, if any) that the paths start from.",
        )
        if upstreams:
            yield th.Property(
                f"{cls.name}_upstream",
                th.StringType(allowed_values=list(upstreams)),
                title=f"{cls.title}: upstream",
                description="Vendor whose real API to speak, in place of the documented one.",
            )
        yield th.Property(
            f"{cls.name}_api_key_header",
            th.StringType(min_length=1, pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z"),
            title=f"{cls.title}: key header",
            description="Header that carries the key, where it is not the documented one.",
        )
        yield th.Property(
            f"{cls.name}_page_size",
            th.IntegerType(minimum=1, maximum=100_000),
            title=f"{cls.title}: page size",
            description="Rows to ask for on each page, in place of the documented number.",
        )
        yield th.Property(
            f"{cls.name}_requests_per_second",
            th.NumberType(exclusive_minimum=0, maximum=10_000),
            title=f"{cls.title}: requests per second",
            description="Requests allowed per second, in place of the documented rate.",
        )
        if cls.token_path is not None:
            yield from cls._renewal_settings()
        yield from cls.extra_settings

    @classmethod
    def _renewal_settings(cls) -> Iterator[th.Property[Any]]:
        yield th.Property(
            f"{cls.name}_refresh_token",
            th.StringType(min_length=1),
            secret=True,
            title=f"{cls.title}: refresh token",
            description="Renews the bearer token, and is renewed with it; needs the client's id "
            "and secret.",
        )
        yield th.Property(
            f"{cls.name}_client_id",
            th.StringType(min_length=1),
            title=f"{cls.title}: client id",
            description="Id of the application that the refresh token was issued to.",
        )
        yield th.Property(
            f"{cls.name}_client_secret",
            th.StringType(min_length=1),
            secret=True,
            title=f"{cls.title}: client secret",
            description="Secret of the application that the refresh token was issued to.",
        )
