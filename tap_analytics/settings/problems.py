"""What is wrong with given settings, in words that name settings and never a value."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from jsonschema import Draft7Validator

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.values import times
from tap_analytics.settings.given import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jsonschema import ValidationError

    from tap_analytics.engine.accounts import Account
    from tap_analytics.engine.registry import ApiPackage

_DATES = ("start_date", "end_date")
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


class Problem(NamedTuple):
    """Something that is wrong: the settings that it is about, and what to say."""

    settings: frozenset[str]
    text: str


def find_errors(
    config: Mapping[str, Any],
    config_schema: Mapping[str, Any],
    *,
    to_read: bool = True,
    packages: Sequence[ApiPackage] = PACKAGES,
) -> Iterator[str]:
    """Yield what is wrong with prepared settings, each error once.

    Args:
        config: The settings.
        config_schema: What they have to be.
        to_read: Whether an API is to be read with them; what that takes may else be missing.
        packages: The APIs whose settings they are.
    """
    found = list(_alone(config, config_schema))
    given = config.get("accounts")
    if isinstance(given, list):
        found += _of_accounts(given, config_schema["properties"]["accounts"]["items"])
    if to_read and not any("accounts" in problem.settings for problem in found):
        wrong = frozenset().union(*(problem.settings for problem in found))
        found += _together(accounts(config), wrong, packages)
    yield from dict.fromkeys(problem.text for problem in found)


# Each setting by itself


def _alone(config: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Problem]:
    properties = schema["properties"]
    for error in Draft7Validator(schema).iter_errors(config):
        path = [str(part) for part in error.path]
        if path[:1] != ["accounts"] or len(path) == 1:
            for text in _explain(error, ".".join(path), properties):
                yield Problem(frozenset(path[:1]), text)
    for name, value in config.items():
        setting = properties.get(name, {})
        is_sent = name == "user_agent" or (setting.get("secret") and "items" not in setting)
        trouble = None
        if isinstance(value, float) and not math.isfinite(value):
            trouble = "must be a finite number"
        elif isinstance(value, str) and is_sent and not _fits_header(value):
            trouble = "has characters that no header can carry"
        elif isinstance(value, str) and name in _DATES and not _is_time(value):
            trouble = "must be an ISO 8601 date or time, such as 2026-01-31"
        elif isinstance(value, str) and name.endswith("_base_url") and not _is_base_url(value):
            trouble = "must be a URL such as https://host/path, without user, query or fragment"
        if trouble:
            yield Problem(frozenset({name}), f"setting '{name}' {trouble}")


def _explain(error: ValidationError, name: str, properties: Mapping[str, Any]) -> Iterator[str]:
    given: Any = error.instance
    expected: Any = error.validator_value
    kind = error.validator
    if kind == "additionalProperties" and not name:
        for unknown in sorted(set(given) - set(properties)):
            yield f"unknown setting '{unknown}'{suggestion(unknown, properties)}"
    elif kind == "type":
        kinds = [expected] if isinstance(expected, str) else expected
        wanted = " or ".join(kind for kind in kinds if kind != "null")
        yield f"setting '{name}' must be of type {wanted}{_as_json(given, wanted)}"
    elif kind == "enum":
        yield f"setting '{name}' must be one of: {', '.join(filter(None, expected))}"
    elif kind in _BOUNDS:
        yield f"setting '{name}' must be {_BOUNDS[kind]} {expected}"
    elif kind in ("minLength", "minItems"):
        yield f"setting '{name}' must not be empty"
    else:
        yield f"setting '{name}' is not of the form it must have"


def _as_json(given: Any, wanted: str) -> str:
    """Return where a text ceases to be the JSON that is wanted."""
    if not isinstance(given, str) or wanted not in ("array", "object"):
        return ""
    try:
        json.loads(given)
    except json.JSONDecodeError as error:
        return f", as JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except (ValueError, RecursionError):
        pass
    return ", as JSON"


def _fits_header(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return text.isprintable() and text == text.strip()


def _is_time(text: str) -> bool:
    try:
        times.micros(text)
    except ValueError:
        return False
    return True


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


# Each account by itself


def _of_accounts(given: list[Any], item: Mapping[str, Any]) -> Iterator[Problem]:
    about = frozenset({"accounts"})
    is_name = Draft7Validator(item["properties"]["name"]).is_valid
    names: list[str] = []
    for number, account in enumerate(given, 1):
        if not isinstance(account, dict):
            yield Problem(about, f"account {number}: must be an object (JSON)")
        elif not is_name(account.get("name")):
            text = "needs a 'name' of letters, digits, '_' and '-'"
            yield Problem(about, f"account {number}: {text}")
        else:
            names.append(account["name"])
            for problem in _alone(account, item):
                yield Problem(about, f"account '{account['name']}': {problem.text}")
    for name, count in Counter(names).items():
        if count > 1:
            yield Problem(about, f"account '{name}': is there {count} times, and may be once")


# What holds together


def _together(
    every: tuple[Account, ...], wrong: frozenset[str], packages: Sequence[ApiPackage]
) -> Iterator[Problem]:
    found = [(account.name, _of_account(account, wrong, packages)) for account in every]
    shared = set(found[0][1]).intersection(*(problems for _, problems in found))
    for name, problems in found:
        for settings, text in problems:
            common = name is None or (settings, text) in shared
            yield Problem(settings, text if common else f"account '{name}': {text}")
    if every[0].name is not None:
        yield from _across(every, packages)


def _of_account(
    account: Account, wrong: frozenset[str], packages: Sequence[ApiPackage]
) -> list[Problem]:
    config = {name: value for name, value in account.config.items() if name not in wrong}
    problems = [*_of_dates(config), *(p for package in packages for p in _of_api(package, config))]
    return [problem for problem in problems if not problem.settings & wrong]


def _of_dates(config: Mapping[str, Any]) -> Iterator[Problem]:
    start, end = (config.get(name) for name in _DATES)
    if start is not None and end is not None and times.micros(start) > times.last_micros(end):
        yield Problem(frozenset(_DATES), "setting 'start_date' is after 'end_date'")


def _of_api(package: ApiPackage, config: Mapping[str, Any]) -> Iterator[Problem]:
    api = package.spoken(config)
    key = f"{api.name}_{api.key_setting}"
    given, missing = (
        [f"{api.name}_{name}" for name in api.also_on if bool(api.setting(config, name)) is there]
        for there in (True, False)
    )
    if not api.is_on(config):
        if given:
            text = f"setting {_quoted(given)} needs {_quoted(missing, 'and')} too, or '{key}'"
            yield Problem(frozenset([key, *given, *missing]), text)
        return
    if api.setting(config, "base_url") or api.default_origin(config):
        return
    choices = [f"{api.name}_{name}" for name in (api.host_setting, "base_url") if name]
    listed = _quoted(choices)
    if package.upstreams and not api.setting(config, "upstream"):
        choices.append(f"{api.name}_upstream")
        listed += f" or '{choices[-1]}' ({', '.join(package.upstreams)})"
    text = f"setting '{key}' is set, so {listed} must be set too: there is no default host"
    yield Problem(frozenset([key, *choices]), text)


def _across(every: tuple[Account, ...], packages: Sequence[ApiPackage]) -> Iterator[Problem]:
    about = frozenset({"accounts"})
    on = [[package for package in packages if package.is_on(account.config)] for account in every]
    for account, turned_on in zip(every, on, strict=True):
        if not turned_on:
            text = f"account '{account.name}': turns on no API: give it the key of one"
            yield Problem(about, text)
    for package in packages:
        those = [every[n].config for n, turned_on in enumerate(on) if package in turned_on]
        if len({package.spoken(config) for config in those}) > 1:
            name = f"{package.api.name}_upstream"
            text = f"setting '{name}' must be the same for all accounts with this API"
            yield Problem(about, f"{text}: their streams are the same")


def _quoted(names: Iterable[str], word: str = "or") -> str:
    return f" {word} ".join(f"'{name}'" for name in names)
