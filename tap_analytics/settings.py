"""The settings, and what is wrong with given ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator
from singer_sdk import typing as th

from tap_analytics.apis import FAMILIES
from tap_analytics.engine.values import times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

    from jsonschema import ValidationError

    from tap_analytics.engine.catalog import Streams

_COMMON = (
    th.Property(
        "start_date",
        th.StringType(min_length=1),
        title="Start date",
        description="Earliest change to read, an ISO 8601 date or time; a later bookmark wins.",
    ),
    th.Property(
        "end_date",
        th.StringType(min_length=1),
        title="End date",
        description="Latest change to read, an ISO 8601 date (that whole day) or time.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=64),
        default=8,
        title="Requests in flight",
        description="Requests in flight per API; 1 reads strictly one after the other.",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=60,
        title="Request timeout",
        description="Seconds for a whole attempt, from sending to the last byte.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0),
        title="Retries",
        description="Retries after a failed attempt, in place of each API's documented number.",
    ),
    th.Property(
        "backoff_factor",
        th.NumberType(minimum=0),
        title="Backoff factor",
        description="Seconds the waits start from, in place of each API's documented factor.",
    ),
    th.Property(
        "max_wait",
        th.NumberType(minimum=0),
        default=900,
        title="Longest wait",
        description="Seconds up to which a server that says when to come back is obeyed.",
    ),
    th.Property(
        "report_path",
        th.StringType(min_length=1),
        title="Report path",
        description="File to write the run report to, as JSON.",
    ),
    th.Property(
        "user_agent",
        th.StringType(min_length=1),
        title="User agent",
        description="User-Agent header of every request.",
    ),
    th.Property(
        "keep_unknown_fields",
        th.BooleanType,
        default=False,
        title="Keep unknown fields",
        description="Let fields through that the schema does not have, instead of leaving them "
        "out; both are reported.",
    ),
    th.Property(
        "max_lost_share",
        th.NumberType(minimum=0, maximum=1),
        default=0.5,
        title="Largest loss",
        description="Share of its rows that a full-table stream may lose from one run to the next "
        "before ACTIVATE_VERSION is withheld.",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION",
        description="Send ACTIVATE_VERSION after a complete full-table stream, so that targets "
        "can remove rows that are gone.",
    ),
)

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def schema() -> dict[str, Any]:
    """Return the JSON schema of the settings."""
    per_api = [setting for family in FAMILIES for setting in family.settings()]
    return th.PropertiesList(*per_api, *_COMMON, additional_properties=False).to_dict()


def from_environment(
    config_schema: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings given as ``TAP_ANALYTICS_<NAME>``.

    Text that is no value of the setting's type is kept as it is, to be refused like any
    other wrong value.
    """
    found: dict[str, Any] = {}
    for name, setting in config_schema["properties"].items():
        text = environment.get(f"TAP_ANALYTICS_{name.upper()}")
        if text is not None:
            is_text = "string" in setting.get("type", ())
            found[name] = text if is_text else _parsed(text)
    return found


def read_numbers(config: MutableMapping[str, Any], config_schema: Mapping[str, Any]) -> None:
    """Replace text that is a number, where a number is wanted, for whoever only has text."""
    for name, setting in config_schema["properties"].items():
        text = config.get(name)
        if isinstance(text, str) and {"number", "integer"} & set(setting.get("type", ())):
            number = _parsed(text)
            config[name] = number if isinstance(number, (int, float)) else text


def _parsed(text: str) -> Any:
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    try:
        return json.loads(text)
    except ValueError:
        return text


def find_errors(config: Mapping[str, Any], config_schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a configuration, naming settings and never a value."""
    problems = list(Draft7Validator(config_schema).iter_errors(config))
    for problem in problems:
        yield from _explain(problem, config_schema)
    wrong = {str(problem.path[0]) for problem in problems if problem.path}
    for name in ("start_date", "end_date"):
        if name in config and name not in wrong and not _is_time(config[name]):
            yield f"setting '{name}' must be an ISO 8601 date or time, such as 2026-01-31"
    for family in FAMILIES:
        streams = family.streams(config)
        api = streams[0].api
        if not wrong & {f"{api.name}_{part}" for part in ("base_url", "upstream", api.key_setting)}:
            yield from _api_errors(streams, config, tuple(family.upstreams))


def _explain(problem: ValidationError, config_schema: Mapping[str, Any]) -> Iterator[str]:
    given: Any = problem.instance
    expected: Any = problem.validator_value
    if problem.validator == "additionalProperties" and not problem.path:
        known = config_schema["properties"]
        for name in sorted(set(given) - set(known)):
            yield f"unknown setting '{name}'"
        return
    name = ".".join(map(str, problem.path)) or "the configuration"
    if problem.validator == "type":
        kinds = [expected] if isinstance(expected, str) else expected
        yield f"setting '{name}' must be of type {' or '.join(k for k in kinds if k != 'null')}"
    elif problem.validator == "enum":
        yield f"setting '{name}' must be one of: {', '.join(filter(None, expected))}"
    elif problem.validator == "minLength":
        yield f"setting '{name}' must not be empty"
    else:
        yield f"setting '{name}' does not satisfy {problem.validator} {expected}"


def _is_time(text: str) -> bool:
    try:
        times.micros(text)
    except ValueError:
        return False
    return True


def _api_errors(
    streams: Streams, config: Mapping[str, Any], upstreams: tuple[str, ...]
) -> Iterator[str]:
    api = streams[0].api
    url = api.setting(config, "base_url")
    if url:
        if not _is_base_url(url):
            yield (
                f"setting '{api.name}_base_url' must be a URL such as https://host/path, "
                "without user, query or fragment"
            )
    elif api.is_on(config) and api.default_origin(config) is None:
        choices = [f"'{api.name}_{name}'" for name in (api.host_setting, "base_url") if name]
        if upstreams and not api.setting(config, "upstream"):
            choices.append(f"'{api.name}_upstream' ({', '.join(upstreams)})")
        yield (
            f"setting '{api.name}_{api.key_setting}' is set, so {' or '.join(choices)} "
            "must be set too: there is no default host"
        )
    for name in {stream.api.credential for stream in streams}:
        secret = api.setting(config, name)
        if isinstance(secret, str) and (not secret.isprintable() or secret != secret.strip()):
            yield f"setting '{api.name}_{name}' has characters that no header can carry"


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port_is_sound
        and "@" not in parts.netloc
        and not (parts.query or parts.fragment or "?" in text or "#" in text)
        and text.isprintable()
        and " " not in text
    )
