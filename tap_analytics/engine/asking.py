"""What a stream asks: its addresses, parameters and credentials, and its lists."""

from __future__ import annotations

from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from singer_sdk.streams.rest import HTTPRequest, PageContext
from typing_extensions import override

from tap_analytics.engine.errors import Unaskable
from tap_analytics.engine.http.auth import FORM
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.sdk import SdkStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.helpers.types import Context

    from tap_analytics.engine.api import Api
    from tap_analytics.engine.errors import ReadError
    from tap_analytics.engine.http.auth import Authenticator
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Window


_TOO_MANY = (400, 413, 422)
"""What the answer may be where too many rows are asked for."""


class AskingStream(SdkStream):
    """A stream as far as it asks; called on any thread.

    Attributes:
        api: The API it belongs to.
        paginator_class: How its pages are asked for.
        fixed_params: Query parameters of every request.
        context_params: Query parameters that come from the context, and the names there, which
            it may lack.
        patience: How many times as long as ``request_timeout`` an attempt may take.
        asks_by_days: Whether its lists are asked for by days, so that `start_date` and
            `end_date` bound them.
        slices_overlap: Whether a row may be in two lists that follow each other.
        has_small_pages: Whether the server refused pages of the size it was asked for first.
    """

    api: ClassVar[type[Api]]
    paginator_class: ClassVar[type[Paginator]] = SinglePage
    fixed_params: ClassVar[Mapping[str, str]] = {}
    context_params: ClassVar[Mapping[str, str]] = {}
    patience: ClassVar[float] = 1.0
    asks_by_days: ClassVar[bool] = False
    slices_overlap: ClassVar[bool] = False
    has_small_pages = False

    @cached_property
    def url_base(self) -> str:
        """Where paths start."""
        return self.api.base_url(self.config)

    @property
    @override
    def http_headers(self) -> dict[str, str]:
        """Headers of every request; `authenticator` adds those with the credentials."""
        return {
            "Accept": "application/json",
            "User-Agent": self.user_agent,
            "Accept-Encoding": "gzip, deflate",
            **self.api.headers,
        }

    @cached_property
    def authenticator(self) -> Authenticator:
        """Adds the credentials to a request, and renews them where they die."""
        return self.api.authenticator(self.config)

    def get_new_paginator(self) -> Paginator:
        """Return a paginator for one list: one of `engine.pages.pagination`, or like them."""
        paginator = self.paginator_class(self.api.setting(self.config, "page_size"))
        if self.has_small_pages:
            paginator.shrink()
        return paginator

    def settle_for_less(self, paginator: Paginator, error: ReadError) -> bool:
        """Tell whether a first page that was refused may be asked for with fewer rows.

        Lists that begin from now on ask for no more.

        Args:
            paginator: That of the list, which shrinks.
            error: The refusal.
        """
        if error.status not in _TOO_MANY or not paginator.shrink():
            return False
        self.has_small_pages = True
        return True

    def get_url(self, context: Context | None) -> str:
        """Return the URL, with every value of the context as one encoded path segment.

        Raises:
            Unaskable: If a value cannot be a path segment.
        """
        values = {}
        for _, name, _, _ in Formatter().parse(self.path):
            if name:
                text = str((context or {})[name])
                if text in ("", ".", ".."):
                    msg = f"{name} {text!r} cannot be part of a path"
                    raise Unaskable(msg)
                values[name] = quote(text, safe="")
        return self.url_base + self.path.format(**values)

    def get_url_params(
        self, context: Context | None, next_page_token: int | None
    ) -> dict[str, Any]:
        """Return the query parameters that ask for a page; None stands for the first one."""
        given = context or {}
        asked = {param: given[name] for param, name in self.context_params.items() if name in given}
        paginator = self.get_new_paginator()
        token = paginator.first if next_page_token is None else next_page_token
        return {**self.fixed_params, **asked, **paginator.params(token)}

    @override
    def get_http_request(self, *, page: PageContext[int]) -> HTTPRequest:
        """Return the request for a page; called on any thread."""
        context, token = page.stream_context, page.next_page_token
        paginator = self.get_new_paginator()
        token = paginator.first if token is None else token
        params = self.get_url_params(context, token)
        url, params = paginator.place(self.get_url(context), params, token)
        headers = self.http_headers
        payload = self.prepare_request_payload(context, token)
        if payload is not None and not self.payload_as_json:
            headers = {"Content-Type": FORM, **headers}
        return HTTPRequest(url, self.http_method, params, headers, payload)

    def preprocess_context(  # type: ignore[override]  # the SDK has no way to say "no list"
        self, context: Context
    ) -> Context | None:
        """Return what a list of this stream is asked with; None if there is no such list.

        Args:
            context: What the parent's row gives.
        """
        return context

    def slices(
        self,
        window: Window,  # noqa: ARG002
        now: int,  # noqa: ARG002
    ) -> Iterable[dict[str, Any] | None]:
        """Return what its lists are asked with, oldest first; most streams have one list.

        Args:
            window: Which replication keys are wanted.
            now: The current time, in microseconds since 1970.
        """
        return (None,)

    def halves(self, context: Mapping[str, Any] | None) -> Sequence[dict[str, Any]]:  # noqa: ARG002
        """Return what to ask with for the two halves of a list that is too slow as a whole.

        Args:
            context: What that list is asked with.

        Returns:
            Nothing, if it cannot be asked for in parts.
        """
        return ()

    def extent(self, context: Mapping[str, Any] | None) -> int:  # noqa: ARG002
        """Return how much a list spans, for those that can be asked for in parts."""
        return 0
