"""What a stream makes of an answer: whether it is good, and which records are in it."""

from __future__ import annotations

import time
from functools import cached_property
from string import Formatter
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_analytics.engine.accounts import ACCOUNT
from tap_analytics.engine.asking import AskingStream
from tap_analytics.engine.errors import TransientError
from tap_analytics.engine.http.answers import Answer, NotJson, has_error, judge, reason, told
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.selector import Found, Selector
from tap_analytics.engine.values import times
from tap_analytics.engine.values.encode import canonical
from tap_analytics.engine.values.typed import column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import requests
    from singer_sdk.helpers.types import Record

    from tap_analytics.engine.errors import ReadError
    from tap_analytics.engine.values.decoding import TypedPages

CONTENT_KEY = "row_key"
"""Key of rows that the API gives no key to: SHA-256 over the row, see `digest`."""


class AnsweringStream(AskingStream):
    """A stream as far as it reads answers; called on any thread.

    Attributes:
        records_jsonpath: Where the records are in a body.
    """

    records_jsonpath: ClassVar[str]

    @property
    def extra_retry_statuses(self) -> Sequence[int]:  # type: ignore[override]
        """Statuses after which another attempt may help, beside the server's own failures."""
        return self.api.policy.statuses

    @override
    def validate_response(self, response: requests.Response) -> None:
        """Let a good answer pass; called on any thread.

        Overrides may raise the SDK's `RetriableAPIError` and `FatalAPIError` as well.

        Raises:
            TransientError: If another attempt may help.
            Denied: If the key was refused, or what is asked for was not bought.
            Gone: If the API itself says that there is no such object.
            ReadError: If the answer is wrong for good.
        """
        answer = Answer.of(response)
        if not answer.is_good:
            judge(answer, self.extra_retry_statuses, self.response_error_message(answer))

    @override
    def response_error_message(self, response: requests.Response) -> str:
        """Return what an answer of a bad status says, as a short part of a sentence."""
        return told(Answer.of(response))

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Record]:
        """Return the records in a good answer; called on any thread.

        Raises:
            TransientError: If they are not where they should be, or an error stands beside
                none of them or in the place of the only one.
        """
        return self._find(Answer.of(response)).records

    @cached_property
    def _selector(self) -> Selector:
        return Selector(self.records_jsonpath)

    def unwrap(self, body: Any) -> Any:
        """Return a decoded body as `records_jsonpath` expects it; most APIs need no change."""
        return body

    def read_page(self, answer: Answer) -> Page:
        """Return the page in a good answer; called on any thread.

        Raises:
            TransientError: If the records are not where they should be.
        """
        records, is_object, items = self._found(answer)
        body = self._body(answer)
        paginator = self.get_new_paginator()
        rows = paginator.counted(records)
        return Page(
            records,
            paginator.signals(body, answer.headers),
            self._fingerprint(records, items),
            len(answer.content),
            times.iso(times.now()),
            is_object,
            answer.served_at,
            rows=rows,
            is_empty=not items or (is_object and not rows),
            asked_at=answer.asked_at,
            answered_at=time.monotonic(),
        )

    @cached_property
    def _parses(self) -> bool:
        """Whether it has a way of its own to find records, in bodies of any kind."""
        return type(self).parse_response is not AnsweringStream.parse_response

    def _found(self, answer: Answer) -> Found:
        if not self._parses:
            return self._find(answer)
        records = list(self.parse_response(answer))
        return Found(records, is_object=False, items=list(records))

    def _body(self, answer: Answer) -> Any:
        """Return what says how the list goes on: the body, or None if it is not JSON."""
        try:
            return self.unwrap(answer.json())
        except NotJson:
            if self._parses:
                return None
            raise

    @cached_property
    def typed_pages(self) -> TypedPages | None:
        """What decodes its bodies into typed records; None where hooks expect dictionaries."""
        return None

    def _find(self, answer: Answer) -> Found:
        if self.typed_pages is not None:
            answer.decode_by(self.typed_pages)
        said = answer.json()
        body = self.unwrap(said)
        try:
            found = self._selector.find(body)
            if found.is_object and self._is_strange(*found.records):
                raise LookupError(self.records_jsonpath)  # noqa: TRY301 - as if it were not there
        except LookupError:
            msg = f"answered without records at {self.records_jsonpath}{reason(body)}"
            raise TransientError(msg) from None
        if has_error(said) and not self._holds_rows(found.records, said):
            msg = f"answered with an error in place of records{reason(said)}"
            raise TransientError(msg)
        return found

    def _is_strange(self, record: dict[str, Any]) -> bool:
        """Tell whether an object in the place of a list holds other things than a row does."""
        return bool(record) and record.keys().isdisjoint(self.schema["properties"])

    def _holds_rows(self, records: list[dict[str, Any]], body: Any) -> bool:
        """Tell whether there are records, and not just an error where one should be."""
        if len(records) == 1 and records[0] is body:
            return bool(self._own_keys) and not body.keys().isdisjoint(self._own_keys)
        return bool(records)

    def _fingerprint(self, records: list[dict[str, Any]], items: list[Any]) -> int:
        if self._own_keys and records:
            try:
                keys = [tuple(column(records, name)) for name in self._own_keys]
                if not any(None in column for column in keys):
                    return hash(tuple(keys))
            except TypeError:
                pass
        return hash(canonical(records or items))

    def is_nothing(self, error: ReadError) -> bool:  # noqa: ARG002
        """Tell whether a refusal only says that a list is empty; `unwrap` gets ``[]`` then."""
        return False

    @cached_property
    def _own_keys(self) -> tuple[str, ...]:
        asked = {name for _, name, _, _ in Formatter().parse(self.path)}
        asked.update(self.context_params.values(), {CONTENT_KEY, ACCOUNT})
        return tuple(name for name in self.primary_keys if name not in asked)

    def merge(self, pages: Iterable[Page]) -> Iterable[Page]:
        """Return the pages of a list as they are to be taken; most streams change nothing."""
        return pages
