"""One run over everything that a sandbox serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsonschema import Draft7Validator, FormatChecker

from tests.helpers.comparing import by_key
from tests.helpers.support import Result, entry_of, run_tap, settings
from tests.helpers.support import catalog as discovered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_analytics.sandbox import Request, Sandbox
    from tests.helpers.support import Record


@dataclass(frozen=True)
class Everything:
    """A run over all streams.

    Attributes:
        sandbox: What it read.
        result: What it wrote.
        requests: What it asked, by stream.
        catalog: What it discovers.
    """

    sandbox: Sandbox
    result: Result
    requests: dict[str, list[Request]]
    catalog: Record

    @classmethod
    def read(
        cls,
        sandbox: Sandbox,
        names: Iterable[str],
        catalog: Record | None = None,
        **more: Any,
    ) -> Everything:
        """Let the tap read all streams, or those of a catalog; these are their names.

        `more` settings are added.
        """
        config = settings(sandbox, **more)
        result = run_tap(config, catalog_=catalog, timeout=120)
        requests: dict[str, list[Request]] = {name: [] for name in names}
        for request in sandbox.requests:
            requests[request.stream].append(request)
        return cls(sandbox, result, requests, catalog or discovered(config=config))

    def assert_complete(self) -> None:
        """Assert that the run says that it read everything."""
        assert self.result.status == 0, self.result.stderr[-3000:]
        assert set(self.result.records) == set(self.requests)
        assert {row["status"] for row in self.result.report.values()} == {"complete"}

    def rows(self, name: str, keys: tuple[str, ...]) -> list[Any]:
        """Return the rows of a stream, and assert that these are its keys, one for each row."""
        rows, schema = self.result.records[name], self.result.schemas[name]
        assert tuple(schema["key_properties"]) == keys
        assert not [row for row in rows for key in keys if row.get(key) is None]
        assert len(by_key(rows, schema["schema"], keys)) == len(rows)
        return rows

    def schema(self, name: str) -> Record:
        """Return the schema of a stream; unlike a SCHEMA message it tells all that is inside."""
        found: Record = entry_of(self.catalog, name)["schema"]
        return found

    def assert_valid(self, name: str) -> None:
        """Assert that all rows of a stream fit its schema."""
        validator = Draft7Validator(self.schema(name), format_checker=FormatChecker())
        assert not [
            f"{error.json_path}: {error.message}"
            for row in self.result.records[name]
            for error in validator.iter_errors(row)
        ]
