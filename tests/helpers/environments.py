"""Programs that cannot share our environment, each in one of its own that stays between runs."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

_CACHE = Path(__file__).parents[2] / ".pytest_cache" / "environments"


def installed(*requirements: str, python: str = sys.executable) -> Path:
    """Return the folder of programs of an environment with these requirements.

    It is made at its first use; tests that run side by side wait for each other.

    Raises:
        CalledProcessError: They cannot be installed.
    """
    name = hashlib.sha256("\0".join((python, *requirements)).encode()).hexdigest()[:16]
    folder = _CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "made"
        if not made.exists():
            venv = str(folder / "venv")
            install = ("uv", "pip", "install", "--quiet", "--python", venv, *requirements)
            for command in (
                ("uv", "venv", "--quiet", "--clear", "--python", python, venv),
                install,
            ):
                subprocess.run(command, check=True, timeout=300)  # noqa: S603
            made.touch()
    return folder / "venv" / "bin"
