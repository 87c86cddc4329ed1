"""Threads and files on machines that may have few to give."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_FILES = 8192


def allow_files() -> None:
    """Let the process open more files, sockets included, where its user may have that.

    Shells start programs with 256 or 1,024, which a hundred accounts side by side are above.
    """
    with suppress(ImportError, OSError, ValueError):  # there is no such thing, or it is refused
        import resource  # noqa: PLC0415 - not on every system

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def started(work: Callable[[], object], name: str) -> threading.Thread | None:
    """Start a thread that does not keep the process alive.

    Args:
        work: What it does.
        name: Its name.

    Returns:
        The thread; None where the machine gives no more of them, as with a limit of tasks or of
        address space, so that the caller has to do without.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread
