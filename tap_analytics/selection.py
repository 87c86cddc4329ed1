"""What the user chose to read, and what of it this run does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_analytics.settings import suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from singer_sdk.singerlib import Catalog

    from tap_analytics.engine.registry import ApiPackage


def every_name(packages: Iterable[ApiPackage]) -> dict[str, list[str]]:
    """Return the name of every stream there is, with what makes it one of a run's."""
    found: dict[str, list[str]] = {}
    stream: Any  # the SDK types what classes declare as properties
    for package in packages:
        ways = " or ".join(", ".join(way) for way in package.ways_on)
        for stream in package.documented:
            found.setdefault(str(stream.name), []).append(f"set {ways}")
        for name, vendor in package.upstreams.items():
            upstream = f"set {ways} and '{package.api.name}_upstream' to {name}"
            for stream in vendor.core:
                found.setdefault(str(stream.name), []).append(upstream)
            for stream in vendor.further:
                found.setdefault(str(stream.name), []).append(f"{upstream}, and 'all_streams'")
    return found


def missing(
    catalog: Catalog | None, there: Collection[str], packages: Iterable[ApiPackage]
) -> Iterator[str]:
    """Yield what to say of streams that the catalog selects and the run does not have."""
    absent = [
        name
        for name, entry in (catalog or {}).items()
        if name not in there and entry.metadata.resolve_selection().get((), True)
    ]
    names = every_name(packages) if absent else {}
    for name in absent:
        if name in names:
            yield f"stream '{name}' is selected, but not part of this run: {names[name][0]}"
        else:
            meant = suggestion(name, there)
            yield f"stream '{name}' is selected, but there is none of this name{meant}"


def mapped_nowhere(
    stream_maps: Mapping[str, Any], there: Collection[str], packages: Iterable[ApiPackage]
) -> Iterator[str]:
    """Yield what is wrong with the names of the streams that are to be mapped."""
    for name, one in stream_maps.items():
        is_new = isinstance(one, dict) and "__source__" in one
        source = one["__source__"] if is_new else name
        if name == "__else__" or not isinstance(source, str) or set(source) & set("*?["):
            continue
        if source not in there and source not in (known := {*there, *every_name(packages)}):
            yield f"setting 'stream_maps': there is no stream '{source}'{suggestion(source, known)}"
