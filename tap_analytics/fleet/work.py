"""What a worker does with a unit. Dask imports this module on the worker and calls it there."""

from __future__ import annotations

import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from tap_analytics.fleet.lease import Busy, Holder, Lease, Lost
from tap_analytics.fleet.pipeline import Ending, Pipeline
from tap_analytics.fleet.store import Store
from tap_analytics.fleet.unit import (
    BUSY,
    COMPLETE,
    FAILED,
    INTERRUPTED,
    MISCONFIGURED,
    Outcome,
    Unfinished,
)

if TYPE_CHECKING:
    from typing import Any

    from tap_analytics.fleet.unit import Unit

_INCOMPLETE, _CLOSED, _KILLED = 1, 141, -9
_LONGEST_REASON = 500
_TOLD = "told to end"
_UNCONFIRMED = "the target confirmed no state, so the next run reads the same again"
_KEPT_HALTS = 100

_lock = threading.Lock()
_running: list[tuple[str, Pipeline]] = []
_halted: list[str] = []


def halt(fleet: str) -> None:
    """End what this worker reads for a fleet, and let nothing more of it begin."""
    with _lock:
        if fleet not in _halted:
            _halted.append(fleet)
        del _halted[:-_KEPT_HALTS]
        pipelines = [pipeline for whose, pipeline in _running if whose == fleet]
    for pipeline in pipelines:
        pipeline.end(_TOLD)


def read_account(unit: Unit) -> Outcome:
    """Read an account into the target, from its state on.

    Raises:
        Unfinished: The programs broke off; another attempt may go further.
    """
    place = f"{socket.gethostname()}, process {os.getpid()}"
    began = time.monotonic()
    facts: dict[str, Any] = {"account": unit.account, "worker": place}
    if unit.fleet in _halted:
        return Outcome(**facts, status=INTERRUPTED, reason="not begun")
    store = Store(unit.store)
    lease = Lease(store, unit.account, Holder(unit.fleet, place), unit.lease_seconds)
    try:
        with lease:
            facts["attempts"] = lease.holder.attempt
            ending = _run(Pipeline(unit, store, lease), unit.fleet)
    except Busy as error:
        return Outcome(**facts, status=BUSY, reason=str(error))
    except Lost as error:
        raise Unfinished(Outcome(**facts, status=FAILED, reason=str(error))) from None
    facts["seconds"] = round(time.monotonic() - began, 3)
    return judge(ending, facts)


def _run(pipeline: Pipeline, fleet: str) -> Ending:
    with _lock:
        _running.append((fleet, pipeline))
        if fleet in _halted:
            pipeline.end(_TOLD)
    try:
        return pipeline.run()
    finally:
        with _lock:
            _running.remove((fleet, pipeline))


def judge(ending: Ending, facts: dict[str, Any]) -> Outcome:
    """Return what an ending means.

    Args:
        ending: How the programs ended.
        facts: What else is known of the unit.

    Raises:
        Unfinished: Another attempt may go further.
    """
    streams = list(ending.report.get("streams", ()))
    facts = {
        **facts,
        "records": 0 if ending.target else sum(s["records"] for s in streams),
        "tap_status": ending.tap,
        "target_status": ending.target,
        "streams": streams,
    }
    if ending.target == 0 and ending.tap == 0:
        reason = None if ending.states or not facts["records"] else _UNCONFIRMED
        return Outcome(**facts, status=COMPLETE, reason=reason)
    if ending.told:
        killed = _KILLED in (ending.tap, ending.target)
        how = ", and killed, for it did not end in time" if killed else ""
        reason = f"{ending.told}{how}; the next run goes on from its state"
        return Outcome(**facts, status=INTERRUPTED, reason=reason)
    if ending.target == 0 and ending.tap == _INCOMPLETE and streams:
        return Outcome(**facts, status=FAILED, reason=_of_streams(streams))
    if ending.tap == MISCONFIGURED:
        return Outcome(**facts, status=FAILED, reason=f"tap: {ending.last_words['tap']}")
    raise Unfinished(Outcome(**facts, status=FAILED, reason=_of_programs(ending)))


def _of_streams(streams: list[dict[str, Any]]) -> str:
    troubles = [stream for stream in streams if stream["status"] != COMPLETE]
    first = troubles[0] if troubles else {"stream": "", "reason": "failed"}
    text = f"{first['stream']}: {first['reason'] or first['status']}"
    more = f" (and {len(troubles) - 1} more streams)" if len(troubles) > 1 else ""
    return f"{text[:_LONGEST_REASON]}{more}"


def _of_programs(ending: Ending) -> str:
    """Return the words for programs that broke off; the target's end explains the tap's."""
    if ending.tap is ending.target is None and not ending.last_words.get("target"):
        return "tap and target were killed from outside: out of memory, perhaps"
    if ending.target == 0 and ending.tap == _CLOSED:
        words = f": {ending.last_words['target']}" if ending.last_words.get("target") else ""
        return f"target ended before it had taken all of it{words}"[:_LONGEST_REASON]
    for part, status in (("target", ending.target), ("tap", ending.tap)):
        if status != 0:
            words = ending.last_words.get(part, "")
            return f"{part} {_ended(status)}: {words}"[:_LONGEST_REASON]
    return "ended without a word"


def _ended(status: int | None) -> str:
    if status is None:
        return "did not run"
    return f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
