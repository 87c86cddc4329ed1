"""The command line: errors as one clear message, and the exit status that says what happened."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.plugin_base import SingerCommand

from tap_analytics.engine.errors import ClosedOutput, Terminated
from tap_analytics.engine.secrets import redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONFIGURATION_ERROR = 2


def refuse(errors: Iterable[str], logger: logging.Logger) -> NoReturn:
    """Log what is wrong with what the user gave, and exit with status 2."""
    for error in errors:
        logger.error("%s", redactor.clean(error))
    leave(CONFIGURATION_ERROR)


def leave(status: int) -> NoReturn:
    """Exit without a word, even if standard output is closed."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


class AnalyticsCommand(SingerCommand):
    """The SDK's command with our way to end."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments, which runs ``--discover`` and ``--test`` too."""
        with self._ending():
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
        except (Terminated, ClosedOutput) as end:
            leave(end.status)
        except OSError as error:  # of printing the catalog or what the tap is
            output = ClosedOutput(error)
            if not isinstance(error, BrokenPipeError):
                self.logger.error("%s", output)  # noqa: TRY400
            leave(output.status)
