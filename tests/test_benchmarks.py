"""The benchmark runs, in small and without the other tools, and writes its report."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.clock import timed
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
    if case == "load-family":
        shares = re.search(r"CPU of .* as shipped: (.*)", report)
        assert shares
        seconds = dict(part.rstrip("s. ").rsplit(" ", 1) for part in shares[1].split(", "))
        assert {"tap-analytics", "target-postgres", "the API's server"} <= set(seconds)
        assert min(float(seconds[name]) for name in ("tap-analytics", "target-postgres")) > 0


def test_what_is_timed_works_as_before(tmp_path: Path) -> None:
    work = "import sys; sum(range(10**6)); print(sys.stdin.read(), file=sys.stderr); exit(3)"
    command = timed(shlex.join([sys.executable, "-c", work]), "a program", tmp_path)
    ran = subprocess.run(  # noqa: S603
        ["bash", "-c", command],  # noqa: S607
        input=b"said",
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, b"", b"said\n")
    assert sum(map(float, (tmp_path / "a program.times").read_text().split())) > 0
