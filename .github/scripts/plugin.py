"""The tap as a Meltano plugin: its settings in meltano.yml, and its definition for `--from-ref`."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from declared import is_secret, json_type, options, sentence, settings

from tap_analytics.apis import PACKAGES
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {
    "array": "array",
    "boolean": "boolean",
    "integer": "integer",
    # Meltano fails to write a `decimal` of the environment into the configuration, and the
    # tap takes numbers as text too.
    "number": "string",
    "object": "object",
    "string": "string",
}


def _setting(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that declare one setting to Meltano."""
    listed = options(schema)
    kind = "options" if listed else KINDS[json_type(schema)]
    if name.endswith("_date"):
        kind = "date_iso8601"
    yield f"    - name: {name}"
    yield f"      label: {json.dumps(schema['title'])}"
    yield f"      kind: {kind}"
    if "default" in schema:
        yield f"      value: {json.dumps(schema['default'])}"
    if is_secret(schema):
        yield "      sensitive: true"
    if listed:
        yield "      options:"
        yield from (f"      - {{label: {option}, value: {option}}}" for option in listed)
    yield f"      description: {json.dumps(sentence(name, schema), ensure_ascii=False)}"


def project_settings() -> Iterator[str]:
    """Yield the lines of the tap's settings in meltano.yml."""
    yield "    settings:"
    for name, schema in settings().items():
        yield from _setting(name, schema)


_HEAD = """\
# Adds the tap to a Meltano project: meltano add --from-ref <this file or its URL> tap-analytics
# Written by .github/scripts/docs.py.
name: {name}
namespace: {namespace}
variant: {name}
label: Factorial, Statuspage, Statsig, Freshsales, SignNow
description: {description}
pip_url: {name}
executable: {name}
maintenance_status: active
quality: silver
keywords: [meltano_sdk]
log_parser: singer-sdk
"""


def definition() -> str:
    """Return the plugin's definition, as Meltano's hub has one for each plugin."""
    name = TapAnalytics.name
    ways = [", ".join(way) for package in PACKAGES for way in package.ways_on]
    head = _HEAD.format(
        name=name,
        namespace=name.replace("-", "_"),
        description=json.dumps((TapAnalytics.__doc__ or "").strip().split("\n")[0]),
    )
    capabilities = sorted({*(item.value for item in TapAnalytics.capabilities), "test"})
    lists = {
        "capabilities": capabilities,
        "settings_group_validation": [f"[{way}]" for way in [*ways, "accounts"]],
    }
    body = "".join(
        f"{title}:\n" + "".join(f"- {item}\n" for item in items) for title, items in lists.items()
    )
    return head + body + dedent("\n".join(project_settings())) + "\n"
