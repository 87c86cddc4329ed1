"""`python -m tests.targets`: load everything into every target, and write what became of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.targets.comparing import Outcome, outcome
from tests.targets.scenario import make
from tests.targets.targets import TARGETS

RESULTS = Path(__file__).with_name("results.md")
_HEAD = """\
# What becomes of the rows in each target

Two runs of the tap over all documented streams and all that only the vendors have, awkward
texts among them; in between one row was deleted, some were changed and one column was added.
Then every cell was compared, by key. Written by `uv run python -m tests.targets`.

| target | rows | values | repeated row | earlier rows | new column | deleted row |
| --- | --- | --- | --- | --- | --- | --- |
"""


def line(name: str, seen: Outcome) -> str:
    """Return a target's row of the table."""
    return "| " + " | ".join((name, *seen.cells())) + " |\n"


def main() -> int:
    """Write the table; returns 1 if a target could not be tried."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=40, help="rows of each list")
    scenario = make(parser.parse_args().records)
    lines, tried = [], True
    for kind in TARGETS:
        if not kind.is_installable():
            sys.stderr.write(f"{kind.name} has no release for this Python\n")
            tried = False
            continue
        with TemporaryDirectory() as folder, kind.opened(Path(folder)) as target:
            seen = outcome(target, scenario)
        lines.append(line(kind.name, seen))
        sys.stderr.write(lines[-1])
        sys.stderr.writelines(f"    {example}\n" for example in seen.examples.values())
        sys.stderr.write(seen.error)
    if tried:
        RESULTS.write_text(_HEAD + "".join(lines), encoding="utf-8")
    return 0 if tried else 1


if __name__ == "__main__":
    sys.exit(main())
