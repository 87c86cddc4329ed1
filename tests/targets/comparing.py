"""What a target made of the rows, cell by cell."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from tests.targets.scenario import CHANGED, DELETED_FROM, LATER_COLUMN, key_of

if TYPE_CHECKING:
    from tests.targets.scenario import Load, Row, Scenario
    from tests.targets.targets import Table, Target

_MARK = "_sdc_deleted_at"


def kinds_of(schema: Row) -> set[str]:
    """Return the JSON types of a column, null aside."""
    types = schema.get("type", [])
    return set([types] if isinstance(types, str) else types) - {"null"}


def plain(value: Any, schema: Row) -> Any:
    """Return a value so that two spellings of it are the same, and two values are not."""
    kinds = kinds_of(schema)
    if value is None:
        return None
    if schema.get("format") in ("date", "date-time"):
        return _moment(value)
    if kinds & {"object", "array"}:
        return _document(value)
    if kinds and kinds <= {"integer", "number"}:
        return _number(value)
    if kinds == {"boolean"}:
        return {"true": True, "false": False}.get(str(value).lower(), value)
    return str(value)


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        padded = re.sub(r"\.(\d+)", lambda match: f".{match[1][:6]:0<6}", value)
        try:
            value = datetime.fromisoformat(padded.replace("Z", "+00:00"))
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
    return value.astimezone(timezone.utc) if value.tzinfo else value.replace(tzinfo=timezone.utc)


def _document(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal)
        except ValueError:
            return value
    return json.dumps(_numbered(value), sort_keys=True, ensure_ascii=False)


def _numbered(value: Any) -> Any:
    """Return a document with each number in one spelling."""
    if isinstance(value, dict):
        return {name: _numbered(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item) for item in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"number {Decimal(str(value)).normalize()}"
    return value


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value)).normalize()
    except InvalidOperation:
        return value


def difference(wanted: Any, found: Any) -> str:  # noqa: PLR0911
    """Return the kind of a difference in words."""
    if wanted in ("", "null") and found is None:
        return "an empty text becomes NULL" if wanted == "" else "`null` becomes NULL"
    if wanted is None:
        return "NULL becomes an empty text" if found in ("", '""') else "NULL becomes a JSON null"
    if found is None:
        return "values become NULL"
    if isinstance(wanted, Decimal):
        return "large or long numbers are rounded"
    if isinstance(wanted, str) and isinstance(found, str):
        if wanted[:1] in ("[", "{") and found[:1] == wanted[:1]:
            return "objects and arrays are written as Python"
        if _unbroken(wanted) == _unbroken(found):
            return "line breaks and tabs are changed"
        if wanted.replace("\\", "") == found.replace("\\", ""):
            return "backslashes are changed"
        if wanted.strip() == found.strip():
            return "blanks at the ends are lost"
    return "values are changed"


def _unbroken(text: str) -> str:
    return re.sub(r"[\r\n\t]|\\[rnt]", "", text)


@dataclass
class Outcome:
    """What became of the two loads.

    Attributes:
        error: What the target complained of when it failed.
        missing: Rows that are not there, by stream.
        differences: How often cells differ, by kind.
        examples: A cell of each kind.
        repeats: Whether a row that comes again is there twice.
        gains_column: Whether a column that came later is filled.
        deletion: What became of the row that was deleted.
        forgets: Whether a run that brings one row takes those of earlier runs away.
    """

    error: str = ""
    missing: dict[str, int] = field(default_factory=dict)
    differences: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    repeats: bool = False
    gains_column: bool = False
    deletion: str = "kept"
    forgets: bool = False

    def cells(self) -> tuple[str, ...]:
        """Return what the table says, a cell for each of its columns after the name."""
        if self.error:
            return ("fails", "", "", "", "", "")
        rows = f"{sum(self.missing.values())} missing" if self.missing else "all"
        values = "; ".join(sorted(self.differences)) or "equal"
        again = "added again" if self.repeats else "updated"
        column = "added" if self.gains_column else "lost"
        earlier = "**lost**" if self.forgets else "kept"
        return (rows, values, again, earlier, column, self.deletion)


def outcome(target: Target, scenario: Scenario) -> Outcome:
    """Load both runs, and compare what is there with what was written."""
    seen = Outcome()
    for load in (scenario.first, scenario.second):
        seen.error = target.load(load.text)
        if seen.error:
            return seen
    for stream, table in target.tables(scenario.second.rows).items():
        rows = _spelled(seen, table, scenario.second.schemas[stream])
        _compare(seen, stream, rows, scenario.second)
        if stream == DELETED_FROM:
            _judge(seen, rows, scenario)
    seen.error = target.load(scenario.third)
    left = target.tables([CHANGED])[CHANGED]
    seen.forgets = len(left) < len(scenario.second.rows[CHANGED])
    return seen


def _spelled(seen: Outcome, rows: Table, schema: Row) -> Table:
    """Return rows with the names of columns as the schema spells them."""
    names = {name.lower(): name for name in schema["properties"]}
    if any(name != names.get(name.lower(), name) for row in rows[:1] for name in row):
        seen.differences["names of columns in lower case"] += 1
    return [{names.get(name.lower(), name): row[name] for name in row} for row in rows]


def _by_key(rows: Table, keys: list[str]) -> dict[str, Row]:
    return {key_of(row, keys): row for row in rows}


def _compare(seen: Outcome, stream: str, rows: Table, load: Load) -> None:
    """Compare the last row of each key, cell by cell."""
    found = _by_key(rows, load.keys[stream])
    properties = load.schemas[stream]["properties"]
    for key, row in load.rows[stream].items():
        if key not in found:
            seen.missing[stream] = seen.missing.get(stream, 0) + 1
            continue
        for name, schema in properties.items():
            wanted, here = (plain(part.get(name), schema) for part in (row, found[key]))
            if wanted != here:
                kind = difference(wanted, here)
                seen.differences[kind] += 1
                seen.examples.setdefault(kind, f"{stream}.{name}: {wanted!r} is {here!r}"[:300])


def _judge(seen: Outcome, rows: Table, scenario: Scenario) -> None:
    """Say what became of repeated rows, of the new column and of the deleted row."""
    load = scenario.second
    found = _by_key(rows, load.keys[DELETED_FROM])
    gone = found.get(scenario.deleted)
    seen.deletion = "deleted" if gone is None else "marked" if gone.get(_MARK) else "kept"
    seen.repeats = len(rows) > len(found)
    wanted = [row.get(LATER_COLUMN) for row in load.rows[DELETED_FROM].values()]
    here = [found[key].get(LATER_COLUMN) for key in load.rows[DELETED_FROM] if key in found]
    seen.gains_column = any(wanted) and {v for v in wanted if v} <= set(here)
