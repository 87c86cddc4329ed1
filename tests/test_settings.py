"""Settings: what is refused and how it is said, and that secrets stay secret."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tap_analytics import settings
from tap_analytics.apis import FAMILIES
from tests.support import ROOT, TAP, environment, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support import Record

SCHEMA = settings.schema()
PROPERTIES: Record = SCHEMA["properties"]
SECRETS = sorted(name for name, part in PROPERTIES.items() if part.get("secret"))
CANARY = "c4n/ry+ =&?\"'\u00e9"
GOOD = {"workforce_api_key": "a-key", "workforce_base_url": "https://api.invalid/base"}


def errors(config: Record) -> list[str]:
    return list(settings.find_errors(config, SCHEMA))


def types_of(name: str) -> set[str]:
    kinds = PROPERTIES[name]["type"]
    return {kinds} - {"null"} if isinstance(kinds, str) else set(kinds) - {"null"}


def api_of(secret: str) -> str:
    (found,) = [f.api.name for f in FAMILIES if secret.startswith(f"{f.api.name}_")]
    return found


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [*TAP, *arguments],
        cwd=ROOT,
        env=environment(**env),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_there_are_the_settings_of_the_contract() -> None:
    common = "start_date end_date max_concurrency request_timeout max_retries backoff_factor"
    common += " max_wait report_path user_agent"
    for family in FAMILIES:
        name = family.api.name
        key = "esignature_api_key_id" if name == "esignature" else f"{name}_api_key"
        parts = ("base_url", "upstream", "api_key_header", "page_size", "requests_per_second")
        assert {key, *(f"{name}_{part}" for part in parts)} <= set(PROPERTIES)
        assert key in SECRETS
    assert "esignature_auth_token" in SECRETS
    assert set(common.split()) <= set(PROPERTIES)
    defaults = {"max_concurrency": 8, "request_timeout": 60, "max_wait": 900}
    assert {name: PROPERTIES[name]["default"] for name in defaults} == defaults


def test_secrets_are_what_sounds_like_one() -> None:
    words = ("_api_key", "_api_key_id", "_token", "_secret", "_password")
    assert {name for name in PROPERTIES if name.endswith(words)} == set(SECRETS)


def test_every_setting_says_what_it_is() -> None:
    for name, part in PROPERTIES.items():
        assert part["title"], name
        assert part["description"].endswith("."), name
        assert len(types_of(name)) == 1, name


def test_sound_settings_have_no_errors() -> None:
    assert errors({}) == []
    assert errors(GOOD) == []
    assert (
        errors({**GOOD, "start_date": "2026-01-31", "end_date": "2026-02-01T00:00:00+02:00"}) == []
    )


@pytest.mark.parametrize("name", sorted(PROPERTIES))
@pytest.mark.parametrize("value", [{"a": 1}, [CANARY]], ids=["object", "array"])
def test_every_setting_of_another_type_is_named(name: str, value: object) -> None:
    found = errors({**GOOD, name: value})
    assert f"setting '{name}' must be of type {types_of(name).pop()}" in found
    assert all(line.startswith(f"setting '{name}' must be ") for line in found)
    assert CANARY not in "".join(found)


@pytest.mark.parametrize("name", sorted(n for n in PROPERTIES if "string" not in types_of(n)))
def test_texts_are_no_numbers_and_no_booleans(name: str) -> None:
    (found,) = errors({**GOOD, name: CANARY})
    assert found.startswith(f"setting '{name}' must be of type ")
    assert CANARY not in found


@pytest.mark.parametrize("name", sorted(n for n in PROPERTIES if "string" in types_of(n)))
def test_no_setting_is_empty(name: str) -> None:
    found = errors({**GOOD, name: ""})
    assert found
    assert all(f"'{name}'" in line for line in found)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_concurrency", [0, -1, 65, 1.5, True]),
        ("request_timeout", [0, -1]),
        ("max_retries", [-1, 0.5]),
        ("backoff_factor", [-0.1]),
        ("max_wait", [-1]),
        ("max_lost_share", [-0.1, 1.1]),
        ("workforce_page_size", [0, -5, 1.5]),
        ("sales_requests_per_second", [0, -1]),
        ("keep_unknown_fields", [1, "yes"]),
        ("sales_upstream", ["hubspot", "Freshsales"]),
        ("workforce_api_key_header", ["a b", "a:b", "ä", "a\n"]),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, values: list[Any]) -> None:
    for value in values:
        found = errors({**GOOD, name: value})
        assert [line for line in found if f"'{name}'" in line] == found != [], value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_concurrency", [1, 64]),
        ("request_timeout", [0.1, 1]),
        ("max_retries", [0, 100]),
        ("backoff_factor", [0, 0.5]),
        ("max_wait", [0, 0.5]),
        ("max_lost_share", [0, 1]),
        ("workforce_page_size", [1]),
        ("sales_requests_per_second", [0.01, 1000]),
        ("workforce_upstream", ["factorial"]),
        ("workforce_api_key_header", ["X-Api-Key"]),
    ],
)
def test_values_at_their_bounds_are_taken(name: str, values: list[Any]) -> None:
    assert [errors({**GOOD, name: value}) for value in values] == [[]] * len(values)


@pytest.mark.parametrize("name", ["start_date", "end_date"])
@pytest.mark.parametrize(
    "value", ["soon", "2026-13-01", "2026-02-30", "2026", "01.02.2026", "2026-01-01T25:00"]
)
def test_dates_are_iso_8601(name: str, value: str) -> None:
    assert errors({**GOOD, name: value}) == [
        f"setting '{name}' must be an ISO 8601 date or time, such as 2026-01-31"
    ]


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https:///path",
        "https://user:word@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com/?",
        "https://api.example.com/#",
        "https://api.example.com:port",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api example.com",
        "https://api.example.com/\n",
        "https://[::1",
    ],
)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.api.name)
def test_base_urls_are_urls(family: Any, url: str) -> None:
    name = f"{family.api.name}_base_url"
    found = errors({name: url})
    assert len(found) == 1
    assert found[0].startswith(f"setting '{name}' must be a URL such as")
    assert url == "https://" or url not in found[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://a.example/", "https://a.example/b/c", "http://[::1]:80"]
)
def test_base_urls_may_have_ports_and_paths(url: str) -> None:
    assert errors({**GOOD, "workforce_base_url": url}) == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.api.name)
def test_a_key_needs_a_host_or_a_vendor(family: Any) -> None:
    api = family.api
    (found,) = errors({f"{api.name}_{api.key_setting}": CANARY})
    assert f"'{api.name}_{api.key_setting}' is set" in found
    assert f"'{api.name}_base_url'" in found
    assert f"'{api.name}_upstream' ({', '.join(family.upstreams)})" in found
    assert CANARY not in found


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", ["a\nb", " a-key", "a-key ", "a\tb", "a\x00b"], ids=repr)
def test_keys_that_no_header_can_carry_are_refused(name: str, value: str) -> None:
    api = api_of(name)
    found = errors({name: value, f"{api}_base_url": "https://a.example"})
    assert found == [f"setting '{name}' has characters that no header can carry"]


def test_unknown_settings_are_named_all() -> None:
    assert errors({**GOOD, "b_typo": CANARY, "a_typo": 1}) == [
        "unknown setting 'a_typo'",
        "unknown setting 'b_typo'",
    ]


def test_several_errors_are_told_at_once() -> None:
    found = errors({"typo": 1, "max_retries": "x", "end_date": "soon", "sales_api_key": "k"})
    assert len(found) == 4


def test_numbers_and_booleans_come_from_the_environment_too() -> None:
    given = {
        "TAP_ANALYTICS_MAX_CONCURRENCY": "3",
        "TAP_ANALYTICS_BACKOFF_FACTOR": "0.5",
        "TAP_ANALYTICS_KEEP_UNKNOWN_FIELDS": "Yes",
        "TAP_ANALYTICS_EMIT_ACTIVATE_VERSION_MESSAGES": "false",
        "TAP_ANALYTICS_WORKFORCE_API_KEY": "123",
        "TAP_ANALYTICS_START_DATE": "2026-01-01",
        "TAP_ANALYTICS_MAX_RETRIES": "many",
        "TAP_ANALYTICS_NOTHING": "x",
        "MAX_WAIT": "4",
    }
    assert settings.from_environment(SCHEMA, given) == {
        "max_concurrency": 3,
        "backoff_factor": 0.5,
        "keep_unknown_fields": True,
        "emit_activate_version_messages": False,
        "workforce_api_key": "123",
        "start_date": "2026-01-01",
        "max_retries": "many",
    }


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({**GOOD, "typo": CANARY}, "unknown setting 'typo'"),
        ({**GOOD, "max_wait": CANARY}, "setting 'max_wait' must be of type number"),
        ({"sales_api_key": CANARY}, "setting 'sales_api_key' is set"),
        ({}, "no API is turned on"),
    ],
)
def test_wrong_settings_end_the_run_with_status_2(config: Record, said: str) -> None:
    result = run_tap(config)
    assert (result.status, result.lines) == (2, [])
    assert said in result.stderr
    assert CANARY not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("max_concurrency", "many", "integer"), ("keep_unknown_fields", "perhaps", "boolean")],
)
def test_a_malformed_value_of_the_environment_is_named(name: str, value: str, kind: str) -> None:
    keys = {f"TAP_ANALYTICS_{k.upper()}": v for k, v in GOOD.items()}
    done = command("--config=ENV", **keys, **{f"TAP_ANALYTICS_{name.upper()}": value})
    assert (done.returncode, done.stdout) == (2, "")
    assert f"setting '{name}' must be of type {kind}" in done.stderr


def test_settings_of_the_environment_are_used() -> None:
    with closed_port() as port:
        done = command(
            "--config=ENV",
            TAP_ANALYTICS_WORKFORCE_API_KEY="a-key",
            TAP_ANALYTICS_WORKFORCE_BASE_URL=f"http://127.0.0.1:{port}",
            TAP_ANALYTICS_MAX_RETRIES="0",
        )
    assert done.returncode == 1
    assert "(attempt 1, the last)" in done.stderr


@pytest.mark.parametrize("text", ["{", "[]", "", '"a"'])
def test_a_settings_file_that_is_none_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    done = command(f"--config={path}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("format_", ["json", "markdown"])
def test_about_needs_no_settings(format_: str) -> None:
    done = command("--about", f"--format={format_}")
    assert done.returncode == 0
    for name in PROPERTIES:
        assert name in done.stdout
    if format_ == "json":
        assert json.loads(done.stdout)["name"] == "tap-analytics"


def test_about_shows_no_secret() -> None:
    keys = {f"TAP_ANALYTICS_{name.upper()}": "c4nary-of-ours" for name in SECRETS}
    for format_ in ("json", "markdown"):
        done = command("--about", f"--format={format_}", "--config=ENV", **keys)
        assert done.returncode == 0
        assert "c4nary-of-ours" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_written_anywhere(name: str, tmp_path: Path) -> None:
    api = api_of(name)
    secret = "c4n/ry+=&?'x"
    with closed_port() as port:
        config = {
            name: secret,
            f"{api}_base_url": f"http://127.0.0.1:{port}",
            "max_retries": 0,
            "report_path": str(tmp_path / "report.json"),
        }
        if name == "esignature_auth_token":
            config["esignature_api_key_id"] = secret
        results = [
            run_tap(config, env={"LOGLEVEL": "DEBUG", "TAP_ANALYTICS_LOGLEVEL": "DEBUG"}),
            run_tap({**config, "typo": secret}),
            run_tap({**config, name: f"{secret}\n"}),
        ]
    assert [result.status for result in results] == [1, 2, 2]
    written = "".join(
        json.dumps(result.lines) + result.stderr + json.dumps(result.report) for result in results
    )
    written += "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    raw = secret.encode()
    for form in (secret, quote(secret, safe=""), base64.b64encode(raw).decode()):
        assert form not in written
        assert json.dumps(form)[1:-1] not in written
