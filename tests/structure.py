"""What a stream consists of, and which part of it is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_analytics.apis import PACKAGES
from tap_analytics.sandbox.contracts import APIS, CORE
from tap_analytics.sandbox.contracts.tables import tables_of
from tests.helpers.contract import BY_NAME as FACTS
from tests.helpers.vendors import BY_NAME as VENDOR_FACTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_analytics.engine.registry import ApiPackage
    from tap_analytics.sandbox.contract import Api

FOLDERS = Path(__file__).parents[1] / "tap_analytics/apis"


def gaps(packages: Iterable[ApiPackage] = PACKAGES) -> Iterator[str]:
    """Yield a line for each part that a stream lacks, with the file to put it into."""
    documented = {api.name: api for api in APIS}
    vendors = {api.upstream: api for api in CORE}
    for package in packages:
        name = package.api.name
        parts = Parts(documented.get(name), name, FACTS, "tests/helpers/contract.py")
        yield from _missing(package.documented, parts)
        for upstream, vendor in package.upstreams.items():
            parts = Parts(
                vendors.get(upstream), upstream, VENDOR_FACTS, "tests/data/upstreams.json"
            )
            yield from _missing(vendor.core, parts)
            yield from filter(None, map(_without_schema, vendor.further))


class Parts(NamedTuple):
    """What streams have beside their class and their schema.

    Attributes:
        api: Their API in the sandbox, if it is there.
        contract: Its module.
        facts: What tests know of them, by name.
        file: Where that is written down.
    """

    api: Api | None
    contract: str
    facts: Mapping[str, Any]
    file: str


def _missing(streams: Iterable[Any], parts: Parts) -> Iterator[str]:
    routes = {route.stream for route in parts.api.routes} if parts.api else set()
    fields = tables_of(parts.api)[0] if parts.api else {}
    place = f"tap_analytics/sandbox/contracts/{parts.contract}"
    for stream in streams:
        name = str(stream.name)
        if missing := _without_schema(stream):
            yield missing
        if name not in routes:
            yield f"{name}: the sandbox has no route, a Route in {place}.py"
        if name not in fields:
            yield f"{name}: the sandbox has no fields, under 'streams' in {place}.json"
        if name not in parts.facts:
            yield f"{name}: its facts are not written down for the tests, in {parts.file}"


def _without_schema(stream: Any) -> str | None:
    folder, file = FOLDERS / stream.api.name, f"schemas/{stream.name}.json"
    if (folder / file).is_file() or any(folder.glob(f"*/{file}")):
        return None
    return f"{stream.name}: there is no schema, tap_analytics/apis/{stream.api.name}/{file}"
