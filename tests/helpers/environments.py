"""Programs that cannot share our environment, each in one of its own that stays between runs."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CACHE = Path(__file__).parents[2] / ".pytest_cache" / "environments"


def kept(make: Callable[[Path], object], *what: str) -> Path:
    """Return a folder that is made at its first use, and again once it is to be another.

    Tests that run side by side wait for each other.

    Args:
        make: What puts into the folder all that it is to have.
        what: Everything on which that depends.
    """
    name = hashlib.sha256("\0".join(what).encode()).hexdigest()[:16]
    folder = _CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "made"
        if not made.exists():
            make(folder)
            made.touch()
    return folder


def installed(*requirements: str, python: str = sys.executable) -> Path:
    """Return the folder of programs of an environment with these requirements, see `kept`.

    Raises:
        CalledProcessError: They cannot be installed.
    """

    def install(folder: Path) -> None:
        venv = str(folder / "venv")
        where = ("--quiet", "--python")
        for command in (
            ("uv", "venv", "--clear", *where, python, venv),
            ("uv", "pip", "install", *where, venv, *requirements),
        ):
            subprocess.run(command, check=True, timeout=300)  # noqa: S603

    return kept(install, python, *requirements) / "venv" / "bin"
