"""What the tap knows: its settings, its streams, its state."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)

from tap_analytics import settings, states
from tap_analytics.apis import PACKAGES
from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.registry import enabled
from tap_analytics.engine.sdk import ACTIVATE_VERSION, SdkTap
from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.stream import AnalyticsStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_analytics.engine.registry import ApiPackage


class BaseTap(SdkTap):
    """The tap, but for what commands have it do.

    Attributes:
        packages: The APIs; a subclass with others reads those, with their settings.
    """

    name = "tap-analytics"
    packages: ClassVar[tuple[ApiPackage, ...]] = PACKAGES
    config_jsonschema: ClassVar[dict[str, Any]] = settings.schema()
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init_subclass__(cls, **more: Any) -> None:
        """Take the settings of other APIs."""
        super().__init_subclass__(**more)
        if "packages" in vars(cls):
            cls.config_jsonschema = settings.schema(cls.packages)

    def environment(self) -> dict[str, str]:
        """Return the settings given in the environment."""
        return settings.from_environment(self.config_jsonschema, os.environ)

    def prepare(self, config: dict[str, Any]) -> None:
        """Make of settings what is meant by them, in place."""
        settings.prepare(config, self.config_jsonschema)

    def find_errors(self, *, to_read: bool = True) -> list[str]:
        """Return what is wrong with the settings; from here on their secrets are hidden.

        Args:
            to_read: Whether an API is to be read with them; what that takes may else be missing.
        """
        schema = self.config_jsonschema
        redactor.add(settings.secrets(self.config, schema))
        redactor.guard()
        unknown = settings.unknown_variables(schema, os.environ, is_read=self.reads_environment)
        known = schema["properties"]
        return [
            *settings.find_errors(
                dict(self.config), schema, to_read=to_read, packages=self.packages
            ),
            *(
                f"unknown setting '{name}' in the environment{settings.suggestion(name, known)}"
                for name in unknown
            ),
        ]

    @property
    def overlooked(self) -> str | None:
        """What to say of settings in the environment that nothing was told to read."""
        found = settings.from_environment(self.config_jsonschema, os.environ)
        if self.reads_environment or not found:
            return None
        return (
            f"settings of the environment, such as {settings.PREFIX}{next(iter(found)).upper()},"
            " are read with --config=ENV only"
        )

    def discover_streams(self) -> list[AnalyticsStream]:
        """Return the streams of the APIs that have a key; of all APIs if none has."""
        return [
            stream(self)
            for package, account in enabled(self.packages, accounts(self.config))
            for stream in package.streams(account.config)
        ]

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state of an earlier run, as it, Meltano or a STATE message has it.

        Raises:
            ConfigValidationError: If it is no state.
        """
        known = self.config_jsonschema["properties"]
        kept = {}
        for name, given in states.bookmarks_of(state, known).items():
            entry, troubles = states.sound_entry(given, name)
            for trouble in troubles:
                self.logger.warning("%s", trouble)
            if entry:
                kept[name] = entry
        super().load_state({"bookmarks": kept})

    @property
    def roots(self) -> Iterator[AnalyticsStream]:
        """The streams without parent that are read, in order."""
        for stream in self.streams.values():
            if (
                isinstance(stream, AnalyticsStream)
                and not stream.parent_stream_type
                and (stream.selected or stream.has_selected_descendents)
            ):
                yield stream
