"""The command `python -m tests.benchmarks`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import chart, machine, results
from tests.benchmarks.bench import Bench, say
from tests.benchmarks.cases import CASES
from tests.benchmarks.process import FailedError
from tests.benchmarks.results import Findings, Result, Table
from tests.benchmarks.tools import TOOLS, Ours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.tools import Tool

_RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns 1 if a case could not be run, whatever the targets say.

    Args:
        arguments: Those of the command line, unless given.
    """
    options = _parser().parse_args(arguments)
    folder = options.output or (None if options.quick or options.case or options.tool else _RESULTS)
    tools, problems = _tools(options.tool)
    facts = machine.facts(tools.values(), problems)
    bench = Bench(tools, 1 if options.quick else max(1, options.rounds), options.quick)
    done: list[Result] = []
    failed = 0
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        say(f"{case.name}: {case.title}")
        started = time.monotonic()
        try:
            findings = case.run(bench)
        except FailedError as error:
            say(f"{case.name} could not be run: {error}")
            findings = Findings(Table(("", ""), [("could not be run", str(error))], numbers=False))
            failed = 1
        title = f"{case.title} - in small" if options.quick else case.title
        done.append(Result(case.name, title, findings))
        say(f"  {time.monotonic() - started:.0f} s")
        sys.stdout.write(f"{done[-1].markdown()}\n\n")
        sys.stdout.flush()
        if folder:
            _write(folder, done, facts)
    return failed


def _tools(names: Sequence[str] | None) -> tuple[dict[str, Tool], dict[str, str]]:
    """Return the tools by name, and by label why others cannot be run."""
    tools: dict[str, Tool] = {}
    problems: dict[str, str] = {}
    for tool in TOOLS:
        if names and tool.name not in names and tool is not Ours:
            problems[tool.label] = "not asked for"
            continue
        try:
            tools[tool.name] = tool()
        except FailedError as error:
            say(f"{tool.name} cannot be run: {error}")
            problems[tool.label] = str(error)
    return tools, problems


def _write(folder: Path, done: Sequence[Result], facts: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "results.svg"
    panels = [(one.title, one.findings.bars) for one in done if one.findings.bars]
    image.write_text(chart.draw(panels), encoding="utf-8")
    text = results.report(done, facts, image.name)
    (folder / "results.md").write_text(text, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure the tap against its peers and its targets.",
        epilog=f"cases: {', '.join(case.name for case in CASES)}",
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, one round: to see that it works"
    )
    parser.add_argument(
        "--case",
        action="append",
        choices=[case.name for case in CASES],
        metavar="NAME",
        help="run this case only (may be repeated)",
    )
    parser.add_argument(
        "--tool",
        action="append",
        choices=[tool.name for tool in TOOLS],
        metavar="NAME",
        help="beside ours, run this tool only (may be repeated; "
        f"{', '.join(tool.name for tool in TOOLS)})",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="rounds of each run (default: 3)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="write results.md and results.svg there (default: tests/benchmarks/results if all "
        "cases run in full with all tools, nowhere otherwise)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
