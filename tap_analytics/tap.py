"""The tap, and what a command has it do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tap_analytics.base import BaseTap
from tap_analytics.command import ENVIRONMENT, NO_TEST, AnalyticsCommand, leave, refuse
from tap_analytics.inputs import read_object

if TYPE_CHECKING:
    import click

    from tap_analytics.engine.sdk import SdkStream
    from tap_analytics.engine.stream import AnalyticsStream


class TapAnalytics(BaseTap):
    """Reads Factorial, Statuspage, Statsig, Freshsales and SignNow."""

    def read(self, stream: SdkStream) -> None:
        """Read and write one stream with all below it, as a run of its own."""
        from tap_analytics.execution import new_run  # noqa: PLC0415 - the catalog never needs it

        run = new_run(self)
        try:
            run.read([cast("AnalyticsStream", stream)], says_schema=False)
        finally:
            run.close()

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
        from tap_analytics.execution import execute, obstacles  # noqa: PLC0415 - as in `read`

        if errors := obstacles(tap):
            refuse(errors, cls.logger)
        if test == NO_TEST:
            leave(execute(tap))
        from tap_analytics.check.trial import try_out  # noqa: PLC0415 - a run never needs it

        leave(try_out(tap, test))

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
        if errors := tap.find_errors(to_read=False):
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
