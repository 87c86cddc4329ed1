"""The settings that there are: those of each API, and those that hold for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_analytics.apis import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.engine.registry import ApiPackage

_A_DAY = 86_400
_TEN_YEARS = 3650
_PER_ACCOUNT = ("start_date", "end_date", "lookback_days", "full_read_every_days")
_COMMON = (
    th.Property(
        "start_date",
        th.StringType(min_length=1),
        title="Start date",
        description="Earliest change to read, an ISO 8601 date or time; a later bookmark wins.",
    ),
    th.Property(
        "end_date",
        th.StringType(min_length=1),
        title="End date",
        description="Latest change to read, an ISO 8601 date (that whole day) or time.",
    ),
    th.Property(
        "all_streams",
        th.BooleanType,
        default=False,
        title="All streams",
        description="List every stream of a vendor, and not only those that most people want.",
    ),
    th.Property(
        "backfill",
        th.BooleanType,
        default=False,
        title="Backfill",
        description="Read only what changed from the start date to the end date, and leave the "
        "state as it came.",
    ),
    th.Property(
        "lookback_days",
        th.NumberType(minimum=0, maximum=_TEN_YEARS),
        title="Days to look back",
        description="Days before its bookmark that an incremental stream starts, in place of what "
        "the stream declares.",
    ),
    th.Property(
        "full_read_every_days",
        th.NumberType(minimum=0, maximum=_TEN_YEARS),
        title="Days between full reads",
        description="Days after which an incremental stream is read in full again, for what "
        "changes silently or is deleted.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Requests in flight",
        description="Requests in flight per API; 1 reads strictly one after the other.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0, maximum=_A_DAY),
        default=60,
        title="Request timeout",
        description="Seconds for a whole attempt, from sending to the last byte.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0, maximum=1000),
        title="Retries",
        description="Retries after a failed attempt, in place of each API's documented number.",
    ),
    th.Property(
        "backoff_factor",
        th.NumberType(minimum=0, maximum=3600),
        title="Backoff factor",
        description="Seconds the waits start from, in place of each API's documented factor.",
    ),
    th.Property(
        "max_wait",
        th.NumberType(minimum=0, maximum=7 * _A_DAY),
        default=900,
        title="Longest wait",
        description="Seconds up to which a server that says when to come back is obeyed.",
    ),
    th.Property(
        "progress",
        th.BooleanType,
        default=True,
        title="Progress",
        description="Say while it runs how far it is: a live view on a terminal, else a short "
        "line now and then.",
    ),
    th.Property(
        "report_path",
        th.StringType(min_length=1),
        title="Report path",
        description="File to write the run report to, as JSON.",
    ),
    th.Property(
        "user_agent",
        th.StringType(min_length=1),
        title="User agent",
        description="User-Agent header of every request.",
    ),
    th.Property(
        "unknown_fields",
        th.StringType(allowed_values=["report", "column"]),
        default="report",
        title="Unknown fields",
        description="What becomes of fields that the schema does not have: left out and reported, "
        "or kept as one JSON object in the column `unknown_fields`.",
    ),
    th.Property(
        "max_lost_share",
        th.NumberType(minimum=0, maximum=1),
        default=0.5,
        title="Largest loss",
        description="Share of its rows that a full-table stream may lose from one run to the next "
        "before ACTIVATE_VERSION is withheld.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION",
        description="Send ACTIVATE_VERSION after a complete full-table stream, so that targets "
        "can remove rows that are gone.",
    ),
)


def schema(packages: Iterable[ApiPackage] = PACKAGES) -> dict[str, Any]:
    """Return the JSON schema of the settings of these APIs, and of those that hold for all."""
    per_api = [setting for package in packages for setting in package.settings()]
    common = [setting for setting in _COMMON if setting.name in _PER_ACCOUNT]
    name = th.Property(
        "name",
        th.StringType(pattern=r"^[A-Za-z0-9_-]{1,64}\Z"),
        required=True,
        title="Name",
        description="What rows, log and report call the account.",
    )
    accounts = th.Property(
        "accounts",
        th.ArrayType(th.ObjectType(name, *per_api, *common, additional_properties=False)),
        secret=True,
        title="Accounts",
        description="Several accounts, read side by side: an array of objects with a `name` and "
        "an API's settings; what one does not say comes from the settings around it.",
    )
    made = th.PropertiesList(*per_api, accounts, *_COMMON, additional_properties=False).to_dict()
    of_account = made["properties"]["accounts"]
    of_account["minItems"] = 1
    for setting in of_account["items"]["properties"].values():
        setting.pop("default", None)  # that comes from the settings around it
    return made
