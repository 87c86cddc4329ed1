"""Folders that a killed process leaves, and those that are in use."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from tap_analytics.sandbox import scratch
from tap_analytics.sandbox.scratch import Scratch, clear

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import time
from tap_analytics.sandbox.scratch import Scratch
print(Scratch().path, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what belongs to others out of it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "SHARED", ())


def test_the_folder_of_a_killed_process_goes_at_the_next_start(tmp_path: Path) -> None:
    """And not before: while the process lives, the folder is its own."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = process.stdout.readline().strip()
        clear({os.getuid()})
        assert [str(path) for path in tmp_path.iterdir()] == [folder]
        process.kill()
        process.wait()
        assert [str(path) for path in tmp_path.iterdir()] == [folder]
        clear({os.getuid()})
    assert not list(tmp_path.iterdir())


def test_only_what_is_left_behind_is_cleared(tmp_path: Path) -> None:
    """Folders in use, just made, somebody else's, or no folders at all stay."""
    with Scratch() as mine:
        made = tmp_path / "tap-analytics-sandbox-made"
        made.mkdir()
        (tmp_path / "tap-analytics-sandbox-link").symlink_to(made)
        (tmp_path / "something-else").mkdir()
        before = set(tmp_path.iterdir())
        clear({os.getuid()})
        assert set(tmp_path.iterdir()) == before
        os.utime(made, (0, 0))
        clear({os.getuid() + 1})
        assert set(tmp_path.iterdir()) == before
        clear({os.getuid()})
        assert set(tmp_path.iterdir()) == before - {made}
        assert mine.path.exists()
    assert not mine.path.exists()
