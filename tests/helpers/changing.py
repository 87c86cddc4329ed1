"""Changing the sandbox's rows with the time of the change, in each stream's own spelling."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tests.helpers.comparing import moment
from tests.helpers.contract import BY_NAME

if TYPE_CHECKING:
    from tap_analytics.sandbox import Sandbox

LAST = datetime(2026, 11, 1, tzinfo=timezone.utc)
"""The sandbox's data ends here."""


def instant(value: Any) -> datetime:
    """Return a replication key of any kind as a time."""
    if isinstance(value, str) and not value.isdigit():
        return moment(value)
    number = int(value)
    seconds = number / 1000 if number > 10**11 else number
    return datetime.fromtimestamp(seconds, timezone.utc)


def like(stream: str, when: datetime) -> Any:
    """Return a time as the API spells the replication key of a stream."""
    if stream == "user_modified_documents":
        return str(int(when.timestamp()))
    if stream == "signing_links":
        return int(when.timestamp())
    if BY_NAME[stream].replication_key in ("lastModifiedTime", "createdTime"):
        return int(when.timestamp() * 1000)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def touch(sandbox: Sandbox, stream: str, index: int, when: datetime) -> None:
    """Give a row another replication key."""
    if stream == "crm_contacts":
        row = list(sandbox.store.rows("esignature", stream))[index]
        meta = {**row["meta"], "updated_at": int(when.timestamp())}
        sandbox.store.update(stream, index, {"meta": meta})
    else:
        key = str(BY_NAME[stream].replication_key)
        sandbox.store.update(stream, index, {key: like(stream, when)})
