"""The base of every stream: what a stream declares, and what follows from it alone.

What it asks stands in `asking`, what it makes of answers in `answering`; here is what becomes
of rows.
"""

from __future__ import annotations

import time
from functools import cached_property
from hashlib import sha256
from string import Formatter
from typing import TYPE_CHECKING, Any, ClassVar

from tap_analytics.engine.accounts import ACCOUNT, accounts
from tap_analytics.engine.answering import CONTENT_KEY, AnsweringStream
from tap_analytics.engine.hooks import refuse_uncalled
from tap_analytics.engine.http.answers import Answer
from tap_analytics.engine.values.conform import Conformer
from tap_analytics.engine.values.decoding import TypedPages
from tap_analytics.engine.values.encode import canonical, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from singer_sdk.helpers.types import Context, Record
    from typing_extensions import Self

    from tap_analytics.engine.sdk import SdkTap
    from tap_analytics.engine.values.cursors import Cursor

_CARRIED = "."
"""Before names in a context that stand for a parent's fields, so that no column is called so."""


class AnalyticsStream(AnsweringStream):
    """A stream that declares its path, paginator, records, keys, and how it is told apart.

    Attributes:
        cursor: Kind of its replication key.
        child_keys: What its children are asked with: names in their paths, and the fields
            of this stream's rows that fill them.
        parent_fields: What its rows carry of their parent's besides: columns here, and the
            fields there.
        inside: The field of its parent's rows that holds its own rows, so that nothing is
            asked; its ``path`` is then where the parent's rows come from.
        inside_always: Whether all of its parent's rows have that field. If not, its ``path`` is
            asked for the rows below one that lacks it.
        left_out: Fields that are known and never wanted, such as those that carry secrets;
            with dots in their names, inside objects or arrays of them.
        references: Columns that hold keys of other streams, each with the ``stream.column``
            it points to.
        lookback_days: How many days before its bookmark it starts, where rows are restated or
            come late.
        newest_change_first: Whether its list is asked for sorted by its replication key, newest
            first, so that it need not be read to its end once that was proven to be so.
        append_only: Whether the API forgets old rows, so that a row that is missing was not
            deleted.
        of_every_parent: Whether its rows change while their parent's stands still, so that
            every run reads it below all of them.
        by_default: Whether it is selected when nobody chose; false for what costs a request
            for each of many rows.
    """

    cursor: ClassVar[Cursor | None] = None
    child_keys: ClassVar[Mapping[str, str]] = {}
    parent_fields: ClassVar[Mapping[str, str]] = {}
    inside: ClassVar[str | None] = None
    inside_always: ClassVar[bool] = True
    left_out: ClassVar[tuple[str, ...]] = ()
    lookback_days: ClassVar[float] = 0
    newest_change_first: ClassVar[bool] = False
    append_only: ClassVar[bool] = False
    of_every_parent: ClassVar[bool] = False
    references: ClassVar[Mapping[str, str]] = {}
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

    def post_process(self, row: Record, context: Context | None = None) -> Record | None:
        """Add to a row what it was asked with, and its key if it has none of its own."""
        if context:
            row.update(context)
        for path in self._left_out_inside:
            _leave_out(row, path)
        if self.keyed_by_content:
            row[CONTENT_KEY] = self.digest(row)
        return row

    def digest(self, row: Record) -> str:
        """Return SHA-256 over a row in canonical JSON, for rows without a key of their own.

        What is left out does not count: secrets and links are made anew while the row stays.
        """
        lasting = {name: value for name, value in row.items() if name not in self.left_out}
        return sha256(canonical(lasting)).hexdigest()

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

    def verdict(self, lists: int) -> str | None:  # noqa: ARG002
        """Return why what was read cannot be all, apart from failures; None if it can.

        Args:
            lists: How many lists of the stream its parents' rows led to.
        """
        return None

    def answer_at_hand(self, context: Mapping[str, Any] | None) -> Answer | None:
        """Return what a request would bring, if the parent's row has brought it already."""
        if self.inside is None:
            return None
        rows = (context or {}).get(_CARRIED + self.inside)
        if rows is None and not self.inside_always:
            return None
        return Answer(200, {}, encode(rows or []), time.monotonic())

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
        above = getattr(self.parent_stream_type, "child_keys", ())
        given = self._columns.intersection((*above, *self.parent_fields))
        return Conformer(self.effective_schema, left_out=left_out, apart=self._names, given=given)

    @cached_property
    def typed_pages(self) -> TypedPages | None:
        """What decodes bodies into typed records, where nothing but its schema changes them."""
        conformer, name = self.conformer, self._selector.name
        kind, base = type(self), AnalyticsStream
        is_own = kind.unwrap is not base.unwrap or kind.merge is not base.merge or self._parses
        if not conformer.takes_typed or name is None or is_own or not self._adds_nothing:
            return None
        if self.children or not self.is_plain:
            return None
        return TypedPages(conformer.typed_record, name or None)

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


def _leave_out(value: Any, path: list[str]) -> None:
    """Take the field at a path out of an object, or out of every object of an array."""
    for one in value if isinstance(value, list) else (value,):
        if isinstance(one, dict):
            if path[1:]:
                _leave_out(one.get(path[0]), path[1:])
            else:
                one.pop(path[0], None)
