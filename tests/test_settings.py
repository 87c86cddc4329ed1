"""Settings: what is refused and how it is said, and that secrets stay secret."""

from __future__ import annotations

import base64
import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tap_analytics import settings
from tap_analytics.apis import PACKAGES
from tests.helpers.forks import run_text
from tests.helpers.support import environment, run_tap

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.support import Record

SCHEMA = settings.schema()
PROPERTIES: Record = SCHEMA["properties"]
SECRETS = sorted(
    name for name, part in PROPERTIES.items() if part.get("secret") and name != "accounts"
)
ACCOUNT: Record = PROPERTIES["accounts"]["items"]["properties"]
CANARY = "c4n/ry+ =&?\"'\u00e9"
RENEWED = ("esignature_refresh_token", "esignature_client_id", "esignature_client_secret")
GOOD = {"workforce_api_key": "a-key", "workforce_base_url": "https://api.invalid/base"}


def errors(config: Record) -> list[str]:
    prepared = dict(config)
    settings.prepare(prepared, SCHEMA)
    return list(settings.find_errors(prepared, SCHEMA))


def types_of(name: str) -> set[str]:
    kinds = PROPERTIES[name]["type"]
    return {kinds} - {"null"} if isinstance(kinds, str) else set(kinds) - {"null"}


def api_of(secret: str) -> str:
    (found,) = [f.api.name for f in PACKAGES if secret.startswith(f"{f.api.name}_")]
    return found


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run_text(arguments, env=environment(**env))


def test_there_are_the_settings_of_the_contract() -> None:
    common = "start_date end_date max_concurrency request_timeout max_retries backoff_factor"
    common += " max_wait report_path user_agent accounts all_streams backfill lookback_days"
    common += " full_read_every_days unknown_fields progress"
    for package in PACKAGES:
        name = package.api.name
        key = "esignature_api_key_id" if name == "esignature" else f"{name}_api_key"
        parts = ("base_url", "upstream", "api_key_header", "page_size", "requests_per_second")
        assert {key, *(f"{name}_{part}" for part in parts)} <= set(PROPERTIES)
        assert key in SECRETS
    assert "esignature_auth_token" in SECRETS
    assert set(common.split()) <= set(PROPERTIES)
    renewed = {"esignature_refresh_token", "esignature_client_id", "esignature_client_secret"}
    assert renewed <= set(PROPERTIES)
    defaults: Record = {
        "max_concurrency": 8,
        "request_timeout": 60,
        "max_wait": 900,
        "progress": True,
    }
    defaults |= {"all_streams": False, "backfill": False, "unknown_fields": "report"}
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


@pytest.mark.parametrize("name", sorted({*PROPERTIES} - {"accounts"}))
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


@pytest.mark.parametrize("name", sorted(PROPERTIES))
@pytest.mark.parametrize("value", [None, ""], ids=repr)
def test_null_and_empty_count_as_not_set(name: str, value: str | None) -> None:
    prepared: Record = {name: value}
    settings.prepare(prepared, SCHEMA)
    assert prepared == {
        name: part["default"] for name, part in PROPERTIES.items() if "default" in part
    }
    assert errors({name: value}) == []
    account = {name: value} if name in ACCOUNT else {}
    assert errors({**GOOD, "accounts": [{"name": "acme", **account}]}) == []


@pytest.mark.parametrize("name", ["max_concurrency", "max_retries", "workforce_page_size"])
def test_a_whole_number_may_have_a_point(name: str) -> None:
    for value in (4.0, "4.0", "4"):
        prepared: Record = {name: value}
        settings.prepare(prepared, SCHEMA)
        assert type(prepared[name]) is int


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_concurrency", [0, -1, 65, 1.5, True, "1e3"]),
        ("request_timeout", [0, -1, 1e10, float("nan"), "NaN", "Infinity"]),
        ("max_retries", [-1, 0.5, 10**10]),
        ("backoff_factor", [-0.1, 1e10, float("nan")]),
        ("max_wait", [-1, 1e10, float("inf"), "1e400"]),
        ("lookback_days", [-1, 1e10]),
        ("full_read_every_days", [-1, 1e10]),
        ("max_lost_share", [-0.1, 1.1]),
        ("workforce_page_size", [0, -5, 1.5, 10**10]),
        ("sales_requests_per_second", [0, -1, 1e10]),
        ("unknown_fields", ["drop", "Report"]),
        ("progress", [1, "sometimes"]),
        (
            "sales_host",
            [
                "a b.com",
                "acme.myfreshworks.com\n",
                "http://acme.myfreshworks.com",
                "acme@x.com",
                "/x",
            ],
        ),
        ("workforce_api_version", ["2026-1-1", "2026-01-01\n", "v1\n"]),
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
@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.api.name)
def test_base_urls_are_urls(package: Any, url: str) -> None:
    name = f"{package.api.name}_base_url"
    found = errors({name: url})
    assert len(found) == 1
    assert found[0].startswith(f"setting '{name}' must be a URL such as")
    assert url == "https://" or url not in found[0]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "https://a.example/", "https://a.example/b/c", "http://[::1]:80"]
)
def test_base_urls_may_have_ports_and_paths(url: str) -> None:
    assert errors({**GOOD, "workforce_base_url": url}) == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.api.name)
def test_a_key_needs_a_host_or_a_vendor(package: Any) -> None:
    api = package.api
    (found,) = errors({f"{api.name}_{api.key_setting}": CANARY})
    assert f"'{api.name}_{api.key_setting}' is set" in found
    assert f"'{api.name}_base_url'" in found
    assert f"'{api.name}_upstream' ({', '.join(package.upstreams)})" in found
    assert CANARY not in found


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "value", ["a\nb", " a-key", "a-key ", "a\tb", "a\x00b", "a\u2192b"], ids=repr
)
def test_keys_that_no_header_can_carry_are_refused(name: str, value: str) -> None:
    api = api_of(name)
    config: Record = {f"{api}_base_url": "https://a.example"}
    if api == "esignature":
        config["esignature_api_key_id"] = "a-key"
    found = errors({**config, name: value})
    assert found == [f"setting '{name}' has characters that no header can carry"]


@pytest.mark.parametrize("value", ["a\nb", "tap\u2192analytics", " x"], ids=repr)
def test_a_user_agent_that_no_header_can_carry_is_refused(value: str) -> None:
    assert errors({**GOOD, "user_agent": value}) == [
        "setting 'user_agent' has characters that no header can carry"
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-01", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31T09:59:59Z"),
        ("2026-01-31T00:00:00-01:00", "2026-01-31T00:59:59Z"),
    ],
)
def test_reversed_dates_are_refused(start: str, end: str) -> None:
    assert errors({**GOOD, "start_date": start, "end_date": end}) == [
        "setting 'start_date' is after 'end_date'"
    ]
    assert errors({**GOOD, "start_date": end, "end_date": start}) == []


def test_one_day_may_be_start_and_end() -> None:
    assert errors({**GOOD, "start_date": "2026-01-31T23:00:00Z", "end_date": "2026-01-31"}) == []


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("start_dat", "start_date"),
        ("sales_api_kye", "sales_api_key"),
        ("esignature_api_key", "esignature_api_key_id"),
        ("Max_Wait", "max_wait"),
        ("keep_unknown_fields", "unknown_fields"),
    ],
)
def test_what_was_probably_meant_is_suggested(given: str, meant: str) -> None:
    assert errors({given: "x"}) == [f"unknown setting '{given}': did you mean '{meant}'?"]


@pytest.mark.parametrize("left_out", RENEWED)
def test_what_renews_a_token_is_needed_whole(left_out: str) -> None:
    config: Record = dict.fromkeys(RENEWED, "some-text")
    config["esignature_upstream"] = "signnow"
    assert errors(config) == []
    del config[left_out]
    (found,) = errors(config)
    assert f"needs '{left_out}' too, or 'esignature_api_key_id'" in found
    assert errors({**config, "esignature_api_key_id": "a-key"}) == []


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
        "TAP_ANALYTICS_BACKFILL": "Yes",
        "TAP_ANALYTICS_EMIT_ACTIVATE_VERSION_MESSAGES": "false",
        "TAP_ANALYTICS_WORKFORCE_API_KEY": "123",
        "TAP_ANALYTICS_START_DATE": "2026-01-01",
        "TAP_ANALYTICS_MAX_RETRIES": "many",
        "TAP_ANALYTICS_NOTHING": "x",
        "MAX_WAIT": "4",
    }
    schema = {"properties": {k: {**v, "default": None} for k, v in PROPERTIES.items()}}
    found: Record = dict(settings.from_environment(SCHEMA, given))
    settings.prepare(found, schema)
    assert {name: value for name, value in found.items() if value is not None} == {
        "max_concurrency": 3,
        "backoff_factor": 0.5,
        "backfill": True,
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
    [("max_concurrency", "many", "integer"), ("backfill", "perhaps", "boolean")],
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
        if name in RENEWED:
            config |= dict.fromkeys(RENEWED, secret) | {"esignature_upstream": "signnow"}
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


def of_accounts(*own: Any, **around: Any) -> list[str]:
    return errors({"accounts": list(own), **around})


KEY = {"sales_api_key": CANARY, "sales_base_url": "https://a.example"}


@pytest.mark.parametrize(
    ("own", "around", "said"),
    [
        ([{"name": "a", **KEY}, {"name": "B_2-x", "sales_api_key": "k"}], KEY, []),
        ([{"name": "a"}], KEY, []),
        ([{"name": "a", "start_date": "2026-01-01"}], KEY, []),
        ([], KEY, ["setting 'accounts' must not be empty"]),
        (["a"], KEY, ["account 1: must be an object (JSON)"]),
        (
            [{"name": "a", **KEY}, {"nam": CANARY}],
            {},
            ["account 2: needs a 'name' of letters, digits, '_' and '-'"],
        ),
        (
            [{"name": CANARY, **KEY}],
            {},
            ["account 1: needs a 'name' of letters, digits, '_' and '-'"],
        ),
        (
            [{"name": "a\n", **KEY}],
            {},
            ["account 1: needs a 'name' of letters, digits, '_' and '-'"],
        ),
        ([{"name": "a"}] * 3, KEY, ["account 'a': is there 3 times, and may be once"]),
        (
            [{"name": "a"}, {"name": "b", "sales_api_kye": CANARY}],
            KEY,
            ["account 'b': unknown setting 'sales_api_kye': did you mean 'sales_api_key'?"],
        ),
        (
            [{"name": "a", "sales_page_size": CANARY}],
            KEY,
            ["account 'a': setting 'sales_page_size' must be of type integer"],
        ),
        (
            [{"name": "a", "sales_api_key": "x\ny"}],
            KEY,
            ["account 'a': setting 'sales_api_key' has characters that no header can carry"],
        ),
        (
            [{"name": "a", "end_date": "2026-01-01"}, {"name": "b"}],
            {**KEY, "start_date": "2026-01-02"},
            ["account 'a': setting 'start_date' is after 'end_date'"],
        ),
        (
            [{"name": "a"}, {"name": "b"}],
            {**KEY, "start_date": "2026-01-02", "end_date": "2026-01-01"},
            ["setting 'start_date' is after 'end_date'"],
        ),
        (
            [{"name": "a", **KEY}, {"name": "b"}],
            {},
            ["account 'b': turns on no API: give it the key of one"],
        ),
        (
            [
                {"name": "a", **KEY},
                {
                    "name": "b",
                    "sales_api_key": "k",
                    "sales_upstream": "freshsales",
                    "sales_host": "a.example",
                },
            ],
            {},
            [
                (
                    "setting 'sales_upstream' must be the same for all accounts with this API: "
                    "their streams are the same"
                )
            ],
        ),
        (
            [{"name": "a", **KEY}, {"name": "b", "sales_api_key": "k"}],
            {},
            [
                (
                    "account 'b': setting 'sales_api_key' is set, so 'sales_base_url' or "
                    "'sales_upstream' (freshsales) must be set too: there is no default host"
                )
            ],
        ),
    ],
)
def test_accounts_are_checked_one_by_one(own: Any, around: Record, said: list[str]) -> None:
    assert of_accounts(*own, **around) == said


def test_accounts_that_are_no_json_are_told_by_line_and_column() -> None:
    (found,) = errors({"accounts": '[{"name": "a"},\n {"name": }]'})
    assert found.startswith("setting 'accounts' must be of type array, as JSON: line 2, column 11")
    (found,) = errors({"accounts": "acme"})
    assert found.startswith("setting 'accounts' must be of type array, as JSON: line 1, column 1")


def test_the_secrets_of_accounts_are_secrets() -> None:
    config: Record = {"sales_api_key": "one", "accounts": '[{"name": "a", "sales_api_key": "two"}]'}
    settings.prepare(config, SCHEMA)
    assert list(settings.secrets(config, SCHEMA)) == ["one", "two"]


def test_the_settings_of_an_account_are_an_apis_own() -> None:
    for name in ACCOUNT:
        assert name in PROPERTIES or name == "name"
        assert "default" not in ACCOUNT[name]
    assert "max_wait" not in ACCOUNT
    assert {"sales_host", "esignature_client_secret", "start_date"} <= set(ACCOUNT)


@pytest.mark.parametrize("is_read", [True, False])
def test_the_parts_of_an_object_that_meltano_spells_out_are_no_unknown_settings(
    *, is_read: bool
) -> None:
    schema = {"properties": {"stream_map_config": {"type": ["object", "null"]}}}
    names = ("STREAM_MAP_CONFIG_SALT", "STREAM_MAP_CONFIX")
    spelled = {f"TAP_ANALYTICS_{name}": "pepper" for name in names}
    assert list(settings.unknown_variables(schema, spelled, is_read=is_read)) == [
        "stream_map_confix"
    ]
