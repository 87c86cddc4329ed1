"""The tap: its settings, its streams, and how a run begins and ends."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)

from tap_analytics import settings
from tap_analytics.apis import FAMILIES
from tap_analytics.command import AnalyticsCommand, leave, refuse
from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.catalog import enabled
from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.run.run import Run
from tap_analytics.engine.sdk import SdkTap
from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.stream import AnalyticsStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click


INCOMPLETE = 1
_OBJECTS_BETWEEN_COLLECTIONS = 200_000
_OUTDATED = ("partitions", "progress_markers", "starting_replication_value")


class TapAnalytics(SdkTap):
    """Reads Factorial, Statuspage, Statsig, Freshsales and SignNow."""

    name = "tap-analytics"
    config_jsonschema: ClassVar[dict[str, Any]] = settings.schema()
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    @cached_property
    def run(self) -> Run:
        """What the streams share while they are read."""
        return Run(self.config, self.state, self.message_writer)

    @cached_property
    def user_agent(self) -> str:
        """The User-Agent header of every request."""
        return str(self.config.get("user_agent") or f"{self.name}/{self.plugin_version}")

    def environment(self) -> dict[str, str]:
        """Return the settings given in the environment."""
        return settings.from_environment(self.config_jsonschema, os.environ)

    def prepare(self, config: dict[str, Any]) -> None:
        """Make of settings what is meant by them, in place."""
        settings.prepare(config, self.config_jsonschema)

    def find_errors(self) -> list[str]:
        """Return what is wrong with the settings; from here on their secrets are hidden."""
        redactor.add(settings.secrets(self.config, self.config_jsonschema))
        for handler in logging.getLogger().handlers:
            handler.addFilter(redactor)
        return list(settings.find_errors(dict(self.config), self.config_jsonschema))

    def discover_streams(self) -> list[AnalyticsStream]:
        """Return the streams of the APIs that have a key; of all APIs if none has."""
        return [
            stream(self)
            for family, account in enabled(FAMILIES, accounts(self.config))
            for stream in family.streams(account.config)
        ]

    def load_state(self, state: dict[str, Any]) -> None:
        """Take the state of an earlier run.

        Raises:
            ConfigValidationError: If it is no state.
        """
        bookmarks = state.get("bookmarks", {})
        if not isinstance(bookmarks, dict) or not all(
            isinstance(entry, dict) for entry in bookmarks.values()
        ):
            summary = "the state is not one of this tap: 'bookmarks' must hold one object a stream"
            raise ConfigValidationError(summary, errors=[summary], schema={})
        kept = {
            name: {key: value for key, value in entry.items() if key not in _OUTDATED}
            for name, entry in bookmarks.items()
        }
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

    def begin(self) -> None:
        """Start the run: take its streams and fetch their first pages."""
        self.run.plan(self.roots)

    def check_selection(self) -> list[str]:
        """Return what keeps the selected streams from being read at all."""
        every = accounts(self.config)
        if not any(family.is_on(account.config) for family in FAMILIES for account in every):
            names = [way[0] for family in FAMILIES for way in family.ways_on if len(way) == 1]
            return [f"no API is turned on: set at least one of {', '.join(names)}"]
        return [
            f"setting '{stream.api.name}_{stream.api.credential}' is needed by the selected "
            f"stream '{stream.name}': set it, or deselect the stream"
            for root in self.roots
            for stream in root.family
            if not stream.api.has_credential(self.config)
        ]

    def execute(self) -> int:
        """Read everything that is selected and return the exit status."""
        status = INCOMPLETE
        try:
            _spare_the_collector()
            self.sync_all()
            status = 0 if self.run.report.sound else INCOMPLETE
        except ClosedOutput as end:
            self.logger.error("%s", end)  # noqa: TRY400
            status = end.status
        except Terminated as end:
            self.logger.warning("Told to end: writing state")
            status = end.status
        finally:
            with contextlib.suppress(ClosedOutput):
                self.run.close()
            self.run.report.publish(self.logger, self.run.options.report_path)
        return status

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: Any = None,
        catalog: Any = None,
    ) -> None:
        """Run the command line interface.

        Args:
            about: Whether to print what the tap is, and nothing else.
            about_format: Format of that, ``json`` or ``markdown``.
            config: Settings, from files and whether from the environment too.
            state: File with the state of an earlier run.
            catalog: File with the catalog.
        """
        if about:
            cls.print_about(about_format)
            leave(0)
        tap = cls(
            config=config.config,
            parse_env_config=config.parse_env,
            state=_load(state, "state"),
            catalog=_load(catalog, "catalog"),
        )
        errors = tap.check_selection()
        if errors:
            refuse(errors, cls.logger)
        leave(tap.execute())

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the settings files; one that cannot be read ends the command."""
        try:
            return super().cb_config(ctx, param, value)
        except OSError:
            problem = "cannot be read"
        except (ValueError, TypeError, RuntimeError):
            problem = "is not a JSON object"
        return refuse([f"a settings file ({', '.join(value)}) {problem}"], cls.logger)

    @classmethod
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Run ``--test``: read one record of each stream, and exit with 1 if one cannot be."""
        if value != "all":
            super().cb_test(ctx, param, value)
            return
        config = ctx.params["config"]
        tap = cls(config=config.config, parse_env_config=config.parse_env)
        errors = tap.check_selection()
        if errors:
            refuse(errors, cls.logger)
        tap.run_sync_dry_run(
            streams=[
                stream
                for stream in tap.streams.values()
                if isinstance(stream, AnalyticsStream) and stream.api.has_credential(tap.config)
            ]
        )
        troubles = tap.run.report.troubles
        for tally in troubles:
            cls.logger.error("%s", tally.line())
        leave(INCOMPLETE if troubles else 0)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command with our way to end."""
        command = super().get_singer_command()
        return AnalyticsCommand(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=cls.logger,
        )


def _spare_the_collector() -> None:
    """Look for reference cycles less often: decoded pages have none, and many objects."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 100)


def _load(file: Any, what: str) -> dict[str, Any] | None:
    """Read a JSON object the user gave."""
    if file is None:
        return None
    try:
        content = json.load(file)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        refuse([f"the {what} file '{file.name}' is not a whole JSON object"], TapAnalytics.logger)
    return content
