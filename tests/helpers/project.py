"""A copy of the Meltano project, to be worked in."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.helpers.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

QUIET = {
    "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
    "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "0",
    "NO_COLOR": "1",
}
"""Variables that keep Meltano from asking the network, and from colors."""


def copy_project(folder: Path) -> None:
    """Copy the project with the tap to a folder, away from your own keys and state."""
    folder.mkdir(exist_ok=True)
    for name in ("meltano.yml", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    (folder / "output").mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tap_analytics", folder / "tap_analytics", ignore=ignore)
