"""The generated parts of a vendor's page: its streams, and how they hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tables import code, row

from tap_analytics.apis import PACKAGES
from tap_analytics.engine.registry import references
from tap_analytics.sandbox.contracts import UPSTREAMS
from tap_analytics.tap import TapAnalytics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.registry import ApiPackage
    from tap_analytics.engine.stream import AnalyticsStream

TITLES = {
    "factorial": "Factorial",
    "freshsales": "Freshsales",
    "signnow": "SignNow",
    "statsig": "Statsig",
    "statuspage": "Statuspage",
}
VERIFIED: dict[str, str] = {}
"""The date, by stream, on which its shape was last compared with that of a live account."""
SERVED = {(api.name, route.stream) for api in UPSTREAMS for route in api.routes}


def streams_of(package: ApiPackage) -> list[AnalyticsStream]:
    """Return all streams of the vendor of an API."""
    api = package.api
    config = {
        f"{api.name}_{api.key_setting}": "key",
        f"{api.name}_upstream": next(iter(package.upstreams)),
        "all_streams": True,
    }
    tap = TapAnalytics(config=config, validate_config=False)
    return list(tap.discover_streams())


def stream_table(package: ApiPackage) -> Iterator[str]:
    """Yield the Markdown table of a vendor's streams."""
    (vendor,) = package.upstreams.values()
    streams = streams_of(package)
    names = {type(stream): stream.name for stream in streams}
    yield row("stream", "path", "key", "replication key", "parent", "listed", "proof")
    yield row(*["---"] * 7)
    for stream in streams:
        listed = "always" if type(stream) in vendor.core else "`all_streams`"
        listed += "" if stream.by_default else ", not selected: asks for each row of its parent"
        served = (stream.api.name, stream.name) in SERVED
        yield row(
            code(stream.name),
            code(stream.path),
            code(*stream.primary_keys),
            code(stream.replication_key),
            code(*(names[kind] for kind in names if kind is stream.parent_stream_type)),
            listed,
            _proof(stream.name, served=served),
        )


def _proof(stream: str, *, served: bool) -> str:
    if stream in VERIFIED:
        return f"live, {VERIFIED[stream]}"
    return "contract" if served else "specification"


def relations(package: ApiPackage) -> Iterator[tuple[str, str, str]]:
    """Yield what declared references say: stream, its column, the stream that it points to."""
    streams = streams_of(package)
    names = {stream.name for stream in streams}
    for stream in streams:
        for column, target in sorted(references(type(stream)).items()):
            pointed = target.partition(".")[0]
            if pointed in names:
                yield stream.name, column, pointed


def diagram(package: ApiPackage) -> Iterator[str]:
    """Yield a Mermaid diagram of the streams that point to one another."""
    lines = [
        f'    {pointed} ||--o{{ {stream} : "{column}"'
        for stream, column, pointed in relations(package)
    ]
    if lines:
        yield from ("```mermaid", "erDiagram", *lines, "```")
    else:
        yield "No stream is declared to point to another one yet."


def summary() -> Iterator[str]:
    """Yield the Markdown table of the vendors, with a link to the page of each."""
    yield row("API", "vendor", "streams", "with `all_streams`")
    yield row(*["---"] * 4)
    for package in PACKAGES:
        ((name, vendor),) = package.upstreams.items()
        page = f"[{TITLES[name]}](tap_analytics/apis/{package.api.name}/README.md)"
        yield row(package.api.name, page, str(len(vendor.core)), str(len(vendor.streams)))
