"""``--test=shape``: a report for strangers, in which nothing of what was answered stands."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_analytics.apis import PACKAGES
from tap_analytics.check.shape import Shape
from tap_analytics.check.words import kind, vocabulary
from tap_analytics.engine.http.answers import Answer
from tap_analytics.sandbox import Answer as Fault
from tap_analytics.sandbox import Sandbox
from tap_analytics.tap import TapAnalytics
from tests.helpers.support import settings
from tests.test_check import run

if TYPE_CHECKING:
    from pathlib import Path

    from tap_analytics.engine.stream import AnalyticsStream

CANARIES = re.compile(r"c4n4ry|31415926|2718281|2031|k3y", re.IGNORECASE)
HEADERS = dict.fromkeys(
    (
        *("Content-Type", "ETag", "Set-Cookie", "X-Request-Id", "Retry-After", "Link", "Date"),
        *("RateLimit", "RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    ),
    "c4n4ry",
)


def all_streams(*, upstream: bool) -> list[AnalyticsStream]:
    config: dict[str, Any] = {"all_streams": True}
    for package in PACKAGES:
        api = package.api
        config[f"{api.name}_{api.key_setting}"] = "key-of-ours"
        config[f"{api.name}_base_url"] = "http://127.0.0.1:9"
        if upstream:
            config[f"{api.name}_upstream"] = next(iter(package.upstreams))
    tap = TapAnalytics(config=config, validate_config=False)
    return list(tap.discover_streams())


DOCUMENTED, VENDORS = all_streams(upstream=False), all_streams(upstream=True)
WORDS = vocabulary([*DOCUMENTED, *VENDORS])


def planted(schema: dict[str, Any], depth: int = 0) -> Any:
    """Return a value of a schema that holds canaries only, as values and as names."""
    types = schema.get("type", "string")
    types = [types] if isinstance(types, str) else types
    first = next((name for name in types if name != "null"), "null")
    if first == "object":
        known = {
            name: planted(part, depth + 1) for name, part in schema.get("properties", {}).items()
        }
        own = {f"k3y-{depth}": "c4n4ry", f"k3y_{depth}_of_ours": {"k3y": ["c4n4ry", 31415926]}}
        return {**known, **own}
    if first == "array":
        return [planted(schema.get("items", {}), depth + 1), planted({"type": "object"}, depth + 1)]
    return {
        "string": {"date-time": "2031-04-05T06:07:08Z", "date": "2031-04-05"}.get(
            schema.get("format", ""), "c4n4ry <c4n4ry@example.org>"
        ),
        "integer": 31415926535,
        "number": 2718281.828,
        "boolean": True,
        "null": None,
    }[first]


def planted_body(stream: AnalyticsStream) -> Any:
    """Return a body with rows where the stream looks for them, and canaries around."""
    rows: Any = [planted(stream.schema) for _ in range(6)]
    if stream.records_jsonpath == "$":
        return rows[0]
    for step in reversed(stream.records_jsonpath.removeprefix("$").split(".")):
        name = step.removesuffix("[*]")
        if step.endswith("[*]") and not isinstance(rows, list):
            rows = [rows]
        if name:
            rows = {name: rows, "k3y": "c4n4ry", "meta": {"total": 31415926, "k3y": "c4n4ry"}}
    return rows


@pytest.mark.parametrize("api", [package.api.name for package in PACKAGES])
def test_nothing_of_any_answer_gets_out(api: str) -> None:
    streams = [stream for stream in (*DOCUMENTED, *VENDORS) if stream.api.name == api]
    assert streams
    told = {stream: checked(stream) for stream in streams}
    own_shape = [stream.name for stream, text in told.items() if "not in the schema" not in text]
    assert len(own_shape) <= len(streams) / 4, f"nothing was found of {own_shape}"


def checked(stream: AnalyticsStream) -> str:
    """Return what is told of a stream's answers, after a search for canaries."""
    shape = Shape(stream, None, WORDS)
    body = json.dumps(planted_body(stream)).encode()
    error = b'{"error": {"c4n4ry": "c4n4ry"}, "message": "k3y", "k3y": 31415926, "code": "c4n4ry"}'
    assert len(CANARIES.findall(body.decode())) > 6, "there is something to find"
    shape.hear(Answer(200, HEADERS, body))
    shape.hear(Answer(403, HEADERS, error))
    shape.hear(Answer(502, HEADERS, b"<html>c4n4ry"))
    shape.hear(Answer(500, HEADERS, b"c4n4ry"))
    told = "\n".join(shape.lines())
    assert not CANARIES.findall(told), told
    assert "answered 403, JSON: {error {1 more}, message text, code text, 1 more}" in told
    assert "answered 502, HTML\n" in told
    return told


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        (3, "integer"),
        (2**60, "integer beyond 2^53"),
        (1.5, "number"),
        ("", "empty text"),
        ("a", "text"),
        ("9" * 100, "text"),
        ("-12.50", "number as text"),
        ("TRUE", "boolean as text"),
        ("2026-01-31", "date"),
        ("2026-01-31T10:00:00.5+02:00", "date-time"),
        ("2026-01-31 10:00:00", "date-time without zone"),
        ([], "empty array"),
        ({"a": 1}, "object"),
    ],
)
def test_values_are_told_by_their_kind(value: Any, name: str) -> None:
    assert kind(value) == name


def test_what_is_always_there_is_told_from_what_is_null_or_absent() -> None:
    stream = next(stream for stream in DOCUMENTED if stream.name == "contacts")
    shape = Shape(stream, 2, WORDS)
    rows = [{"id": 1, "email": None, "updated_at": "2026-01-01T00:00:00Z"}, {"id": 2, "city": "a"}]
    rows += [{"id": 3, "city": None, "first_responder": 1, "lastModifiedTime": 5}]
    headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Reset": "1795000000"}
    shape.hear(Answer(200, headers, json.dumps({"contacts": rows, "meta": {"total": 9}}).encode()))
    lines = "\n".join(shape.lines()).splitlines()
    assert lines[0] == "contacts (sales, account 2) /v1/contacts"
    assert lines[1] == "  answered 200, JSON: {contacts array, meta {total integer}}"
    assert "  total: above the rows of the page" in lines
    assert "  header X-RateLimit-Limit: 1000" in lines
    assert "  header X-RateLimit-Reset: seconds since 1970" in lines
    assert "    id: always; integer" in lines
    assert "    email: sometimes; always null" in lines
    assert "    city: sometimes; text; sometimes null" in lines
    assert "    updated_at: sometimes; date-time" in lines
    assert "    time_zone: never there" in lines
    told = "    (not in the schema): lastModifiedTime (integer), 1 of other names (integer)"
    assert told in lines, "a name that another stream has is public, any other may be data"


def test_a_report_can_be_shared(tmp_path: Path) -> None:
    """The real tap, its keys, addresses, paths of children and refusals."""
    secret = "c4n4ry-of-the-account"
    refusal = json.dumps({"message": f"{secret} may not", "errors": [secret]}).encode()
    with Sandbox(records=12) as sandbox:
        sandbox.faults.append(
            lambda request: {
                "contacts": Fault(403, {"X-Trace": secret}, refusal),
                "won_deals": Fault(body=b"<html>" + secret.encode()),
                "open_tasks": Fault(headers={"Retry-After": secret, "X-RateLimit-Limit": "50"}),
            }.get(request.stream)
        )
        config = settings(sandbox, "sales", "experimentation", sales_api_key=secret)
        config = {**config, "sales_api_key": sandbox.config()["sales_api_key"]}
        accounts = [{"name": "c4n4ry-one"}, {"name": "c4n4ry-two"}]
        done = run(tmp_path, {**config, "accounts": accounts}, test="--test=shape")
        ids = {
            part
            for request in sandbox.requests
            if request.stream == "gates_rules"
            for part in request.path.split("/")
            if part not in request.stream and part not in ("v1", "gates", "rules", "")
        }
    assert done.returncode == 1
    assert "c4n4ry" not in done.stdout
    assert "127.0.0.1" not in done.stdout
    assert config["sales_api_key"] not in done.stdout
    assert ids
    assert not [name for name in ids if name in done.stdout]
    assert "contacts (sales, account 1) /v1/contacts\n  answered 403, JSON" in done.stdout
    assert "gates_rules (experimentation, account 2) /v1/gates/{gate_id}/rules" in done.stdout
    assert "header X-RateLimit-Limit: 50\n" in done.stdout
    assert "Traceback" not in done.stderr
