"""The command `tap-analytics-fleet`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import sys
import time
import uuid
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_analytics.fleet import cluster, plan, show
from tap_analytics.fleet.crew import Crew, Limits
from tap_analytics.fleet.store import Store
from tap_analytics.fleet.tables import Tables
from tap_analytics.fleet.told import Told
from tap_analytics.fleet.unit import COMPLETE, MISCONFIGURED, Outcome, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

INCOMPLETE = 1
_VERSION = version("tap-analytics")
_PLACEHOLDER = "{account}"
_DESCRIPTION = """
Read many accounts into a Singer target, each by a tap and a target of its own, on the workers
of a Dask cluster or on this machine alone. tap_analytics/fleet/README.md says more.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the fleet; returns the exit status.

    Args:
        arguments: Those of the command line, unless given.
    """
    options = _parser().parse_args(arguments)
    told = Told()
    try:
        with told.listening():
            return _run(options, told)
    except plan.PlanError as error:
        for text in error.errors:
            sys.stderr.write(f"tap-analytics-fleet: {text}\n")
        return MISCONFIGURED
    except cluster.ClusterError as error:
        sys.stderr.write(f"tap-analytics-fleet: {error}\n")
        return INCOMPLETE


def _run(options: argparse.Namespace, told: Told) -> int:
    began, started_at = time.monotonic(), _now()
    members = _members(options)
    store = _store(options.state)
    catalog = _text(options.catalog) if options.catalog else None
    if options.report:
        _probe(options.report)
    name = f"catalogs/{hashlib.sha256(catalog).hexdigest()[:16]}.json" if catalog else None
    units = _units(options, members, name)
    shown = show.Show(len(units))
    with cluster.connected(
        options.scheduler,
        workers=options.workers,
        threads=options.threads,
        timeout=options.patience,
    ) as client:
        if troubles := cluster.inspect(client, options.target[0]):
            raise plan.PlanError(troubles)
        _settle(store, by_api=options.by_api)
        if name and catalog:
            store.write(name, catalog)
        limits = Limits(options.retries, options.patience)
        crew = Crew(client, units, limits, told, shown)
        is_apart = _is_apart(options)
        outcomes = crew.run(None if is_apart else Tables(store, members, units[0], _VERSION))
        status = _status(outcomes, told)
        shown.table(outcomes, time.monotonic() - began)
        if options.report:
            facts = {
                "version": _VERSION,
                "started_at": started_at,
                "ended_at": _now(),
                "exit_status": status,
            }
            content = show.document(outcomes, facts)
            options.report.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")
        if crew.has_given_up:  # Dask would wait for what does not end
            sys.stderr.flush()
            os._exit(status)
    return status


def _members(options: argparse.Namespace) -> list[plan.Member]:
    members = plan.read(options.accounts, os.environ)
    wanted = set(options.only or ())
    if unknown := sorted(wanted - {member.name for member in members}):
        raise plan.PlanError([f"'{options.accounts}' has no account '{name}'" for name in unknown])
    if not _is_apart(options) and any(member.removes_rows for member in members):
        text = (
            "setting 'emit_activate_version_messages' would remove the rows of other accounts "
            f"from tables that they share: give each a schema, with {_PLACEHOLDER} in --target"
        )
        raise plan.PlanError([text])
    return [member for member in members if not wanted or member.name in wanted]


def _is_apart(options: argparse.Namespace) -> bool:
    """Whether each account has tables of its own."""
    return any(_PLACEHOLDER in part for part in options.target)


def _units(
    options: argparse.Namespace, members: Sequence[plan.Member], catalog: str | None
) -> list[Unit]:
    fleet = uuid.uuid4().hex[:12]
    if options.by_api:
        members = [member.only(api) for member in members for api in sorted(member.apis)]
    return [
        Unit(
            fleet=fleet,
            account=member.name,
            settings=member.config,
            target=tuple(part.replace(_PLACEHOLDER, member.name) for part in options.target),
            store=options.state,
            catalog=catalog,
            lease_seconds=options.lease_seconds,
            limit=options.limit,
            patience=options.patience,
        )
        for member in members
    ]


def _store(url: str) -> Store:
    try:
        return Store(url)
    except (ValueError, ImportError) as error:
        raise plan.PlanError([f"--state: {error}"]) from None


def _settle(store: Store, *, by_api: bool) -> None:
    """Keep to one kind of units: leases of accounts and of their APIs know nothing of each other.

    Raises:
        PlanError: The store has the other kind, or takes nothing.
    """
    ours = b"apis" if by_api else b"accounts"
    try:
        is_other = not store.create("units", ours) and store.read("units") != ours
    except Exception as error:  # noqa: BLE001 - each kind of store has errors of its own
        text = f"--state cannot be written: {type(error).__name__}: {error}"
        raise plan.PlanError([text]) from None
    if is_other:
        text = "--by-api must be given always or never for one --state"
        raise plan.PlanError([text])


def _text(path: Path) -> bytes:
    try:
        text = path.read_text(encoding="utf-8-sig")
        json.loads(text)
    except (OSError, ValueError) as error:
        raise plan.PlanError([f"the catalog file '{path}' cannot be read: {error}"]) from None
    return text.encode()


def _probe(path: Path) -> None:
    try:
        path.open("a").close()
    except OSError as error:
        text = f"the report '{path}' cannot be written: {error.strerror}"
        raise plan.PlanError([text]) from None


def _status(outcomes: Sequence[Outcome], told: Told) -> int:
    if told.status is not None:
        return told.status
    return 0 if all(outcome.status == COMPLETE for outcome in outcomes) else INCOMPLETE


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tap-analytics-fleet", description=_DESCRIPTION)
    add = parser.add_argument
    add("--version", action="version", version=f"%(prog)s {_VERSION}")
    add(
        "--accounts",
        type=Path,
        required=True,
        metavar="FILE",
        help="the tap's settings as YAML or JSON, with 'accounts'; a text that is $NAME is taken "
        "from the environment",
    )
    add(
        "--target",
        required=True,
        type=_command,
        metavar="COMMAND",
        help=f"the target's command line on a worker; {_PLACEHOLDER} in it is the account's name",
    )
    add(
        "--state",
        required=True,
        type=_url,
        metavar="URL",
        help="where all machines keep states and leases: a shared folder, s3://bucket/path, ...",
    )
    add("--catalog", type=Path, metavar="FILE", help="the tap's catalog (default: all streams)")
    add("--report", type=Path, metavar="FILE", help="write a report there, as JSON")
    add("--only", action="append", metavar="NAME", help="read this account only; may be repeated")
    add("--by-api", action="store_true", help="make each API of an account a unit of its own")
    add("--scheduler", metavar="ADDRESS", help="Dask's scheduler, such as tcp://host:8786")
    number = _number(1)
    add("--workers", type=number, default=2, metavar="N", help="else: workers to start here (2)")
    add("--threads", type=number, default=8, metavar="N", help="accounts each reads at once (8)")
    add(
        "--retries",
        type=_number(0),
        default=2,
        metavar="N",
        help="how often an account is tried again whose tap or target broke off (2)",
    )
    add(
        "--patience",
        type=number,
        default=60,
        metavar="SECONDS",
        help="how long to wait for a scheduler, for a worker, and for an end in order (60)",
    )
    add(
        "--lease-seconds",
        type=number,
        default=30,
        metavar="SECONDS",
        help="without a sign of life for so long, an account passes on (30)",
    )
    add(
        "--limit",
        type=number,
        default=86_400,
        metavar="SECONDS",
        help="the longest that one account is read before it is told to end (a day)",
    )
    return parser


def _command(text: str) -> list[str]:
    parts = shlex.split(text)
    if not parts:
        message = "is empty"
        raise argparse.ArgumentTypeError(message)
    return parts


def _url(text: str) -> str:
    """Return a URL that means the same on every machine."""
    if not text.strip():
        message = "is empty"
        raise argparse.ArgumentTypeError(message)
    return text if "://" in text or "::" in text else str(Path(text).absolute())


def _number(least: int) -> Any:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            message = f"{value} is below {least}"
            raise argparse.ArgumentTypeError(message)
        return value

    return number
