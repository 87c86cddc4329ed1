"""Write what the code knows into README.md (settings, streams) and meltano.yml (settings)."""

from __future__ import annotations

import argparse
import copy
import difflib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_analytics.apis import FAMILIES
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.stream import AnalyticsStream

ROOT = Path(__file__).parents[2]
APIS = [family.api.name for family in FAMILIES]
STREAM_COLUMNS = ("stream", "path", "key", "replication key", "parent", "pages")
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
OF_THE_SDK = {
    "stream_maps": "Rename, filter, hash or compute streams and fields on the way out.",
    "stream_map_config": "Values for the expressions in `stream_maps`.",
    "faker_config": "Locale and seed of made-up values, with `singer-sdk[faker]`.",
    "flattening_enabled": "Turn nested objects into columns of their own.",
    "flattening_max_depth": "How many levels of nesting to turn into columns.",
    "flattening_max_key_length": "Longest name of such a column.",
    "flattening_separator": "What joins the names of such a column.",
}


def settings() -> dict[str, dict[str, Any]]:
    """Return the tap's settings, the SDK's included: name to JSON schema, in the tap's order."""
    schema = copy.deepcopy(TapAnalytics.config_jsonschema)
    TapAnalytics.append_builtin_config(schema)
    properties: dict[str, dict[str, Any]] = schema["properties"]
    return properties


def json_type(schema: dict[str, Any]) -> str:
    """Return the one JSON type of a setting, null aside."""
    types = schema.get("type", "object")
    return next(t for t in ([types] if isinstance(types, str) else types) if t != "null")


def is_secret(schema: dict[str, Any]) -> bool:
    """Say whether a setting must never be shown."""
    return bool(schema.get("secret") or schema.get("writeOnly"))


def sentence(name: str, schema: dict[str, Any]) -> str:
    """Return what a setting does, on one line."""
    return OF_THE_SDK.get(name) or " ".join(schema["description"].split())


def meltano_setting(name: str, schema: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that declare one setting to Meltano."""
    listed = options(schema)
    kind = "options" if listed else KINDS[json_type(schema)]
    if name.endswith("_date"):
        kind = "date_iso8601"
    yield f"    - name: {name}"
    yield f"      label: {json.dumps(schema['title'])}"
    yield f"      kind: {kind}"
    if is_secret(schema):
        yield "      sensitive: true"
    if listed:
        yield "      options:"
        yield from (f"      - {{label: {option}, value: {option}}}" for option in listed)
    yield f"      description: {json.dumps(sentence(name, schema), ensure_ascii=False)}"


def meltano_settings() -> Iterator[str]:
    """Yield the lines of the tap's settings in meltano.yml."""
    yield "    settings:"
    for name, schema in settings().items():
        yield from meltano_setting(name, schema)


def row(*cells: str) -> str:
    """Return one row of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def options(schema: dict[str, Any]) -> list[str]:
    """Return the values a setting may have, if they are listed."""
    return [option for option in schema.get("enum", ()) if option is not None]


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
        kind = "secret" if is_secret(schema) else code(*options(schema)) or json_type(schema)
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


def further_table() -> Iterator[str]:
    """Yield the Markdown table of the streams that only an upstream has."""
    documented = {stream.name for stream in discover({})}
    yield row("upstream", *STREAM_COLUMNS)
    yield row(*["---"] * (1 + len(STREAM_COLUMNS)))
    for family in FAMILIES:
        api = family.api
        for vendor in family.upstreams:
            config = {f"{api.name}_{api.key_setting}": "key", f"{api.name}_upstream": vendor}
            streams = discover(config)
            names = {type(stream): stream.name for stream in streams}
            further = [stream for stream in streams if stream.name not in documented]
            yield from (row(vendor, *facts(stream, names)) for stream in further)


def replace(text: str, block: str, lines: Iterator[str]) -> str:
    """Return the text with what stands between a block's two markers replaced by the lines.

    Raises:
        ValueError: The text has no such block.
    """
    begin, end = (rf"^[^\n]*\b{block}: {edge}\b[^\n]*\n" for edge in ("begin", "end"))
    pattern = re.compile(f"({begin}).*?({end})", re.DOTALL | re.MULTILINE)
    new, found = pattern.subn(lambda m: m[1] + "\n".join(lines) + "\n" + m[2], text)
    if found != 1:
        message = f"{found} blocks named {block!r}"
        raise ValueError(message)
    return new


def main() -> int:
    """Write both files, or with --check show what would change and return 1 if anything would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    readme, meltano = ROOT / "README.md", ROOT / "meltano.yml"
    old = {path: path.read_text(encoding="utf-8") for path in (readme, meltano)}
    new = {
        readme: replace(old[readme], "settings", settings_table()),
        meltano: replace(old[meltano], "settings", meltano_settings()),
    }
    new[readme] = replace(new[readme], "streams", documented_table())
    new[readme] = replace(new[readme], "further", further_table())
    stale = [path for path in old if old[path] != new[path]]
    for path in stale:
        if check:
            lines = (old[path].splitlines(), new[path].splitlines())
            sys.stdout.writelines(
                f"{line}\n" for line in difflib.unified_diff(*lines, path.name, "code", "", "", 1)
            )
        else:
            path.write_text(new[path], encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
