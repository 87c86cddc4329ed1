"""Settings on their way from the environment through Meltano to the tap."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator

from tap_analytics.settings import prepare
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from .conftest import Project

pytestmark = pytest.mark.slow

SAMPLES = {
    "array": [{"name": "acme", "sales_api_key": "key"}],
    "boolean": True,
    "integer": 3,
    "number": 0.5,
    "object": {"tasks": {"id": None}},
    "string": "text",
}


def sample(schema: dict[str, Any]) -> Any:
    """Return a value of a setting, and for a choice one that there is."""
    kind = next(kind for kind in schema["type"] if kind != "null")
    return next((option for option in schema.get("enum", ()) if option), SAMPLES[kind])


def settings() -> dict[str, Any]:
    """Return a value for each setting of the tap."""
    schema = copy.deepcopy(TapAnalytics.config_jsonschema)
    TapAnalytics.append_builtin_config(schema)
    return {name: sample(part) for name, part in schema["properties"].items()}


def test_every_setting_passes_from_the_environment_with_its_type(project: Project) -> None:
    given = settings()
    env = {
        f"TAP_ANALYTICS_{name}".upper(): value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
    }
    dumped = json.loads(project.meltano("invoke", "--dump=config", "tap-analytics", env=env).stdout)
    prepare(dumped, TapAnalytics.config_jsonschema)
    assert dumped == given


def test_the_example_environment_is_read_and_its_secrets_stay_hidden(project: Project) -> None:
    values = "TAP_ANALYTICS_SALES_API_KEY=very-secret\nTAP_ANALYTICS_MAX_CONCURRENCY=2\n"
    (project.folder / ".env").write_text(values, encoding="utf-8")
    try:
        shown = project.meltano("config", "print", "tap-analytics", env={}).stdout
    finally:
        (project.folder / ".env").unlink()
    assert json.loads(shown)["max_concurrency"] == 2
    assert "sales_api_key" in shown
    assert "very-secret" not in shown


def test_a_wrong_setting_stops_the_run_and_is_named(project: Project, apis: dict[str, str]) -> None:
    env = apis | {"TAP_ANALYTICS_START_DATE": "soon"}
    ran = project.meltano("run", "tap-analytics", "target-jsonl", env=env, status=1)
    assert "'start_date' must be" in ran.stderr


def test_discovery_through_meltano_is_a_catalog(project: Project) -> None:
    catalog = json.loads(project.meltano("invoke", "tap-analytics", "--discover", env={}).stdout)
    assert len(catalog["streams"]) >= 37
    for stream in catalog["streams"]:
        Draft7Validator.check_schema(stream["schema"])
