"""A tap piped into a target by processes of their own, its states kept once they are confirmed."""

from __future__ import annotations

import json
import re
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tap_analytics.fleet.starting import starter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_analytics.fleet.lease import Lease
    from tap_analytics.fleet.starting import Guard
    from tap_analytics.fleet.store import Store
    from tap_analytics.fleet.unit import Unit

_EXIT = b"EXIT "
_SECONDS_BETWEEN_STATES = 1.0
_LOG_BYTES = 64 * 1024
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f\x7f-\x9f]")
"""What would change a terminal's colors, or worse."""


@dataclass
class Ending:
    """How the programs ended.

    Attributes:
        tap: Exit status of the tap, negative for a signal; None if it is not known.
        target: That of the target.
        report: The tap's report, empty if there is none.
        last_words: The last line that each logged, by name.
        told: Why the tap was told to end; None if it was not.
        states: How many states the target confirmed.
    """

    tap: int | None = None
    target: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)
    last_words: Mapping[str, str] = field(default_factory=dict)
    told: str | None = None
    states: int = 0


class Pipeline:
    """One run of the two programs."""

    def __init__(self, unit: Unit, store: Store, lease: Lease) -> None:
        """Prepare a run.

        Args:
            unit: What to read, and into what.
            store: Where its state is.
            lease: The right to read the account.
        """
        self._unit = unit
        self._store = store
        self._lease = lease
        self._guard: Guard | None = None
        self._lock = threading.Lock()
        self._told: str | None = None

    def end(self, why: str) -> None:
        """Tell the tap to end, from any thread; what it has read still reaches the target."""
        with self._lock:
            if self._told is None:  # a second signal would end the tap without its state
                self._told = why
                self._say(b"end\n")

    def abandon(self) -> None:
        """Kill both at once, from any thread: the account is not ours any more."""
        with self._lock:
            if self._guard is not None:
                with suppress(OSError):
                    self._guard.stdin.close()

    def run(self) -> Ending:
        """Run both to their ends, and keep each state that the target confirms.

        Raises:
            Lost: The account has passed on to another worker.
        """
        with tempfile.TemporaryDirectory(prefix="tap-analytics-fleet-") as name:
            folder = Path(name)
            job = self._job(folder)
            why = f"took longer than {self._unit.limit:.0f} s"
            timer = threading.Timer(self._unit.limit, self.end, (why,))
            timer.daemon = True
            timer.start()
            try:
                ending = self._pipe(job)
            finally:
                timer.cancel()
                self.abandon()
            self._lease.check()
            ending.told = self._told
            ending.report = _report(folder / "report.json")
            logs = {part: _tail(folder / f"{part}.log") for part in ("tap", "target")}
            ending.last_words = {part: _last_line(text) for part, text in logs.items()}
            text = "".join(f"# {part}\n{log}\n" for part, log in logs.items())
            self._store.write(self._unit.log_name, text.encode())
        return ending

    def _job(self, folder: Path) -> dict[str, Any]:
        """Put the files that the tap reads into a folder; return what the guard is to do."""
        command = [sys.executable, "-m", "tap_analytics", "--config", "-"]
        if self._unit.is_schema_only:
            command.append("--test=schema")
        files = {"state": self._unit.state_name, "catalog": self._unit.catalog}
        for part, name in files.items():
            content = self._store.read(name) if name else None
            if content is None and name and part == "catalog":  # it would read all streams
                text = f"the catalog '{name}' is not in --state any more"
                raise FileNotFoundError(text)
            if content is not None:
                path = folder / f"{part}.json"
                path.write_bytes(content)
                command += [f"--{part}", str(path)]
        return {
            "tap": command,
            "target": self._unit.target,
            "config": {
                **self._unit.settings,
                "report_path": str(folder / "report.json"),
            },
            "folder": str(folder),
            "patience": self._unit.patience,
            "tap_log": str(folder / "tap.log"),
            "target_log": str(folder / "target.log"),
        }

    def _pipe(self, job: Mapping[str, Any]) -> Ending:
        with self._lock:
            self._guard = started = starter.start()
            self._say(json.dumps(job).encode() + b"\n")
            if self._told:
                self._say(b"end\n")
        self._lease.on_loss = self.abandon
        with started.stdout as said:
            try:
                return self._follow(said)
            finally:
                self.abandon()

    def _follow(self, said: IO[bytes]) -> Ending:
        """Keep the states that the target prints, until both programs have ended."""
        ending = Ending()
        line = b""
        latest: bytes | None = None
        kept_at = 0.0
        for line in said:
            if _is_state(line):
                latest = line
                ending.states += 1
                if time.monotonic() - kept_at > _SECONDS_BETWEEN_STATES:
                    self._keep(latest)
                    latest, kept_at = None, time.monotonic()
        if latest is not None:
            self._keep(latest)
        if line.startswith(_EXIT):  # none, if the guard was killed
            ending.tap, ending.target = json.loads(line[len(_EXIT) :])
        return ending

    def _keep(self, state: bytes) -> None:
        self._lease.check()
        self._store.write(self._unit.state_name, state)

    def _say(self, line: bytes) -> None:
        if self._guard is not None:
            with suppress(OSError, ValueError):
                self._guard.stdin.write(line)
                self._guard.stdin.flush()


def _is_state(line: bytes) -> bool:
    """Whether a line is a state, and not something else that a target prints, such as its log."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("bookmarks"), dict)


def _report(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last_line(text: str) -> str:
    """Return the last line of a log, without the time, level and name before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1].rsplit(" | ", 1)[-1] if lines else ""
    return _CONTROL.sub("", last)
