"""Temporary folders that do not pile up: what a killed sandbox left, the next one removes.

The owner of a folder holds a lock on a file in it, which the system lets go however the owner
ends. A folder whose lock is free is nobody's.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

_PREFIX = "tap-analytics-sandbox-"
_LOCK = "lock"
_NEW_SECONDS = 60.0
"""A folder without its lock is so long taken for one that is being made."""
SHARED = ("/tmp", "/var/tmp")  # noqa: S108
"""Where every account can reach a folder, if it may not where this one's go."""


class Scratch:
    """A temporary folder; use it in a `with` block, or call `remove` in the end."""

    def __init__(self, place: Path | None = None) -> None:
        """Make a folder in `place`, or where temporary folders go."""
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place)).resolve()
        self.lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        """A descriptor that holds the lock; whoever inherits it holds the lock, too."""
        _take(self.lock)

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        os.close(self.lock)
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        """Nothing more is needed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove it."""
        self.remove()


def clear(owners: Iterable[int]) -> None:
    """Remove the folders of these accounts (user ids) whose sandboxes have ended."""
    users = set(owners)
    for place in {Path(tempfile.gettempdir()), *map(Path, SHARED)}:
        for folder in place.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                if folder.lstat().st_uid in users and _is_left(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether nobody holds the lock of a folder."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > _NEW_SECONDS
    try:
        return _take(lock)
    finally:
        os.close(lock)


def _take(lock: int) -> bool:
    """Lock a file; false if somebody else has it."""
    if sys.platform == "win32":
        return False
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
