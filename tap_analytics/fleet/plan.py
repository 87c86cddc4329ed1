"""The accounts of a fleet: one file, the tap's own settings, with secrets from the environment."""

from __future__ import annotations

import datetime as dt
import re
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from tap_analytics import settings
from tap_analytics.apis import PACKAGES
from tap_analytics.engine.accounts import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tap_analytics.engine.accounts import Account

_QUOTED = re.compile(r"'[^']{2,}'")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})\Z")
_ITS_OWN = ("report_path", "progress")


class _Loader(yaml.SafeLoader):
    """Reads YAML, and takes nothing that stands twice, of which the last would hold silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Return a mapping."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                text = "the same name stands twice in one object"
                raise yaml.constructor.ConstructorError(None, None, text, key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


class PlanError(Exception):
    """What is wrong with what the user gave.

    Attributes:
        errors: One sentence for each mistake.
    """

    def __init__(self, errors: Sequence[str]) -> None:
        """Take the sentences."""
        super().__init__("; ".join(errors))
        self.errors = list(errors)


@dataclass(frozen=True)
class Member:
    """One account of the fleet.

    Attributes:
        name: What the user calls it.
        apis: Names of the APIs that it turns on.
        config: The tap's settings for it alone; they hold secrets.
        removes_rows: Whether the tap tells the target which rows are gone.
    """

    name: str
    apis: frozenset[str]
    config: dict[str, Any]
    removes_rows: bool

    def only(self, api: str) -> Member:
        """Return the account as it is without its other APIs."""
        others = tuple(f"{family.api.name}_" for family in PACKAGES if family.api.name != api)
        config = _without(self.config, others)
        config["accounts"] = [_without(account, others) for account in config["accounts"]]
        return replace(self, name=f"{self.name}.{api}", apis=frozenset({api}), config=config)


def _without(given: Mapping[str, Any], prefixes: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if not name.startswith(prefixes)}


def read(path: Path, environment: Mapping[str, str]) -> list[Member]:
    """Return the accounts that a file names, in order.

    The file is the tap's configuration with ``accounts``, as YAML or JSON. A text that is
    ``$NAME`` or ``${NAME}`` as a whole is what the environment has under that name; with a second
    ``$`` before it, it is itself.

    Raises:
        PlanError: It cannot be read, or the settings are wrong.
    """
    given = _parsed(path)
    missing: list[str] = []
    try:
        config = _expanded(given, environment, missing)
    except RecursionError:
        raise PlanError([f"'{path}' has an alias ('*...') within what it stands for"]) from None
    if missing:
        raise PlanError([f"the environment has no '{name}'" for name in dict.fromkeys(missing)])
    if not config.get("accounts"):
        raise PlanError([f"'{path}' has no 'accounts': an array of objects with a 'name'"])
    schema = settings.schema()
    prepared = deepcopy(config)
    settings.prepare(prepared, schema)
    errors = list(settings.find_errors(prepared, schema))
    errors += [
        f"setting '{name}' is not for a fleet: it has --report, and shows progress itself"
        for name in _ITS_OWN
        if name in config
    ]
    errors += _unquoted(config["accounts"])
    if errors:
        raise PlanError(errors)
    around = {name: value for name, value in config.items() if name != "accounts"}
    given_accounts = config["accounts"]
    if isinstance(given_accounts, str):
        given_accounts = prepared["accounts"]
    members = [
        _member(account, {**around, "accounts": [own]})
        for account, own in zip(accounts(prepared), given_accounts, strict=True)
    ]
    _check_names(members)
    return members


def _unquoted(given: Any) -> Iterator[str]:
    """Say which names are a number, a date or yes and no for YAML, and not what was written."""
    for number, account in enumerate(given if isinstance(given, list) else (), 1):
        name = account.get("name") if isinstance(account, dict) else None
        if name is not None and not isinstance(name, str):
            yield f"account {number}: its 'name' is no text in YAML unless it is in quotes"


def _check_names(members: Sequence[Member]) -> None:
    """Refuse names that are one name for some file systems, where their states are kept."""
    seen: dict[str, str] = {}
    for member in members:
        other = seen.setdefault(member.name.casefold(), member.name)
        if other != member.name:
            text = (
                f"accounts '{other}' and '{member.name}' need names that differ in more than case"
            )
            raise PlanError([text])


def _member(account: Account, config: dict[str, Any]) -> Member:
    return Member(
        name=str(account.name),
        apis=frozenset(f.api.name for f in PACKAGES if f.is_on(account.config)),
        config=config,
        removes_rows=bool(account.config.get("emit_activate_version_messages")),
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)  # noqa: S506 - a safe one
    except OSError as error:
        raise PlanError([f"'{path}' cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise PlanError([f"'{path}' is not text in UTF-8"]) from None
    except yaml.MarkedYAMLError as error:  # whose own text quotes the line, and what is in it
        mark = error.problem_mark
        where = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        # An alias or a tag that is not there may be a key that should have been in quotes.
        problem = _QUOTED.sub("'...'", error.problem or "")
        raise PlanError([f"'{path}' is not whole YAML{where}: {problem}"]) from None
    except yaml.YAMLError:
        raise PlanError([f"'{path}' has characters that YAML does not allow"]) from None
    if not isinstance(content, dict):
        raise PlanError([f"'{path}' does not hold the tap's settings, by name"])
    return content


def _expanded(value: Any, environment: Mapping[str, str], missing: list[str]) -> Any:
    """Return a value with variables in their places, and with what JSON can say only."""
    if isinstance(value, dict):
        return {str(k): _expanded(part, environment, missing) for k, part in value.items()}
    if isinstance(value, list):
        return [_expanded(part, environment, missing) for part in value]
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return _text(value, environment, missing) if isinstance(value, str) else value


def _text(value: str, environment: Mapping[str, str], missing: list[str]) -> str | None:
    if value.startswith("$$") and _VARIABLE.match(value[1:]):
        return value[1:]
    found = _VARIABLE.match(value)
    if not found:
        return value
    name = found[1] or found[2]
    if name not in environment:
        missing.append(name)
    return environment.get(name)
