"""The base of every stream: what a stream declares, and what follows from it alone."""

from __future__ import annotations

import time
from functools import cached_property
from hashlib import sha256
from string import Formatter
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from singer_sdk.streams.rest import HTTPRequest, PageContext
from typing_extensions import override

from tap_analytics.engine.accounts import ACCOUNT, accounts
from tap_analytics.engine.errors import TransientError, Unaskable
from tap_analytics.engine.hooks import refuse_uncalled
from tap_analytics.engine.http.answers import Answer, NotJson, has_error, judge, reason, told
from tap_analytics.engine.http.auth import FORM
from tap_analytics.engine.pages.page import Page
from tap_analytics.engine.pages.pagination import SinglePage
from tap_analytics.engine.pages.selector import Found, Selector
from tap_analytics.engine.sdk import SdkStream, SdkTap
from tap_analytics.engine.values import times
from tap_analytics.engine.values.conform import Conformer
from tap_analytics.engine.values.encode import canonical, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import requests
    from singer_sdk.helpers.types import Context, Record
    from typing_extensions import Self

    from tap_analytics.engine.api import Api
    from tap_analytics.engine.errors import ReadError
    from tap_analytics.engine.http.auth import Authenticator
    from tap_analytics.engine.pages.pagination import Paginator
    from tap_analytics.engine.values.cursors import Cursor, Window

_CARRIED = "."
"""Before names in a context that stand for a parent's fields, so that no column is called so."""
CONTENT_KEY = "row_key"
"""Key of rows that the API gives no key to: SHA-256 over the row in canonical JSON."""


class AnalyticsStream(SdkStream):
    """A stream that declares its path, paginator, records, keys, and how it is told apart.

    Attributes:
        api: The API it belongs to.
        paginator_class: How its pages are asked for.
        cursor: Kind of its replication key.
        child_keys: What its children are asked with: names in their paths, and the fields
            of this stream's rows that fill them.
        parent_fields: What its rows carry of their parent's besides: columns here, and the
            fields there.
        inside: The field of its parent's rows that holds its own rows, so that nothing is
            asked; its ``path`` is then where the parent's rows come from.
        inside_always: Whether all of its parent's rows have that field. If not, its ``path`` is
            asked for the rows below one that lacks it.
        fixed_params: Query parameters of every request.
        left_out: Fields that are known and never wanted, such as those that carry secrets;
            with dots in their names, inside objects or arrays of them.
        context_params: Query parameters that come from the context, and the names there, which
            it may lack.
        references: Columns that hold keys of other streams, each with the ``stream.column``
            it points to.
        lookback_days: How many days before its bookmark it starts, where rows are restated or
            come late.
        append_only: Whether the API forgets old rows, so that a row that is missing was not
            deleted.
        of_every_parent: Whether its rows change while their parent's stands still, so that
            every run reads it below all of them.
        patience: How many times as long as ``request_timeout`` an attempt may take.
        asks_by_days: Whether its lists are asked for by days, so that `start_date` and
            `end_date` bound them.
        slices_overlap: Whether a row may be in two lists that follow each other.
        by_default: Whether it is selected when nobody chose; false for what costs a request
            for each of many rows.
    """

    api: ClassVar[type[Api]]
    paginator_class: ClassVar[type[Paginator]] = SinglePage
    records_jsonpath: ClassVar[str]
    cursor: ClassVar[Cursor | None] = None
    child_keys: ClassVar[Mapping[str, str]] = {}
    parent_fields: ClassVar[Mapping[str, str]] = {}
    inside: ClassVar[str | None] = None
    inside_always: ClassVar[bool] = True
    fixed_params: ClassVar[Mapping[str, str]] = {}
    context_params: ClassVar[Mapping[str, str]] = {}
    left_out: ClassVar[tuple[str, ...]] = ()
    lookback_days: ClassVar[float] = 0
    append_only: ClassVar[bool] = False
    of_every_parent: ClassVar[bool] = False
    references: ClassVar[Mapping[str, str]] = {}
    patience: ClassVar[float] = 1.0
    asks_by_days: ClassVar[bool] = False
    slices_overlap: ClassVar[bool] = False
    by_default: ClassVar[bool] = True

    def __init_subclass__(cls, **more: Any) -> None:
        """Refuse hooks of the SDK that would never be called.

        Raises:
            TypeError: With what does their work.
        """
        super().__init_subclass__(**more)
        refuse_uncalled(cls, AnalyticsStream)

    def __init__(self, tap: SdkTap, **more: Any) -> None:
        """Take the tap; where it reads several accounts, rows are told apart by theirs."""
        super().__init__(tap, **more)
        if self.config.get("accounts"):
            self.primary_keys = (ACCOUNT, *self.primary_keys)

    def for_account(self, config: Mapping[str, Any]) -> Self:
        """Return the stream as it is for one account; what the schema is compiled to is shared."""
        twin = super().for_account(config)
        vars(twin)["conformer"] = self.conformer
        return twin

    @property
    def selected_by_default(self) -> bool:  # type: ignore[override]
        """Whether it is read when nobody chose: only if there is a credential for it."""
        if not self.by_default:
            return False
        reading = [one for one in accounts(self.config) if self.api.is_on(one.config)]
        return all(self.api.has_credential(one.config) for one in reading)

    # What is asked

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
        return self.paginator_class(self.api.setting(self.config, "page_size"))

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

    # What is answered

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

    @cached_property
    def _own_keys(self) -> tuple[str, ...]:
        asked = {name for _, name, _, _ in Formatter().parse(self.path)}
        asked.update(self.context_params.values(), {CONTENT_KEY, ACCOUNT})
        return tuple(name for name in self.primary_keys if name not in asked)

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
        return type(self).parse_response is not AnalyticsStream.parse_response

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

    def _find(self, answer: Answer) -> Found:
        said = answer.json()
        body = self.unwrap(said)
        try:
            found = self._selector.find(body)
        except LookupError:
            msg = f"answered without records at {self.records_jsonpath}{reason(body)}"
            raise TransientError(msg) from None
        if has_error(said) and not self._holds_rows(found.records, said):
            msg = f"answered with an error in place of records{reason(said)}"
            raise TransientError(msg)
        return found

    def _holds_rows(self, records: list[dict[str, Any]], body: Any) -> bool:
        """Tell whether there are records, and not just an error where one should be."""
        if len(records) == 1 and records[0] is body:
            return bool(self._own_keys) and not body.keys().isdisjoint(self._own_keys)
        return bool(records)

    def _fingerprint(self, records: list[dict[str, Any]], items: list[Any]) -> int:
        if self._own_keys and records:
            try:
                keys = [tuple([row.get(name) for row in records]) for name in self._own_keys]
                if not any(None in column for column in keys):
                    return hash(tuple(keys))
            except TypeError:
                pass
        return hash(encode(records or items))

    def merge(self, pages: Iterable[Page]) -> Iterable[Page]:
        """Return the pages of a list as they are to be taken; most streams change nothing."""
        return pages

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Add to a row what it was asked with, and its key if it has none of its own."""
        if context:
            row.update(context)
        for path in self._left_out_inside:
            _leave_out(row, path)
        if self.keyed_by_content:
            row[CONTENT_KEY] = sha256(canonical(row)).hexdigest()
        return row

    @cached_property
    def _left_out_inside(self) -> list[list[str]]:
        return [name.split(".") for name in self.left_out if "." in name]

    @cached_property
    def _adds_nothing(self) -> bool:
        is_own = type(self).post_process is not AnalyticsStream.post_process
        return not (is_own or self.keyed_by_content or self._left_out_inside)

    def completed(self, records: list[Record], context: dict[str, Any] | None) -> list[Record]:
        """Return the records of a page as `post_process` makes them.

        Of what their list was asked with, they get what the schema has a column for.
        """
        given = context or {}
        asked = {name: value for name, value in given.items() if name in self._columns}
        asked |= {column: given.get(_CARRIED + at) for column, at in self.parent_fields.items()}
        if not self._adds_nothing:
            return [row for raw in records if (row := self.post_process(raw, asked)) is not None]
        if asked:
            for row in records:
                row.update(asked)
        return records

    @cached_property
    def _columns(self) -> frozenset[str]:
        return frozenset(self.schema["properties"])

    def get_child_context(
        self,
        record: Record,
        context: Context | None,  # noqa: ARG002
    ) -> dict[str, Any] | None:
        """Return what the children of a row are asked with; None if it has no identity."""
        values = {name: record.get(field) for name, field in self.child_keys.items()}
        if None in values.values():
            return None
        return values | {_CARRIED + field: record.get(field) for field in self._carried_fields}

    @cached_property
    def _carried_fields(self) -> frozenset[str]:
        wanted = {field for child in self.children for field in child.parent_fields.values()}
        return frozenset(wanted | {child.inside for child in self.children if child.inside})

    def is_nothing(self, error: ReadError) -> bool:  # noqa: ARG002
        """Tell whether a refusal only says that a list is empty; `unwrap` gets ``[]`` then."""
        return False

    def answer_at_hand(self, context: Mapping[str, Any] | None) -> Answer | None:
        """Return what a request would bring, if the parent's row has brought it already."""
        if self.inside is None:
            return None
        rows = (context or {}).get(_CARRIED + self.inside)
        if rows is None and not self.inside_always:
            return None
        return Answer(200, {}, encode(rows or []), time.monotonic())

    def preprocess_context(  # type: ignore[override]  # the SDK has no way to say "no list"
        self, context: Context
    ) -> Context | None:
        """Return what a list of this stream is asked with; None if there is no such list.

        Args:
            context: What the parent's row gives.
        """
        return context

    def verdict(self, lists: int) -> str | None:  # noqa: ARG002
        """Return why what was read cannot be all, apart from failures; None if it can.

        Args:
            lists: How many lists of the stream its parents' rows led to.
        """
        return None

    # What is kept of it

    @cached_property
    def keyed_by_content(self) -> bool:
        """Whether rows have no key but their content."""
        return CONTENT_KEY in self.primary_keys

    @property
    def may_repeat(self) -> bool:
        """Whether a row that comes twice in a list says nothing against the list."""
        return self.keyed_by_content or self.paginator_class.newest_first

    @property
    def has_mixed_keys(self) -> bool:
        """Whether its keys may be numbers in some rows and texts in others."""
        properties = self.schema["properties"]
        kinds = [set(properties[name]["type"]) for name in self.primary_keys]
        return any({"integer", "string"} <= kind for kind in kinds)

    @cached_property
    def window_key(self) -> str | None:
        """The replication key, if the stream is read incrementally."""
        return self.replication_key if self.replication_method == "INCREMENTAL" else None

    @cached_property
    def conformer(self) -> Conformer:
        """Makes rows fit the schema and the user's choice of fields."""
        needed = {*self.primary_keys, self.replication_key}
        deselected = [name for name in self.deselected_fields if name not in needed]
        left_out = (*deselected, *self.left_out)
        return Conformer(self.effective_schema, left_out=left_out, apart=self._names)

    @property
    def _names(self) -> set[str]:
        """The fields that rows are found by: of this stream, of its parent, of its children."""
        asked = {name for _, name, _, _ in Formatter().parse(self.path) if name}
        asked.update(self.context_params.values(), self.child_keys.values())
        return {*asked, *self.primary_keys, *self.references}

    @cached_property
    def mapped_lines(self) -> Callable[[Record, int | None, str], bytes] | None:
        """The SDK's way to write a record, where maps, flattening or nested choices need it."""
        return None if self.is_plain else self.record_lines

    # Its place among the others

    @cached_property
    def children(self) -> list[AnalyticsStream]:
        """Streams below this one that are selected, or have selected ones below them."""
        return [
            child
            for child in self.child_streams
            if isinstance(child, AnalyticsStream)
            and (child.selected or child.has_selected_descendents)
        ]

    @property
    def family(self) -> Iterable[AnalyticsStream]:
        """The stream itself and all streams below it that are read, parents first."""
        yield self
        for child in self.children:
            yield from child.family

    @cached_property
    def has_unique_contexts(self) -> bool:
        """Whether no two rows ask for the same children."""
        keys = {*self.primary_keys} - {ACCOUNT}
        return bool(keys) and keys <= {*self.child_keys.values()}

    # Where it starts and ends

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


def _leave_out(value: Any, path: list[str]) -> None:
    """Take the field at a path out of an object, or out of every object of an array."""
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, dict):
            if path[1:]:
                _leave_out(one.get(path[0]), path[1:])
            else:
                one.pop(path[0], None)
