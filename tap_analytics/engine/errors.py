"""What can go wrong while reading, and what it means for the run."""

from __future__ import annotations

import errno
import signal


class ReadError(Exception):
    """A list could not be read; its stream fails and the others go on.

    Attributes:
        status: Status of the answer that said so, if one did.
    """

    status: int | None = None


class Denied(ReadError):
    """The API refused the key (401, 402, 403): no further request of that stream makes sense."""


class Gone(ReadError):
    """The addressed object does not exist (404, 410); a child without its parent is skipped."""


class Unaskable(Gone):
    """What a child's list would be asked with cannot stand in a path; it is skipped, too."""


class TransientError(ReadError):
    """The attempt failed in a way that another attempt may mend."""

    def __init__(
        self,
        message: str,
        *,
        throttled: bool = False,
        wait: float | None = None,
        is_late: bool = False,
    ) -> None:
        """Keep what the server said about waiting.

        Args:
            message: What happened.
            throttled: Whether the server asked to slow down.
            wait: Seconds the server told to wait, if it did.
            is_late: Whether the answer took too long.
        """
        super().__init__(message)
        self.throttled = throttled
        self.wait = wait
        self.is_late = is_late


class TooSlow(ReadError):
    """A list did not answer in time and can be asked for in parts, which are quicker."""


class ListChanged(ReadError):
    """The list changed while it was read, so that what was read may not be all of it."""


class ClosedOutput(Exception):
    """Our output takes no more: its reader has closed it, or it cannot be written.

    Attributes:
        status: Exit status that says so.
    """

    def __init__(self, error: OSError) -> None:
        """Tell the two apart by what the operating system said."""
        closed = error.errno in (errno.EPIPE, errno.ECONNRESET)
        what = "was closed before the end" if closed else f"cannot be written: {error.strerror}"
        super().__init__(f"standard output {what}")
        self.status = 128 + signal.SIGPIPE if closed else 1


class Terminated(BaseException):
    """The process was told to end by a signal."""

    def __init__(self, number: int) -> None:
        """Take the signal's number."""
        super().__init__(number)
        self.status = 128 + number
