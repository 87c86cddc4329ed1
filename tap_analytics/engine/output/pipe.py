"""Room in the pipe to the target."""

from __future__ import annotations

import sys
from contextlib import suppress

_BYTES = 1024 * 1024
"""The most that Linux allows everybody."""


def widen() -> None:
    """Let standard output hold more, if it is a pipe and the system can, as Linux does.

    Lines leave in large pieces, and a tap that writes waits until all but what the pipe holds
    was read. A target would then be through with the 64 KB that it holds before there is more,
    and each would wait for the other in turns.
    """
    if sys.platform != "linux":
        return
    import fcntl  # noqa: PLC0415 - others have none

    with suppress(OSError, AttributeError, ValueError):  # no pipe, or no more leave for it
        number = sys.stdout.fileno()
        if fcntl.fcntl(number, fcntl.F_GETPIPE_SZ) < _BYTES:
            fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, _BYTES)
