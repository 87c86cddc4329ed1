"""Every mistake has one clear message and the right exit status, tried as a user makes it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.forks import run_text
from tests.helpers.support import environment

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "c4nary-s3cret"
ON = {"sales_api_key": SECRET, "sales_base_url": "http://127.0.0.1:9"}
VARIABLES = {f"TAP_ANALYTICS_{name.upper()}": value for name, value in ON.items()}


@dataclass(frozen=True)
class Case:
    """A command, and what it is answered.

    Attributes:
        name: What the user does.
        args: Arguments; a name in braces stands for the path of a file.
        said: What the message says.
        files: Contents by name.
        env: Variables of the environment.
    """

    name: str
    args: list[str]
    said: str
    files: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)


def given(name: str, said: str, **config: Any) -> Case:
    """Return the case that something is wrong with settings in a file."""
    return Case(name, ["--config", "{config}"], said, {"config": {**ON, **config}})


def state(name: str, said: str, content: Any) -> Case:
    """Return the case that something is wrong with the state."""
    files = {"config": ON, "state": content}
    return Case(name, ["--config", "{config}", "--state", "{state}"], said, files)


CASES = [
    # files that are none
    Case("no file", ["--config", "/nope.json"], "the config file '/nope.json' does not exist"),
    Case("a folder", ["--config", "/"], "the config file '/' cannot be read: Is a directory"),
    Case(
        "settings inline",
        ["--config", json.dumps(ON)],
        "--config wants the path of a JSON file, and not what would be in it",
    ),
    Case(
        "a setting as file",
        ["--config", f"sales_api_key={SECRET}"],
        "the config file does not exist",
    ),
    Case(
        "no JSON",
        ["--config", "{config}"],
        "is not whole JSON: line 2, column 3: Expecting property name enclosed in double quotes",
        {"config": '{"max_wait": 3,\n  }'},
    ),
    Case(
        "cut JSON",
        ["--config", "{config}"],
        "is not whole JSON: line 1, column 20: Unterminated string starting at",
        {"config": f'{{"sales_api_key" : "{SECRET}'},
    ),
    Case("an empty file", ["--config", "{config}"], "config.json' is empty", {"config": " \n"}),
    Case("an array", ["--config", "{config}"], "holds an array, and not", {"config": [ON]}),
    Case("bytes", ["--config", "{config}"], "is not text in UTF-8", {"config": b"\xff\xfe{}"}),
    Case("too deep", ["--config", "{config}"], "nested too deeply", {"config": "[" * 99_999}),
    # arguments
    Case("an argument too many", [f"sales_api_key={SECRET}"], "an argument too many: settings are"),
    Case("no such option", ["--confg", "x"], "there is no option --confg: did you mean --config?"),
    Case("a secret as option", [f"--{SECRET}=1"], "there is no option"),
    Case("an option without value", ["--config"], "option --config wants a value"),
    Case("a wrong choice", ["--about", f"--format={SECRET}"], "--format must be one of: json"),
    # settings
    given("a slip", "unknown setting 'start_dat': did you mean 'start_date'?", start_dat="2026"),
    given("an unknown setting", "unknown setting 'zzz'\n", zzz=SECRET),
    given("a wrong type", "setting 'max_wait' must be of type number\n", max_wait=SECRET),
    given("an absurd number", "setting 'max_wait' must be at most 604800\n", max_wait=1e10),
    given("no number", "setting 'max_wait' must be a finite number\n", max_wait=float("nan")),
    given("no date", "'start_date' must be an ISO 8601 date or time, such as", start_date="soon"),
    given(
        "reversed dates",
        "setting 'start_date' is after 'end_date'\n",
        start_date="2026-02-01",
        end_date="2026-01-01",
    ),
    given("a wrong choice of a setting", "must be one of: freshsales\n", sales_upstream=SECRET),
    given("a key with a line feed", "no header can carry\n", sales_api_key=f"{SECRET}\n"),
    given("a user agent for no header", "no header can carry\n", user_agent="\u2192"),
    given(
        "a host with a line feed", "setting 'sales_host' is not of the", sales_host="a.example\n"
    ),
    given(
        "a version with a line feed",
        "setting 'workforce_api_version' is not of the form",
        workforce_api_version="2026-01-01\n",
    ),
    given(
        "a URL with a key", "must be a URL such as", sales_base_url=f"https://{SECRET}@a.example"
    ),
    given(
        "a report nowhere",
        "'/nope/r.json' is in a folder that does not",
        report_path="/nope/r.json",
    ),
    given("a report in place of a folder", "'/tmp' is a folder\n", report_path="/tmp"),  # noqa: S108
    given("accounts of one name", "account 'a': is there 2 times", accounts=[{"name": "a"}] * 2),
    given(
        "an account's slip",
        "account 'a': unknown setting 'sales_hots': did you mean 'sales_host'?",
        accounts=[{"name": "a", "sales_hots": SECRET}],
    ),
    given(
        "an account's key",
        "account 'a': setting 'sales_api_key' has characters",
        accounts=[{"name": "a", "sales_api_key": f"{SECRET}\n"}],
    ),
    Case(
        "no host",
        ["--config", "{config}"],
        "'sales_api_key' is set, so 'sales_base_url' or 'sales_upstream' (freshsales) must be set",
        {"config": {"sales_api_key": SECRET}},
    ),
    Case("nothing", [], "no API is turned on: set at least one of workforce_api_key, status_page"),
    # the environment
    Case(
        "a slip in the environment",
        ["--config=ENV"],
        "unknown setting 'start_dat' in the environment: did you mean 'start_date'?",
        env={**VARIABLES, "TAP_ANALYTICS_START_DAT": "2026-01-01"},
    ),
    Case(
        "a slip in the environment of whoever gives files",
        ["--config", "{config}"],
        "unknown setting 'start_dat' in the environment: did you mean 'start_date'?",
        {"config": ON},
        {"TAP_ANALYTICS_START_DAT": "2026-01-01"},
    ),
    Case(
        "an environment that is not read",
        [],
        "such as TAP_ANALYTICS_SALES_API_KEY, are read with --config=ENV only",
        env=VARIABLES,
    ),
    Case(
        "no JSON in the environment",
        ["--config=ENV"],
        "setting 'stream_maps' must be of type object, as JSON: line 1, column 14",
        env={**VARIABLES, "TAP_ANALYTICS_STREAM_MAPS": '{"contacts": '},
    ),
    Case(
        "accounts that are no JSON",
        ["--config=ENV"],
        "setting 'accounts' must be of type array, as JSON: line 1, column 1",
        env={**VARIABLES, "TAP_ANALYTICS_ACCOUNTS": f"acme={SECRET}"},
    ),
    Case(
        "a wrong type at discovery",
        ["--config", "{config}", "--discover"],
        "setting 'max_wait' must be of type number",
        {"config": {**ON, "max_wait": SECRET}},
    ),
    # the state
    state("a catalog as state", "the state is no state, but a catalog: it has no", {"streams": []}),
    state("settings as state", "the state is no state, but settings: it has no 'bookmarks'", ON),
    state("a record as state", "but a RECORD message", {"type": "RECORD", "record": {}}),
    state("anything as state", "neither a state nor a catalog", {"tasks": {}}),
    state("bookmarks of a list", "'bookmarks' must be a JSON object", {"bookmarks": []}),
    state("a bookmark of a text", "bookmark of 'tasks' must be a", {"bookmarks": {"tasks": "now"}}),
    state("a state's state", "'singer_state' must be a JSON object", {"singer_state": 5}),
    state("two states", "line 2, column 1: Extra data", '{"bookmarks": {}}\n{"bookmarks": {}}'),
    state("no state", "state.json' is empty", ""),
    Case(
        "no such state",
        ["--config", "{config}", "--state", "/nope.json"],
        "the state file '/nope.json' does not exist",
        {"config": ON},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mistake_is_said(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        raw = text if isinstance(text, bytes) else text.encode()
        (tmp_path / f"{name}.json").write_bytes(raw)
    paths = {name: str(tmp_path / f"{name}.json") for name in case.files}
    args = [paths.get(arg.strip("{}"), arg) if arg.startswith("{") else arg for arg in case.args]
    done = run_text(args, env=environment(**case.env))
    errors = [line for line in done.stderr.splitlines(keepends=True) if " ERROR " in line]
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(errors) == 1, done.stderr
    assert case.said in errors[0]
    assert done.stderr.endswith(errors[0]), "what is wrong is the last word"
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr
