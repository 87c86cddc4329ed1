"""Which streams there are, for which configuration."""

from __future__ import annotations

from importlib import import_module
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tap_analytics.engine.schemas import pointers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import typing as th

    from tap_analytics.engine.accounts import Account
    from tap_analytics.engine.api import Api
    from tap_analytics.engine.stream import AnalyticsStream

Streams = tuple["type[AnalyticsStream]", ...]


class Vendor(Struct, frozen=True):
    """The streams of a vendor whose API can be spoken, parents before their children.

    Attributes:
        core: Those that are always listed: the documented ones and the public connectors'.
        package: The package that has the further ones.
        subjects: Its modules with these, each of which has them as `STREAMS`.
    """

    core: Streams
    package: str = ""
    subjects: tuple[str, ...] = ()

    @property
    def api(self) -> type[Api]:
        """The API as the vendor speaks it."""
        return self.core[0].api

    @property
    def further(self) -> Streams:
        """Those that are listed with the setting `all_streams` only, and not imported without."""
        modules = [import_module(f"{self.package}.{subject}") for subject in self.subjects]
        return tuple(stream for module in modules for stream in module.STREAMS)

    @property
    def streams(self) -> Streams:
        """Every stream."""
        return (*self.core, *self.further)


class ApiPackage(Struct, frozen=True, eq=False):
    """One API: its documented streams, and the vendors whose API it can speak."""

    documented: Streams
    upstreams: Mapping[str, Vendor]

    @property
    def api(self) -> type[Api]:
        """The documented API."""
        return self.documented[0].api

    def spoken(self, config: Mapping[str, Any]) -> type[Api]:
        """Return the API as it is spoken under a configuration: as documented, or a vendor's."""
        return self.streams(config)[0].api

    def is_on(self, config: Mapping[str, Any]) -> bool:
        """Tell whether a configuration has what turns the API on."""
        return self.spoken(config).is_on(config)

    def streams(self, config: Mapping[str, Any]) -> Streams:
        """Return the streams that the API has under a configuration."""
        vendor = self.upstreams.get(str(self.api.setting(config, "upstream")))
        if vendor is None:
            return self.documented
        return vendor.streams if config.get("all_streams") else vendor.core

    @property
    def ways_on(self) -> Iterator[tuple[str, ...]]:
        """The settings that turn the API on: its key, or what does so together."""
        yield (f"{self.api.name}_{self.api.key_setting}",)
        for vendor in self.upstreams.values():
            if vendor.api.also_on:
                yield tuple(f"{self.api.name}_{name}" for name in vendor.api.also_on)

    def settings(self) -> Iterator[th.Property[Any]]:
        """Yield the settings of the API and of its vendors."""
        seen = set()
        apis = [self.api, *(vendor.api for vendor in self.upstreams.values())]
        for api in apis:
            for setting in api.settings(tuple(self.upstreams)):
                if setting.name not in seen:
                    seen.add(setting.name)
                    yield setting


def enabled(
    packages: tuple[ApiPackage, ...], every: tuple[Account, ...]
) -> Iterator[tuple[ApiPackage, Account]]:
    """Yield the APIs that an account has turned on, each with the first such account.

    If none is on, it is all of them.
    """
    found = {
        package: account
        for account in reversed(every)
        for package in packages
        if package.is_on(account.config)
    }
    for package in packages:
        if package in found or not found:
            yield package, found.get(package, every[0])


def references(stream: type[AnalyticsStream]) -> dict[str, str]:
    """Return which columns of a stream hold keys of others, as ``stream.column``."""
    source: Any = getattr_static(stream, "schema")
    return pointers(stream, source.get_stream_schema(stream, stream)["properties"])
