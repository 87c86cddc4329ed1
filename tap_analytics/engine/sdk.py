"""The only place that touches private names of the SDK; a canary test watches each of them."""

from __future__ import annotations

import logging
from abc import abstractmethod
from contextlib import contextmanager
from copy import copy
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import msgspec
from singer_sdk import RESTStream, Stream, Tap
from singer_sdk.exceptions import (
    AbortedSyncFailedException,
    AbortedSyncPausedException,
    ConfigValidationError,
    MappingError,
)
from singer_sdk.helpers._catalog import get_selected_schema
from singer_sdk.helpers.capabilities import (
    PluginCapabilities,
    TapCapabilities,
)
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import CustomStreamMap, RemoveRecordTransform, SameRecordTransform
from singer_sdk.singerlib import Metadata, StreamMetadata

from tap_analytics.engine.choices import Malformed, modernized, settle
from tap_analytics.engine.errors import ReadError
from tap_analytics.engine.expressions import check_calls
from tap_analytics.engine.output.writer import LineWriter
from tap_analytics.engine.schemas import as_said
from tap_analytics.engine.values.encode import encode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from types import FrameType

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog, SchemaMessage
    from singer_sdk.singerlib.catalog import AnyMetadata
    from typing_extensions import Self

ABORTED = (AbortedSyncFailedException, AbortedSyncPausedException)
"""Raised by the SDK when a dry run has seen enough records."""
_CAPABILITIES = {
    item.value: item for kind in (TapCapabilities, PluginCapabilities) for item in kind
}
ACTIVATE_VERSION = _CAPABILITIES["activate-version"]
"""The capability to send ACTIVATE_VERSION, which the SDK has in one place or the other."""
_LONGEST_REASON = 200


_METADATA = {
    kind: [(field.name, field.name.replace("_", "-")) for field in fields(kind)]
    for kind in (Metadata, StreamMetadata)
}


def _said(metadata: AnyMetadata) -> dict[str, Any]:
    """Return metadata as the catalog says it."""
    names = _METADATA[type(metadata)]
    return {said: value for name, said in names if (value := getattr(metadata, name)) is not None}


class SdkStream(RESTStream[int]):
    """A stream whose reading is its own; catalog, selection and maps stay the SDK's."""

    state_partitioning_keys = ()
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    _tap: SdkTap
    _requests_session = None
    _compiled_jsonpath = None
    _next_page_token_compiled_jsonpath = None

    def __init__(
        self,
        tap: SdkTap,
        name: str | None = None,
        schema: dict[str, Any] | None = None,
        path: str | None = None,
        *,
        http_method: str | None = None,
    ) -> None:
        """Take what the SDK takes.

        The SDK would make a session of `requests` for every stream, which takes most of the time
        that a stream takes to make; requests are sent by `engine.http`.

        Args:
            tap: Whose stream it is.
            name: Another name than its class has.
            schema: Another schema.
            path: Another path.
            http_method: Another method than GET.
        """
        if path:
            self.path = path
        self._http_method = http_method
        self._http_headers: dict[str, str] = {}
        Stream.__init__(self, tap, schema, name)

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take what the user's catalog says of this stream, and say what cannot be honoured.

        Without keys its rows are still told apart by its own; the SCHEMA has none.
        """
        entry = catalog.get_stream(self.name)
        own = self.primary_keys
        if entry is not None:
            for trouble in settle(self, entry):
                self.logger.warning("The catalog's '%s': %s", self.name, trouble)
        super().apply_catalog(catalog)
        if entry is None or not entry.key_properties:
            self.primary_keys = own

    @cached_property
    def user_agent(self) -> str:
        """The User-Agent header of every request."""
        configured = self.config.get("user_agent")
        return str(configured or f"{self.tap_name}/{self._tap.plugin_version}")

    def for_account(self, config: Mapping[str, Any]) -> Self:
        """Return the stream as it is for one account, which has settings of its own."""
        twin = copy(self)
        for name in tuple(vars(twin)):  # other threads may add to our own meanwhile
            if any(isinstance(vars(k).get(name), cached_property) for k in type(self).__mro__):
                vars(twin).pop(name)
        twin._config = dict(config)  # noqa: SLF001 - it is one of us
        return twin

    def _sync_records(
        self,
        context: Context | None = None,  # noqa: ARG002
        *,
        write_messages: bool = True,  # noqa: ARG002
    ) -> Generator[dict[str, Any], Any, Any]:
        self._tap.read(self)
        yield from ()

    @property
    def emit_activate_version_messages(self) -> bool:
        """Never let the SDK send ACTIVATE_VERSION: it does so before the first record."""
        return False

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Write no signpost: our bookmarks never pass the start of the run."""

    @property
    def is_plain(self) -> bool:
        """Whether records leave as they are: no stream map, no flattening, no nested choice."""
        maps = self.stream_maps
        return (
            len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not maps[0].flattening_enabled
            and all(on for breadcrumb, on in self.mask.items() if len(breadcrumb) > 2)  # noqa: PLR2004
        )

    @property
    def deselected_fields(self) -> list[str]:
        """Top-level fields that the catalog leaves out."""
        properties = self.effective_schema.get("properties", {})
        return [name for name in properties if not self.mask.get(("properties", name), True)]

    def record_lines(self, record: Record, version: int | None, read_at: str) -> bytes:
        """Return the messages that the SDK makes of a record, with all that our own have.

        Args:
            record: The record.
            version: Version of a full-table stream, None without one.
            read_at: When the record was read, ISO 8601 in UTC.

        Raises:
            ReadError: If a stream map fails on it.
        """
        key = {name: record.get(name) for name in self.primary_keys}
        try:
            messages = list(self._generate_record_messages(record))
        except Exception as error:
            told = str(error)[:_LONGEST_REASON] or type(error).__name__
            msg = f"stream_maps: the map of '{self.name}' fails on the row with {key}: {told}"
            raise ReadError(msg) from error
        return b"".join(
            encode(
                {
                    "type": "RECORD",
                    "stream": message.stream,
                    "record": message.record,
                    **({"version": version} if version else {}),
                    "time_extracted": read_at,
                }
            )
            + b"\n"
            for message in messages
        )

    def catalog_entry(self) -> dict[str, Any]:
        """Return what the catalog says of the stream, as the SDK's own entry says it.

        That one makes objects of the schema and dictionaries of these, which takes most of the
        time of `--discover`.
        """
        entry = {
            "tap_stream_id": self.tap_stream_id,
            "replication_key": self.replication_key,
            "replication_method": self.replication_method,
            "key_properties": self.primary_keys or [],
            "schema": self.schema,
            "stream": self.name,
            "metadata": [
                {"breadcrumb": [*place], "metadata": _said(one)}
                for place, one in self.metadata.items()
            ],
        }
        return {name: part for name, part in entry.items() if part is not None}

    def _generate_schema_messages(self) -> Generator[SchemaMessage, None, None]:
        for message in super()._generate_schema_messages():
            message.schema = as_said(message.schema)
            yield message

    def write_schema(self) -> None:
        """Write the SCHEMA message."""
        self._write_schema_message()

    def write_activate_version(self, version: int) -> None:
        """Write the ACTIVATE_VERSION message."""
        self._write_activate_version_message(version)

    @property
    def is_dry_run(self) -> bool:
        """Whether only the first few records are wanted."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def check_limit(self, records: int) -> None:
        """Abort a dry run that has seen enough records.

        Raises:
            Exception: One of `ABORTED`.
        """
        self._check_max_record_limit(current_record_index=records)


class SdkTap(Tap):
    """A tap with our writer, our validation of settings and our way to end.

    Attributes:
        reads_environment: Whether settings of the environment count.
    """

    message_writer_class = LineWriter
    message_writer: LineWriter
    reads_environment = False

    def __init__(self, *, catalog: Any = None, **kwargs: Any) -> None:
        """Create the tap, with a catalog of any age.

        Raises:
            ConfigValidationError: If settings, catalog, state or stream maps are wrong.
        """
        if isinstance(catalog, dict):
            try:
                catalog = modernized(catalog)
            except Malformed as error:
                msg = f"the catalog is no catalog: {error}"
                raise _wrong(msg) from None
        super().__init__(catalog=catalog, **kwargs)

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams by name; the SDK would say a line for each child, which helps nobody."""
        with _without_infos(self.logger):
            return super().streams

    @property
    def catalog_json_text(self) -> str:
        """The catalog of all streams as text, in ASCII if it is, for any terminal."""
        text = msgspec.json.format(encode(self.catalog_dict), indent=2)
        return text.decode() if text.isascii() else super().catalog_json_text

    @property
    def catalog_dict(self) -> dict[str, Any]:
        """The catalog of all streams, as `--discover` prints it."""
        streams = cast("Iterable[SdkStream]", self.streams.values())
        return {"streams": [stream.catalog_entry() for stream in streams]}

    def setup_mapper(self) -> None:
        """Compile the stream maps of what is selected; those of other streams do no harm.

        Raises:
            ConfigValidationError: If one cannot be compiled.
        """
        try:
            super(Tap, self).setup_mapper()
        except (MappingError, ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"setting 'stream_maps' cannot be used: {error}"
            raise _wrong(msg) from None
        given: Mapping[str, Any] = self.input_catalog or {}
        for name, stream in self.streams.items():
            entry = given.get(name)
            keys = list((stream.primary_keys if entry is None else entry.key_properties) or ())
            schema = stream.effective_schema
            if not stream.selected:
                self.mapper.stream_maps[name] = [RemoveRecordTransform(name, schema, keys, None)]
                continue
            schema = get_selected_schema(name, schema, stream.metadata.resolve_selection())
            try:
                self.mapper.register_raw_stream_schema(name, schema, keys)
                for one in self.mapper.stream_maps[name]:
                    if isinstance(one, CustomStreamMap):
                        check_calls(self.config["stream_maps"].get(name), one.functions)
            except Exception as error:  # noqa: BLE001 - what maps raise is not said
                msg = f"setting 'stream_maps': the map of '{name}' cannot be used: {error}"
                raise _wrong(msg) from None

    @abstractmethod
    def read(self, stream: SdkStream) -> None:
        """Read and write one stream, with all below it, for the SDK's own ways to run."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the settings given in the environment."""

    @abstractmethod
    def prepare(self, config: dict[str, Any]) -> None:
        """Make of settings what is meant by them, in place."""

    @abstractmethod
    def find_errors(self) -> list[str]:
        """Return what is wrong with the settings, without a value of theirs."""

    def settle_replication_methods(self) -> None:
        """Read in full what has children that ignore its replication key."""
        self._set_compatible_replication_methods()

    @property
    def _env_var_config(self) -> dict[str, Any]:
        self.append_builtin_config(self.config_jsonschema)
        self.reads_environment = True
        return self.environment()

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        self.prepare(self._config)
        errors = self.find_errors()
        if errors and raise_errors:
            summary = "Config validation failed"
            raise ConfigValidationError(summary, errors=errors, schema=self.config_jsonschema)
        return errors

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.message_writer.ask_end(signum)


@contextmanager
def _without_infos(logger: logging.Logger) -> Iterator[None]:
    level = logger.level
    if logger.getEffectiveLevel() == logging.INFO:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _wrong(text: str) -> ConfigValidationError:
    return ConfigValidationError(text, errors=[text], schema={})
