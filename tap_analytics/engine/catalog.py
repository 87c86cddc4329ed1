"""Which streams there are, for which configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import typing as th

    from tap_analytics.engine.api import Api
    from tap_analytics.engine.stream import AnalyticsStream

Streams = tuple["type[AnalyticsStream]", ...]


@dataclass(frozen=True)
class Vendor:
    """The streams of a vendor whose API can be spoken, parents before their children.

    Attributes:
        core: Those that are always listed: the documented ones and the public connectors'.
        further: Those that are listed with the setting `all_streams` only.
    """

    core: Streams
    further: Streams = ()

    @property
    def api(self) -> type[Api]:
        """The API as the vendor speaks it."""
        return self.core[0].api

    @property
    def streams(self) -> Streams:
        """Every stream."""
        return (*self.core, *self.further)


@dataclass(frozen=True)
class Family:
    """One API: its documented streams, and the vendors whose API it can speak."""

    documented: Streams
    upstreams: Mapping[str, Vendor]

    @property
    def api(self) -> type[Api]:
        """The documented API."""
        return self.documented[0].api

    def streams(self, config: Mapping[str, Any]) -> Streams:
        """Return the streams that the API has under a configuration."""
        vendor = self.upstreams.get(str(self.api.setting(config, "upstream")))
        if vendor is None:
            return self.documented
        return vendor.streams if config.get("all_streams") else vendor.core

    def settings(self) -> Iterator[th.Property[Any]]:
        """Yield the settings of the API and of its vendors."""
        seen = set()
        apis = [self.api, *(vendor.api for vendor in self.upstreams.values())]
        for api in apis:
            for setting in api.settings(tuple(self.upstreams)):
                if setting.name not in seen:
                    seen.add(setting.name)
                    yield setting


def enabled(families: tuple[Family, ...], config: Mapping[str, Any]) -> tuple[Family, ...]:
    """Return the APIs that have a key; all of them if none has."""
    return tuple(family for family in families if family.api.is_on(config)) or families


def references(stream: type[AnalyticsStream]) -> dict[str, str]:
    """Return which columns of a stream hold keys of others, as ``stream.column``.

    What a child is asked with points to its parent; the rest is declared.
    """
    parent: Any = stream.parent_stream_type  # the SDK types what classes declare as properties
    if parent is None or not stream.context_in_rows:
        return dict(stream.references)
    above = {name: f"{parent.name}.{field}" for name, field in parent.child_keys.items()}
    return {**above, **stream.references}
