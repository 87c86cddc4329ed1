"""Running the real tap in a process of its own, and reading what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.helpers.forks import run_command, run_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_analytics.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
TAP = (sys.executable, "-m", "tap_analytics")
BYTECODE = {"PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache/bytecode")}
"""Where the programs that tests start keep theirs, to share it."""
SECRETS = ("_api_key", "_api_key_id", "_auth_token")

Record = dict[str, Any]


def environment(**more: str) -> dict[str, str]:
    """Return an environment without any setting of the tap but the given ones."""
    ours = ("TAP_ANALYTICS_", "SINGER_SDK_", "LOGLEVEL")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return {**kept, **more}


@dataclass(frozen=True)
class Result:
    """What one run of the tap left behind.

    Attributes:
        status: Its exit status, negative if a signal killed it.
        lines: The messages it wrote, in order.
        stderr: Its log.
        report: Its report, by stream.
    """

    status: int
    lines: list[Record]
    stderr: str
    report: dict[str, Record] = field(default_factory=dict)

    @cached_property
    def records(self) -> dict[str, list[Record]]:
        """The records by stream, in order."""
        found: dict[str, list[Record]] = {line["stream"]: [] for line in self.of("SCHEMA")}
        for line in self.of("RECORD"):
            found[line["stream"]].append(line["record"])
        return found

    @cached_property
    def schemas(self) -> dict[str, Record]:
        """The SCHEMA messages by stream."""
        return {line["stream"]: line for line in self.of("SCHEMA")}

    @cached_property
    def states(self) -> list[Record]:
        """The values of the STATE messages, in order."""
        return [line["value"] for line in self.of("STATE")]

    @property
    def state(self) -> Record:
        """The last state, empty if there is none."""
        return self.states[-1] if self.states else {}

    def bookmark(self, stream: str) -> Any:
        """Return the bookmark of a stream in the last state."""
        return self.state["bookmarks"][stream]["replication_key_value"]

    def of(self, kind: str) -> list[Record]:
        """Return the messages of a kind."""
        return [line for line in self.lines if line["type"] == kind]

    def outcome(self, stream: str) -> str:
        """Return what the report says became of a stream."""
        return str(self.report[stream]["status"])


@lru_cache(maxsize=8)
def _discovered(settings: str) -> str:
    with _files({"config": settings}) as paths:
        found = run_text(["--discover", "--config", paths["config"]], env=environment())
    found.check_returncode()
    return found.stdout


def catalog(*streams: str, config: Mapping[str, Any] | None = None) -> Record:
    """Return the discovered catalog with only these streams selected.

    Args:
        streams: Their names.
        config: The settings to discover with, where others than the documented streams matter.
    """
    found: Record = json.loads(_discovered(json.dumps(config or {}, sort_keys=True)))
    names = {entry["tap_stream_id"] for entry in found["streams"]}
    assert names.issuperset(streams), sorted(set(streams) - names)
    for entry in found["streams"]:
        metadata_of(entry)["selected"] = entry["tap_stream_id"] in streams
    return found


def metadata_of(entry: Record, *breadcrumb: str) -> Record:
    """Return the metadata of a catalog entry, or of a place in it."""
    found: list[Record] = [
        part["metadata"] for part in entry["metadata"] if part["breadcrumb"] == list(breadcrumb)
    ]
    return found[0]


def entry_of(catalog: Record, stream: str) -> Record:
    """Return a stream's entry of a catalog."""
    found: list[Record] = [e for e in catalog["streams"] if e["tap_stream_id"] == stream]
    return found[0]


@contextmanager
def _files(contents: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder, f"{name}.json")) for name in contents}
        for name, content in contents.items():
            text = content if isinstance(content, str) else json.dumps(content)
            Path(paths[name]).write_text(text, encoding="utf-8")
        yield {**paths, "report": str(Path(folder, "report.json"))}


@contextmanager
def started_tap(  # noqa: PLR0913 - one for each part of a start
    config: Mapping[str, Any],
    *streams: str,
    catalog_: Record | None = None,
    state: Any = None,
    env: Mapping[str, str] | None = None,
    stdout: Any = subprocess.PIPE,
    limits: str = ":",
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Start the tap; yield the process and the path of its report.

    Its log goes to the file `stderr` beside the report. `limits` is what the shell does before
    it, such as `ulimit -v 500000`.
    """
    with (
        _arguments(config, streams, catalog_, state) as (arguments, report),
        report.with_name("stderr").open("wb") as stderr,
        subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", f'{limits} && exec "$@"', "sh", *TAP, *arguments],
            cwd=ROOT,
            env=environment(**(env or {})),
            stdout=stdout,
            stderr=stderr,
        ) as process,
    ):
        try:
            yield process, report
        finally:
            process.kill()


@contextmanager
def _arguments(
    config: Mapping[str, Any], streams: tuple[str, ...], catalog_: Record | None, state: Any
) -> Iterator[tuple[list[str], Path]]:
    """Write the files of a run; yield its arguments and the path of its report."""
    contents = {"config": dict(config)}
    if streams or catalog_:
        contents["catalog"] = catalog_ or catalog(*streams)
    if state is not None:
        contents["state"] = state
    with _files(contents) as paths:
        report = Path(config.get("report_path", paths["report"]))
        settings = {"report_path": str(report), **config}
        Path(paths["config"]).write_text(json.dumps(settings), encoding="utf-8")
        yield [part for name in contents for part in (f"--{name}", paths[name])], report


def run_tap(  # noqa: PLR0913
    config: Mapping[str, Any],
    *streams: str,
    catalog_: Record | None = None,
    state: Any = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
    constants: Mapping[str, object] | None = None,
) -> Result:
    """Run the tap to its end.

    Everything it writes is searched for the secrets in its settings.

    Args:
        config: Its settings.
        streams: Names of the streams to select, all if none is given.
        catalog_: A catalog in place of that.
        state: A state as value or as text.
        env: Further environment.
        timeout: Seconds after which the test fails.
        constants: See `run_command`.
    """
    with _arguments(config, streams, catalog_, state) as (arguments, report):
        done = run_command(
            arguments, env=environment(**(env or {})), timeout=timeout, constants=constants
        )
        result = read_result(done.returncode, done.stdout, report, done.stderr.decode())
    secrets = [str(value) for name, value in config.items() if name.endswith(SECRETS)]
    written = done.stdout.decode() + result.stderr + json.dumps(result.report)
    assert not [secret for secret in secrets if secret in written]
    return result


def read_result(status: int, out: bytes, report: Path, stderr: str | None = None) -> Result:
    """Read what a tap wrote; every line has to be JSON, and its log may be in a file."""
    lines = [json.loads(line) for line in out.split(b"\n") if line]
    if stderr is None:
        stderr = report.with_name("stderr").read_text(encoding="utf-8")
    rows = json.loads(report.read_text(encoding="utf-8"))["streams"] if report.exists() else []
    return Result(status, lines, stderr, {row["stream"]: row for row in rows})


def settings(sandbox: Sandbox, *apis: str, **more: Any) -> Record:
    """Return the settings that read some APIs of a sandbox (all if none is named).

    Waits between retries are short, and `more` settings are added.
    """
    found = {
        name: value
        for name, value in sandbox.config().items()
        if not apis or name.startswith((*apis, "start_date"))
    }
    return {**found, "backoff_factor": 0.01, **more}
