"""What the benchmark ran on."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.helpers.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.benchmarks.tools import Tool


def facts(tools: Iterable[Tool], problems: dict[str, str]) -> dict[str, str]:
    """Return what is worth knowing, by what it is.

    Args:
        tools: Those that ran; their versions are named.
        problems: Why others did not, by label.
    """
    known = {
        "date": time.strftime("%Y-%m-%d"),
        "revision": _revision(),
        "cores": str(_cores()),
        "processor": _processor(),
        "memory": f"{_memory() / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "load before": _load(),
    }
    for tool in tools:
        named = ", ".join(f"{name} {number}" for name, number in tool.versions().items())
        known[tool.label] = named
    return known | {label: f"not run: {why}" for label, why in problems.items()}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} (a loaded machine measures its load)"


def _revision() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
