"""The benchmark runs, in small and without the other tools, and writes its report."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.helpers.support import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path


def test_one_case_in_small_writes_a_table_and_a_chart(tmp_path: Path) -> None:
    options = ["--quick", "--case", "pages-of-1000", "--tool", "tap", "--output", str(tmp_path)]
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "tests.benchmarks", *options],
        cwd=ROOT,
        env=environment(),
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report = (tmp_path / "results.md").read_text(encoding="utf-8")
    measured = next(line for line in report.splitlines() if line.startswith("| tap-analytics | "))
    assert "failed" not in measured
    assert done.stdout.strip() in report
    image = ET.parse(tmp_path / "results.svg").getroot()  # noqa: S314
    assert [text.text for text in image.iter() if text.text == "tap-analytics"]
