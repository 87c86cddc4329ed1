"""The benchmark runs, in small and without the other tools, and writes its report."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


def run_in_small(case: str, folder: Path) -> str:
    """Run a case with our tap alone, and return its report, in which it has to have measured."""
    options = ["--quick", "--case", case, "--tool", "tap", "--output", str(folder)]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.benchmarks", *options],
        cwd=ROOT,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    report = (folder / "results.md").read_text(encoding="utf-8")
    assert done.stdout.strip() in report
    return report


def test_one_case_in_small_writes_a_table_and_a_chart(tmp_path: Path) -> None:
    report = run_in_small("pages-of-1000", tmp_path)
    measured = next(line for line in report.splitlines() if line.startswith("| tap-analytics | "))
    assert "failed" not in measured
    image = ET.parse(tmp_path / "results.svg").getroot()  # noqa: S314
    assert [text.text for text in image.iter() if text.text == "tap-analytics"]


# `load-project` installs two projects, like the tests of Meltano, whose helper it uses.
@pytest.mark.slow
@pytest.mark.parametrize("case", ["load-family", "load-again", "discover"])
def test_loads_and_starts_are_measured(case: str, tmp_path: Path) -> None:
    report = run_in_small(case, tmp_path)
    assert f"(`{case}`)" in report
    assert "could not be run" not in report
