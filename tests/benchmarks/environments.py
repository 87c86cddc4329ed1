"""Environments for the tools that are not ours, made once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.process import FailedError

if TYPE_CHECKING:
    from collections.abc import Sequence


def python_with(name: str, requirements: Sequence[str]) -> Path:
    """Return the Python of an environment with these packages, made now if need be.

    The Python is of the same version as the one that runs this. To have newer packages, delete
    the folder.

    Raises:
        FailedError: There is no uv, or it could not install the packages.
    """
    wanted = f"{sys.version}\n{sorted(requirements)}"
    folder = _cache() / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        sys.stderr.write(f"making {folder}\n")
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--compile-bytecode", "--python", str(python), *requirements)
        complete.touch()
    return python


def versions(python: Path, packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of packages in an environment."""
    script = (
        "import json, sys; from importlib.metadata import version; "
        "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    )
    command = [str(python), "-c", script, *packages]
    found = subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    named: dict[str, str] = json.loads(found.stdout)
    return named


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "tap-analytics-benchmarks")


def _uv(*arguments: str) -> None:
    program = os.environ.get("UV") or shutil.which("uv")
    if program is None:
        message = "uv is not installed"
        raise FailedError(message)
    done = subprocess.run(  # noqa: S603
        [program, "--quiet", *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.split()
        message = f"uv {arguments[0]}: {' '.join(lines)[:300]}"
        raise FailedError(message)
