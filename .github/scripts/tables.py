"""The Markdown tables of settings and streams."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from declared import is_secret, json_type, options, sentence, settings

from tap_analytics.apis import PACKAGES
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.stream import AnalyticsStream

APIS = [package.api.name for package in PACKAGES]
STREAM_COLUMNS = ("stream", "path", "key", "replication key", "parent", "pages")


def row(*cells: str) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def shared_name(name: str, known: dict[str, dict[str, Any]]) -> str:
    """Return a setting's name with `<api>` in place of its API if other APIs have the same one."""
    for api in APIS:
        others = [known.get(name.replace(api, other, 1)) for other in APIS if other != api]
        if name.startswith(f"{api}_") and any(
            other and sentence(name, other) == sentence(name, known[name]) for other in others
        ):
            return name.replace(api, "<api>", 1)
    return name


def settings_table() -> Iterator[str]:
    """Yield the Markdown table of the settings; what several APIs have is one row."""
    yield row("setting", "type", "default", "what it does")
    yield row(*["---"] * 4)
    known = settings()
    shown = {}
    for name, schema in known.items():
        shown[name if options(schema) else shared_name(name, known)] = name
    for title, name in sorted(shown.items(), key=lambda item: not item[0].startswith("<api>")):
        schema = known[name]
        is_text = json_type(schema) == "string"
        kind = (
            "secret"
            if is_secret(schema) and is_text
            else code(*options(schema)) or json_type(schema)
        )
        default = code(json.dumps(schema["default"])) if "default" in schema else ""
        yield row(code(title), kind, default, sentence(name, schema))


def code(*names: str | None) -> str:
    """Return the names there are as Markdown code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names if name)


def facts(stream: AnalyticsStream, names: dict[type, str]) -> tuple[str, ...]:
    """Return what a table says of a stream."""
    return (
        code(stream.name),
        code(stream.path),
        code(*stream.primary_keys),
        code(stream.replication_key),
        code(*(names[kind] for kind in names if kind is stream.parent_stream_type)),
        stream.paginator_class.__name__,
    )


def discover(config: dict[str, str]) -> list[AnalyticsStream]:
    """Return the streams of a configuration."""
    return TapAnalytics(config=config, validate_config=False).discover_streams()


def documented_table() -> Iterator[str]:
    """Yield the Markdown table of the documented streams."""
    streams = discover({})
    names = {type(stream): stream.name for stream in streams}
    yield row("API", *STREAM_COLUMNS)
    yield row(*["---"] * (1 + len(STREAM_COLUMNS)))
    yield from (row(stream.api.name, *facts(stream, names)) for stream in streams)
