"""The tap: its settings, its streams, and how a run begins and ends."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk.helpers.capabilities import (
    CapabilitiesEnum,
    PluginCapabilities,
    TapCapabilities,
)

from tap_analytics import selection, settings, states
from tap_analytics.apis import PACKAGES
from tap_analytics.command import ENVIRONMENT, NO_TEST, AnalyticsCommand, leave, refuse
from tap_analytics.engine.accounts import accounts
from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.output import closing
from tap_analytics.engine.output.progress import Progress
from tap_analytics.engine.registry import enabled
from tap_analytics.engine.run.access import Access
from tap_analytics.engine.run.run import Run
from tap_analytics.engine.sdk import ACTIVATE_VERSION, SdkStream, SdkTap
from tap_analytics.engine.secrets import redactor
from tap_analytics.engine.stream import AnalyticsStream
from tap_analytics.inputs import read_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import click

    from tap_analytics.engine.output.report import Report
    from tap_analytics.engine.registry import ApiPackage


INCOMPLETE = 1
_OBJECTS_BETWEEN_COLLECTIONS = 200_000


class TapAnalytics(SdkTap):
    """Reads Factorial, Statuspage, Statsig, Freshsales and SignNow.

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

    def new_run(self) -> Run:
        """Return a run over this tap's accounts, from its state on."""
        every = accounts(self.config)
        accesses = [Access(account, len(every)) for account in every]
        return Run(accesses, cast("dict[str, Any]", self.state), self.message_writer)

    def read(self, stream: SdkStream) -> None:
        """Read and write one stream with all below it, as a run of its own."""
        run = self.new_run()
        try:
            run.read([cast("AnalyticsStream", stream)], says_schema=False)
        finally:
            run.close()

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

    def check_selection(self) -> list[str]:
        """Return what keeps the selected streams from being read at all."""
        every = accounts(self.config)
        packages = self.packages
        if not any(one.is_on(account.config) for one in packages for account in every):
            names = [way[0] for one in packages for way in one.ways_on if len(way) == 1]
            hint = f"; {self.overlooked}" if self.overlooked else ""
            return [f"no API is turned on: set at least one of {', '.join(names)}{hint}"]
        absent = list(selection.missing(self.input_catalog, self.streams, self.packages))
        if not any(True for _ in self.roots):
            return absent or ["the catalog selects no stream, so there is nothing to read"]
        for text in absent:
            self.logger.warning("%s", text)
        misnamed = list(
            selection.mapped_nowhere(
                self.config.get("stream_maps") or {}, self.streams, self.packages
            )
        )
        if misnamed:
            return misnamed
        path = self.config.get("report_path")
        obstacle = closing.find_obstacle(path) if path else None
        if obstacle:
            return [f"setting 'report_path': '{path}' {obstacle}"]
        return [
            f"setting '{stream.api.name}_{stream.api.credential}' is needed by the selected "
            f"stream '{stream.name}'{account.of}: set it, or deselect the stream"
            for root in self.roots
            for stream in root.family
            for account in every
            if account.has(stream.api) and not stream.api.has_credential(account.config)
        ]

    def execute(self) -> int:
        """Read everything that is selected and return the exit status."""
        status = INCOMPLETE
        run = self.new_run()
        with Progress(run.report, is_on=self.config.get("progress", True)):
            try:
                _spare_the_collector()
                self.settle_replication_methods()
                run.read(list(self.roots))
                run.close()
                status = 0 if run.report.sound else INCOMPLETE
            except ClosedOutput as end:
                self.logger.error("%s", end)  # noqa: TRY400
                status = end.status
            except Terminated as end:
                self.logger.warning("Told to end: writing state")
                status = end.status
            finally:
                with contextlib.suppress(ClosedOutput):
                    run.close()
        return self._conclude(run.report, status)

    def _conclude(self, report: Report, status: int) -> int:
        """Write what happened where the user wants it, say it, and return the exit status."""
        is_written = True
        if path := self.config.get("report_path"):
            properties = self.config_jsonschema["properties"]
            content = closing.document(
                report,
                version=self.plugin_version,
                status=status,
                config=self.config,
                secrets=[name for name, part in properties.items() if part.get("secret")],
            )
            is_written = closing.write(path, content, self.logger)
        closing.say(report, self.logger)
        return status if is_written else status or INCOMPLETE

    def try_out(self, test: str) -> int:
        """Try the selected streams without reading them, and return the exit status."""
        if test == "schema":
            for stream in (stream for root in self.roots for stream in root.family):
                if stream.selected:
                    stream.write_schema()
            self.message_writer.flush()
            return 0
        from tap_analytics.check.findings import examine  # noqa: PLC0415 - a run never needs it
        from tap_analytics.check.tables import estimate, table  # noqa: PLC0415

        every = accounts(self.config)
        accesses = [Access(account, len(every)) for account in every]
        if test == "shape":
            return self._show_shapes(accesses)
        findings = examine(list(self.roots), accesses)
        print(table(findings), file=sys.stderr)  # noqa: T201
        if test == "estimate":
            print(f"\n{estimate(findings, self.config['max_concurrency'])}", file=sys.stderr)  # noqa: T201
        return 0 if all(finding.is_good for finding in findings) else INCOMPLETE

    def _show_shapes(self, accesses: list[Access]) -> int:
        from tap_analytics.check.findings import examine  # noqa: PLC0415 - a run never needs it
        from tap_analytics.check.shape import Shapes  # noqa: PLC0415
        from tap_analytics.check.words import vocabulary  # noqa: PLC0415

        words = vocabulary(cast("Iterable[AnalyticsStream]", self.streams.values()))
        shapes = Shapes([access.name for access in accesses], words)
        findings = examine(list(self.roots), accesses, shapes)
        self.message_writer.write(shapes.report(self.plugin_version).encode())
        self.message_writer.flush()
        return 0 if all(finding.is_good for finding in findings) else INCOMPLETE

    @classmethod
    def invoke(  # type: ignore[override]  # noqa: PLR0913 - one for each option
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: Any = None,
        catalog: Any = None,
        test: str = NO_TEST,
    ) -> None:
        """Run the command line interface.

        Args:
            about: Whether to print what the tap is, and nothing else.
            about_format: Format of that, ``json`` or ``markdown``.
            config: Settings, from files and whether from the environment too.
            state: State of an earlier run.
            catalog: Catalog, with what is selected.
            test: What to try in place of a run, if anything.
        """
        if about:
            cls.print_about(about_format)
            leave(0)
        tap = cls(
            config=config.config,
            parse_env_config=config.parse_env,
            state=state,
            catalog=catalog,
        )
        errors = tap.check_selection()
        if errors:
            refuse(errors, cls.logger)
        leave(tap.execute() if test == NO_TEST else tap.try_out(test))

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the settings files; one that cannot be read ends the command."""
        from_environment = tuple(part for part in value if part == ENVIRONMENT)
        given = super().cb_config(ctx, param, from_environment)
        for path in value:
            if path != ENVIRONMENT:
                given.config.update(read_object(path, "config"))
        return given

    @classmethod
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:  # noqa: ARG003, FBT001
        """Run ``--discover``, which needs no settings, but no wrong ones either."""
        if not value:
            return
        given = ctx.params["config"]
        tap = cls(
            config=given.config,
            parse_env_config=given.parse_env,
            validate_config=False,
            setup_mapper=False,
        )
        errors = tap.find_errors(to_read=False)
        if errors:
            refuse(errors, cls.logger)
        if not given.config and tap.overlooked:
            cls.logger.warning("%s", tap.overlooked)
        tap.message_writer.write(f"{tap.catalog_json_text}\n".encode())
        tap.message_writer.flush()
        leave(0)

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """Return the command with our way to read files, to complain and to end."""
        return AnalyticsCommand.like(super().get_singer_command(), cls.logger)


def _spare_the_collector() -> None:
    """Look for reference cycles less often: decoded pages have none, and many objects."""
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 100)
