"""Random faults, changes, settings and kills: whatever happens, a sound run means all rows."""

from __future__ import annotations

import random
import signal
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import Answer
from tests.helpers.comparing import by_key, expected_rows
from tests.helpers.contract import BY_NAME
from tests.helpers.support import read_result, settings, started_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_analytics.sandbox import Request, Sandbox
    from tests.helpers.support import Record, Result

STREAMS = (
    "tasks",
    "schedules",
    "public_credentials",
    "subscribers",
    "layers",
    "gates",
    "gates_rules",
    "dynamic_configs",
    "dynamic_configs_versions",
    "events",
    "events_metrics",
    "segments",
    "segments_ids",
    "tags",
    "accounts",
    "crm_contacts",
    "user_modified_documents",
    "signing_links",
)
PARENTS = {
    "gates_rules": "gates",
    "dynamic_configs_versions": "dynamic_configs",
    "segments_ids": "segments",
    "events_metrics": "events",
}
FAULTS = (
    Answer(500, body=b"{}"),
    Answer(503, {"Retry-After": "0"}, b""),
    Answer(429, {"Retry-After": "soon"}, b""),
    Answer(reset=True),
    Answer(cut=30),
    Answer(200, body=b"<html>"),
    Answer(200, body=b""),
    Answer(200, body=b'{"message": "ok"}'),
    Answer(200, body=b'{"error": "busy"}'),
    Answer(delay=1.5),
)
ROWS = 12


class Weather:
    """Faults and changes by chance, the same for the same seed and order of requests."""

    def __init__(self, sandbox: Sandbox, dice: random.Random) -> None:
        self.share = dice.choice([0.0, 0.02, 0.2])
        self.changes = dice.choice([0, 3])
        self._sandbox = sandbox
        self._dice = dice

    def __call__(self, _: Request) -> Answer | None:
        if self.changes and self._dice.random() < 0.05:
            self.changes -= 1
            self._change()
        if self._dice.random() < self.share:
            return self._dice.choice(FAULTS)
        return None

    def _change(self) -> None:
        """Change rows as an API does, with the time of the change, and their parents with them."""
        now = datetime.now(timezone.utc)
        store, index = self._sandbox.store, self._dice.randrange(ROWS)
        iso = now.isoformat().replace("+00:00", "Z")
        milliseconds = int(now.timestamp() * 1000)
        store.update("tasks", index, {"updated_at": iso, "name": iso})
        store.update("accounts", index, {"name": iso})
        for stream, child in (
            ("gates", "gates_rules"),
            ("dynamic_configs", "dynamic_configs_versions"),
        ):
            store.update(stream, index, {"lastModifiedTime": milliseconds, "name": iso})
            parent = list(store.rows("experimentation", stream))[index]["id"]
            row = next(store.rows("experimentation", child))
            if "lastModifiedTime" in row:
                row["lastModifiedTime"] = milliseconds
            store.append(child, {**row, "id": f"new {iso}"}, parent=parent)


def run_once(config: Record, streams: list[str], state: Record | None, lines: int | None) -> Result:
    """Run the tap, and kill it after so many lines unless that is None."""
    with started_tap(config, *streams, state=state) as (tap, report):
        assert tap.stdout is not None
        out = b""
        for _ in range(lines or 0):
            out += tap.stdout.readline()
        if lines is not None:
            tap.kill()
        out += tap.stdout.read()
        status = tap.wait(timeout=90)
        return read_result(status, out[: out.rfind(b"\n") + 1], report)


def assert_all_there(store: dict[str, Record], result: dict[str, Record], stream: str) -> None:
    missing = sorted(set(store) - set(result))
    assert not missing, (stream, missing)
    stale = sorted(key for key in store if store[key] != result[key])
    assert not stale, (stream, stale)


def play(sandbox: Sandbox, seed: int) -> int:
    """Run until a run is sound, and compare what all of them wrote; return the number of runs."""
    dice = random.Random(seed)  # noqa: S311
    weather = Weather(sandbox, dice)
    sandbox.faults.append(weather)
    chosen = set(dice.sample(STREAMS, dice.randint(3, 10)))
    streams = [name for name in STREAMS if name in chosen]
    sizes = dict.fromkeys(
        (f"{api}_page_size" for api in ("status_page", "experimentation", "sales", "esignature")),
        dice.choice([3, 5, 100]),
    )
    config = settings(
        sandbox,
        **sizes,
        max_concurrency=dice.choice([1, 2, 8]),
        request_timeout=1,
        max_retries=dice.choice([0, 2]),
    )
    results: list[Result] = []
    state: Record | None = None
    for number in range(12):
        if number == 6:
            weather.share = 0
        lines = dice.randint(1, 150) if dice.random() < 0.4 and number < 6 else None
        result = run_once(config, streams, state, lines)
        assert result.status in (0, 1, -signal.SIGKILL), result.stderr[-2000:]
        assert "Traceback" not in result.stderr
        results.append(result)
        state = result.state or state
        if result.status == 0 and not weather.changes:
            break
    sandbox.faults.clear()
    calm = run_once(config, streams, state, None)
    results.append(calm)
    assert calm.status == 0, calm.report
    for stream in streams:
        schema, keys = calm.schemas[stream]["schema"], BY_NAME[stream].keys
        latest: dict[str, Record] = {}
        for result in results:
            for row in result.records.get(stream, []):
                latest[repr([row[name] for name in keys])] = row
        if keys == ("row_key",):
            assert len(latest) == ROWS
            continue
        rows = by_key(latest.values(), schema, keys)
        assert_all_there(by_key(expected_rows(sandbox.store, stream), schema, keys), rows, stream)
    return len(results)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens(open_sandbox: Callable[..., Sandbox], seed: int) -> None:
    assert play(open_sandbox(records=ROWS), seed) > 1
