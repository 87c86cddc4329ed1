"""The command line: errors as one clear message, and the exit status that says what happened."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand

from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.secrets import redactor
from tap_analytics.inputs import JsonFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FAILED = 1
CONFIGURATION_ERROR = 2
ENVIRONMENT = "ENV"
"""What stands for the environment where a settings file could be named."""

TESTS = ("all", "schema", "estimate", "shape")
NO_TEST = "disabled"
_TEST_HELP = (
    "Ask every selected stream for one page and tell what came of it; with =estimate also how "
    "much a first run asks for, with =shape print what the answers look like without anything "
    "that they say, to be shared, with =schema write the SCHEMA messages and ask for nothing."
)
_OPTION = re.compile(r"--?[a-z][a-z-]{0,30}\Z")


def refuse(errors: Iterable[str], logger: logging.Logger) -> NoReturn:
    """Log what is wrong with what the user gave, and exit with status 2."""
    for error in errors:
        logger.error("%s", redactor.clean(error))
    leave(CONFIGURATION_ERROR)


def leave(status: int) -> NoReturn:
    """Exit without a word, even if standard output is closed."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


class AnalyticsCommand(SingerCommand):
    """The SDK's command with our way to read files, to complain and to end."""

    @classmethod
    def like(cls, command: click.Command, logger: logging.Logger) -> AnalyticsCommand:
        """Return one that does what the SDK's does."""
        for option in command.params:
            if option.name in ("state", "catalog"):
                option.type = JsonFile(option.name)
            if option.name == "test":  # as late as the run, so that it knows the catalog
                option.type = click.Choice([*TESTS, NO_TEST])
                option.callback, option.expose_value = None, True
                option.help = _TEST_HELP
        return cls(
            name=command.name,
            callback=command.callback,
            context_settings=command.context_settings,
            params=command.params,
            help=command.help,
            logger=logger,
        )

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments, which runs ``--discover`` and ``--test`` too."""
        with self._ending():
            if sys.stdout is None:
                raise ClosedOutput(OSError(errno.EBADF, os.strerror(errno.EBADF)))
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; unlike the SDK's, ours tells wrong settings by status 2."""
        logging.captureWarnings(capture=True)
        sys.excepthook = self.excepthook
        with self._ending():
            return click.Command.invoke(self, ctx)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        try:
            yield
        except ConfigValidationError as error:
            refuse(error.errors, self.logger)
        except click.UsageError as error:
            refuse([_misuse(error)], self.logger)
        except Terminated as end:
            leave(end.status)
        except (ClosedOutput, OSError) as error:  # of printing the catalog or what the tap is
            output = error if isinstance(error, ClosedOutput) else ClosedOutput(error)
            if output.status == FAILED:  # a reader that left, such as head, knows it
                self.logger.error("%s", output)  # noqa: TRY400
            leave(output.status)


def _misuse(error: click.UsageError) -> str:
    """Return what is wrong with the arguments, without what they were: it may be a secret."""
    if isinstance(error, click.NoSuchOption):
        name = f" {error.option_name}" if _OPTION.match(error.option_name) else ""
        meant = f": did you mean {error.possibilities[0]}?" if error.possibilities else ""
        return f"there is no option{name}{meant}"
    if isinstance(error, click.BadOptionUsage):
        return f"option {error.option_name} wants a value, or takes none"
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = "/".join(error.param.opts)
        choices = getattr(error.param.type, "choices", ())
        return f"option {name} " + (
            f"must be one of: {', '.join(choices)}" if choices else "has a value it cannot have"
        )
    return (
        "there is an argument too many: settings are given in a file with --config, or with "
        "--config=ENV in the environment"
    )
