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
class Family:
    """One API: its documented streams, and those of the vendors whose API it can speak."""

    documented: Streams
    upstreams: Mapping[str, Streams]

    @property
    def api(self) -> type[Api]:
        """The documented API."""
        return self.documented[0].api

    def streams(self, config: Mapping[str, Any]) -> Streams:
        """Return the streams that the API has under a configuration."""
        vendor = str(self.api.setting(config, "upstream"))
        return self.upstreams.get(vendor, self.documented)

    def settings(self) -> Iterator[th.Property[Any]]:
        """Yield the settings of the API and of its vendors."""
        seen = set()
        apis = [self.api, *(streams[0].api for streams in self.upstreams.values())]
        for api in apis:
            for setting in api.settings(tuple(self.upstreams)):
                if setting.name not in seen:
                    seen.add(setting.name)
                    yield setting


def enabled(families: tuple[Family, ...], config: Mapping[str, Any]) -> tuple[Family, ...]:
    """Return the APIs that have a key; all of them if none has."""
    return tuple(family for family in families if family.api.is_on(config)) or families
