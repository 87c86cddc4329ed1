"""Starting threads on machines that may have none to give."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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
