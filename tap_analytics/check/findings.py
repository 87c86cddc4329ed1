"""Asking every selected stream for one page, and finding what came of it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from singer_sdk.streams.rest import PageContext

from tap_analytics.engine.errors import ReadError, TransientError
from tap_analytics.engine.http.answers import Answer
from tap_analytics.engine.output.report import Tally
from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.values import times
from tap_analytics.engine.values.cursors import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import requests

    from tap_analytics.check.shape import Shapes
    from tap_analytics.engine.pages.page import Page
    from tap_analytics.engine.run.access import Access
    from tap_analytics.engine.stream import AnalyticsStream

_SIDE_BY_SIDE = 8
_LONGEST_WORD = 160
_ABSENT = (HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


@dataclass(frozen=True)
class Finding:
    """What came of asking a stream for one page.

    Attributes:
        stream: The stream.
        answer: ``ok``, ``empty``, a status, ``wrong shape``, ``no answer`` or ``not asked``.
        rows: Rows on the page.
        advice: What to do, if anything.
        total: How many rows the API says there are.
        seconds: How long the page took.
        lists: How many lists a stream without parent has.
        account: Whose it is, None if there is one account only.
        at_hand: Whether its parent's rows brought it, so that nothing is asked.
    """

    stream: AnalyticsStream
    answer: str
    rows: int = 0
    advice: str = ""
    total: int | None = None
    seconds: float = 0.0
    lists: int = 1
    account: str | None = None
    at_hand: bool = False

    @property
    def name(self) -> str:
        """The stream's name, and whose it is."""
        return self.stream.name if self.account is None else f"{self.account}: {self.stream.name}"

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against reading the stream."""
        return self.answer in ("ok", "empty", "not asked")

    @property
    def is_absent(self) -> bool:
        """Whether the account seems not to have it, so that it may be deselected."""
        return self.answer in {str(int(status)) for status in _ABSENT}


class _WrongShapeError(ReadError):
    """An answer has no records where they should be; another attempt would not help."""


def examine(
    roots: Sequence[AnalyticsStream], accesses: Sequence[Access], shapes: Shapes | None = None
) -> list[Finding]:
    """Ask the streams, and those below them, for one page each, side by side.

    Args:
        roots: The streams without parent.
        accesses: The way to each account.
        shapes: Take the shapes of what is answered, if they are wanted.
    """
    asked = [
        (root, access, shapes)
        for root in roots
        for access in accesses
        if access.account.has(root.api)
    ]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        families = threads.map(lambda one: list(_root(*one)), asked)
        return [finding for family in families for finding in family]


def _root(root: AnalyticsStream, access: Access, shapes: Shapes | None) -> Iterator[Finding]:
    stream = _for(root, access)
    contexts = list(_slices(stream, access))
    for finding in _family(stream, access, contexts[0] if contexts else None, shapes):
        yield replace(finding, lists=len(contexts)) if finding.stream is stream else finding


def _for(stream: AnalyticsStream, access: Access) -> AnalyticsStream:
    return stream if access.name is None else stream.for_account(access.config)


def _slices(stream: AnalyticsStream, access: Access) -> Iterable[dict[str, Any] | None]:
    options = access.options
    return stream.slices(Window(options.since, options.until), times.now())


def _family(
    stream: AnalyticsStream,
    access: Access,
    context: dict[str, Any] | None,
    shapes: Shapes | None,
) -> Iterator[Finding]:
    page: Page | None = None
    at_hand = stream.answer_at_hand(context)
    began = time.monotonic()
    try:
        brought = stream.read_page(at_hand) if at_hand else None
        page = got = brought or _page(stream, access, context, shapes)
    except ReadError as error:
        yield _trouble(stream, access, error)
    else:
        rows, total = len(got.records), got.signals.total
        known = None if total is None or total < rows or got.is_object else total
        took = time.monotonic() - began
        answer = "ok" if rows else "empty"
        found = Finding(stream, answer, rows, total=known, seconds=took, account=access.name)
        yield replace(found, at_hand=at_hand is not None)
    for child in stream.children:
        below = _for(child, access)
        asked = None if page is None else _context(stream, below, page, context or {})
        if asked is None:
            why = f"{stream.name} has no row to ask it with"
            yield Finding(below, "not asked", advice=why, account=access.name)
        else:
            yield from _family(below, access, asked, shapes)


def _page(
    stream: AnalyticsStream,
    access: Access,
    context: dict[str, Any] | None,
    shapes: Shapes | None,
) -> Page:
    shape = None if shapes is None else shapes.of(stream, access.name)
    if (at_hand := stream.answer_at_hand(context)) is not None:
        if shape is not None:
            shape.hear(at_hand)
        return stream.read_page(at_hand)

    def validate(answer: requests.Response) -> None:
        if shape is not None:
            shape.hear(Answer.of(answer))
        stream.validate_response(answer)

    def read(answer: Answer) -> Page:
        try:
            return stream.read_page(answer)
        except TransientError as error:
            raise _WrongShapeError(str(error)) from None

    request = stream.get_http_request(
        page=PageContext(stream_context=context, next_page_token=None)
    )
    client, tally = access.lane(stream).client, Tally(stream.name, stream.api.name)
    try:
        return client.fetch(request, read, tally, auth=stream.authenticator, validate=validate)
    except ReadError as error:
        if stream.settle_for_less(stream.get_new_paginator(), error):
            return _page(stream, access, context, shapes)
        if stream.is_nothing(error):
            return stream.read_page(Answer(HTTPStatus.OK, {}, b"[]"))
        raise


def _context(
    stream: AnalyticsStream, child: AnalyticsStream, page: Page, above: Mapping[str, Any]
) -> dict[str, Any] | None:
    for record in page.records:
        found = stream.get_child_context({**above, **record}, dict(above))
        asked = None if found is None else child.preprocess_context(found)
        if asked is not None:
            return dict(asked)
    return None


def _trouble(stream: AnalyticsStream, access: Access, error: ReadError) -> Finding:
    answer, advice = _told(stream, access, error)
    return Finding(stream, answer, advice=advice, account=access.name)


def _told(stream: AnalyticsStream, access: Access, error: ReadError) -> tuple[str, str]:
    api, config = stream.api, access.config
    status = error.status
    if isinstance(error, _WrongShapeError):
        host = f"{api.name}_base_url' and '{api.name}_upstream"
        return "wrong shape", f"{_said(error)}: check '{host}'"
    helps, may_be_left_out = api.refusal_help(status)
    if not may_be_left_out:
        return str(status), f"the key was refused: {helps}"
    if status in _ABSENT:
        return str(status), helps or "this key or account may not read it: deselect it"
    if status is not None:
        return str(status), _said(error)
    where = "host" if api.host_setting and api.setting(config, api.host_setting) else "base_url"
    advice = f"{_said(error)}: check setting '{api.name}_{where}' and the network"
    return "no answer", advice


def _said(error: ReadError) -> str:
    text = redactor.clean(" ".join(str(error).split()))
    return text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}..."
