"""The command `tap-analytics-sandbox`."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import signal
import sys
import textwrap
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from tap_analytics.sandbox.command import ENDING, outcome, run
from tap_analytics.sandbox.contracts import APIS, UPSTREAMS
from tap_analytics.sandbox.environment import merged, variables
from tap_analytics.sandbox.http.limits import Quota
from tap_analytics.sandbox.http.server import Sandbox
from tap_analytics.sandbox.programs import PostgresError
from tap_analytics.sandbox.scratch import Scratch
from tap_analytics.sandbox.variants import listing, vary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType
    from typing import NoReturn

    from tap_analytics.sandbox.postgres import ThrowawayPostgres

_DESCRIPTION = """
Serve the five APIs on generated data, on 127.0.0.1 only. With a command, run it with
TAP_ANALYTICS_* set for all five, then stop and return its exit status. Without one, print what
to set and serve until Ctrl-C.
"""
_EXAMPLE = """
example:
  tap-analytics-sandbox --postgres -- meltano run tap-analytics target-postgres
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox; returns the exit status.

    Args:
        arguments: Those of the command line, unless given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    split = given.index("--") if "--" in given else len(given)
    parser = _parser()
    options, command = parser.parse_args(given[:split]), given[split + 1 :]
    apis = UPSTREAMS if options.upstreams else APIS
    if options.variants:
        sys.stdout.write(listing(apis))
        return 0
    try:
        vary(apis, options.variant)
    except ValueError as error:
        parser.error(str(error))
    for signum in ENDING:
        signal.signal(signum, _end)
    with ExitStack() as stack:
        try:
            sandbox = stack.enter_context(
                Sandbox(
                    options.records,
                    options.port,
                    upstreams=options.upstreams,
                    variants=options.variant,
                    latency=options.latency,
                    rate=options.rate,
                    quota=Quota(options.quota) if options.quota else None,
                    log=0,
                )
            )
            postgres = _postgres(stack) if options.postgres else None
        except (OSError, PostgresError) as error:
            _say(f"the sandbox cannot start: {error}")
            return 1
        if command:
            return _accompany(command, sandbox, postgres, keep=options.keep)
        # Whoever has read what to set may end this at once.
        with suppress(SystemExit):
            _tell_how(sandbox, postgres)
            _wait()
        return 0


def _accompany(
    command: Sequence[str], sandbox: Sandbox, postgres: ThrowawayPostgres | None, *, keep: bool
) -> int:
    """Run the command, and tell what it left in PostgreSQL; returns its exit status."""
    _say(f"sandbox: {sandbox.base_url}")
    if postgres:
        _say(f"PostgreSQL: psql {shlex.quote(postgres.url)}")
    more = postgres.variables() if postgres else {}
    with Scratch() as scratch:
        # Bookmarks of throw-away data must not meet those of a real source.
        more["MELTANO_STATE_BACKEND_URI"] = scratch.path.as_uri()
        status = run(command, merged(os.environ, sandbox.config(), more))
    looked = _tell_tables(postgres, all_of_them=status == 0) if postgres else True
    if postgres:
        look = f"psql {shlex.quote(postgres.url)}" if keep else "run this again with --keep"
        _say(f"\nto look at the rows: {look}")
    if keep:
        _say("the command has ended; Ctrl-C ends the servers too")
    if status:
        # What it said itself is not pushed off the screen by what is said after it.
        name = textwrap.shorten(shlex.join(command), 100, placeholder=" …")
        _say(f"\nfailed: {name} {outcome(status)}; its own last words stand above")
    if keep:
        with suppress(SystemExit):
            _wait()
    return status if looked else status or 1


def _postgres(stack: ExitStack) -> ThrowawayPostgres:
    # The driver takes longer to import than everything else.
    from tap_analytics.sandbox.postgres import ThrowawayPostgres  # noqa: PLC0415

    return stack.enter_context(ThrowawayPostgres())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tap-analytics-sandbox",
        usage="%(prog)s [options] [-- COMMAND ...]",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_number(0), default=0, metavar="N", help="port (default: a free one)"
    )
    parser.add_argument(
        "--records",
        type=_number(0),
        default=100,
        metavar="N",
        help="rows of each list (default: 100); lists below others have 0 to 5 rows for each "
        "row above, so N gates are also N lists of rules; lists without pages end at 1000",
    )
    parser.add_argument(
        "--upstreams",
        action="store_true",
        help="speak as the five vendors do, and set TAP_ANALYTICS_*_UPSTREAM",
    )
    parser.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="NAME",
        help="behave in a way that the facts leave open, such as "
        "statuspage.subscribers=one-based, or signnow.*=absent-403; may be given again",
    )
    parser.add_argument(
        "--variants", action="store_true", help="list all variants, with the lists they concern"
    )
    parser.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="let every answer wait so long",
    )
    parser.add_argument(
        "--rate",
        type=_number(1),
        metavar="N",
        help="allow each API N requests a second, answer more with 429",
    )
    parser.add_argument(
        "--quota",
        type=_number(1),
        metavar="N",
        help="allow each API N requests an hour, and tell so in headers where its vendor does",
    )
    parser.add_argument(
        "--postgres",
        action="store_true",
        help="start a throw-away PostgreSQL too, and set TARGET_POSTGRES_* for the command",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the servers running after the command, until Ctrl-C",
    )
    return parser


def _number(least: int) -> Callable[[str], int]:
    """Read a whole number of at least `least`."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            message = f"{value} is below {least}"
            raise argparse.ArgumentTypeError(message)
        return value

    return number


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        message = f"{text} is not a number of seconds"
        raise argparse.ArgumentTypeError(message)
    return value


def _end(signum: int, _: FrameType | None) -> NoReturn:
    """Leave, and let nothing disturb the cleaning up."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def _wait() -> None:
    """Sleep until a signal comes."""
    while True:
        time.sleep(3600)


def _say(line: str) -> None:
    """Tell the user; standard output belongs to the command."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _tell_how(sandbox: Sandbox, postgres: ThrowawayPostgres | None) -> None:
    """Print, for a shell, what points the tap at the servers."""
    settings = variables(sandbox.config())
    lines = [f"# sandbox: {sandbox.base_url} (Ctrl-C ends it)"]
    if postgres:
        lines.append(f"# PostgreSQL: psql {shlex.quote(postgres.url)}")
        settings |= postgres.variables()
    lines += [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def _tell_tables(postgres: ThrowawayPostgres, *, all_of_them: bool) -> bool:
    """Print what landed where, table by table or in sum; returns whether that could be seen."""
    from psycopg import Error  # noqa: PLC0415 - as for the server

    try:
        tables = postgres.tables()
    except Error as error:
        _say(f"\nPostgreSQL cannot be asked what it has: {error}")
        return False
    schemas = {name.split(".")[0] for name in tables}
    for schema in sorted(schemas):
        inside = {n.split(".", 1)[1]: r for n, r in tables.items() if n.split(".")[0] == schema}
        _say(f"\nschema {schema}: tables {len(inside)}, rows {sum(inside.values()):,}")
        for table, rows in inside.items() if all_of_them else ():
            _say(f"  {rows:>12,}  {table}")
    if not tables:
        _say("no tables in PostgreSQL")
    return True
