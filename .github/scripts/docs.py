"""Write what the code knows into README.md, the vendors' pages, meltano.yml and plugin.yml."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import plugin
import tables
import vendors

from tap_analytics.apis import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def replace(text: str, block: str, lines: Iterator[str]) -> str:
    """Return the text with what stands between a block's two markers replaced by the lines.

    Raises:
        ValueError: The text has no such block.
    """
    begin, end = (rf"^[^\n]*\b{block}: {edge}\b[^\n]*\n" for edge in ("begin", "end"))
    pattern = re.compile(f"({begin}).*?({end})", re.DOTALL | re.MULTILINE)
    new, found = pattern.subn(lambda m: m[1] + "\n".join(lines) + "\n" + m[2], text)
    if found != 1:
        message = f"{found} blocks named {block!r}"
        raise ValueError(message)
    return new


def pages() -> Iterator[tuple[Path, str]]:
    """Yield every file that is written here, in whole or in part, and its text."""
    for name, blocks in {
        "README.md": {
            "settings": tables.settings_table(),
            "streams": tables.documented_table(),
            "vendors": vendors.summary(),
        },
        "meltano.yml": {"settings": plugin.project_settings()},
        **{
            f"tap_analytics/apis/{package.api.name}/README.md": {
                "streams": vendors.stream_table(package),
                "entities": vendors.diagram(package),
            }
            for package in PACKAGES
        },
    }.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        for block, lines in blocks.items():
            text = replace(text, block, lines)
        yield path, text
    yield ROOT / "tap_analytics/plugin.yml", plugin.definition()


def main() -> int:
    """Write the files, or with --check show what would change and return 1 if anything would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args().check
    stale = False
    for path, text in pages():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        stale = stale or text != old
        if check:
            lines = (old.splitlines(), text.splitlines())
            sys.stdout.writelines(
                f"{line}\n" for line in difflib.unified_diff(*lines, path.name, "code", "", "", 1)
            )
        else:
            path.write_text(text, encoding="utf-8")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
