"""A Singer target for tests: rows go to a file of its own at each state, which it then confirms.

    python target.py FOLDER [--fail-once FILE] [--unconfirmed] [--slow SECONDS]
        [--chatty] [--hang]

It notes when it began and ended, so that tests see who wrote when.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

_CHATTER = b"""{"level": "info", "event": "flushed"}
{"bookmarks": 3}
EXIT now
EXIT [7, 7]
\xff\xfe
null
no end of line"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fail-once", type=Path, help="fail unless this file is there; make it")
    parser.add_argument("--unconfirmed", action="store_true", help="take rows, print no state")
    parser.add_argument("--slow", type=float, default=0.0, help="seconds to take for each row")
    parser.add_argument("--chatty", action="store_true", help="print more than states")
    parser.add_argument("--hang", action="store_true", help="take all, and never end")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.fail_once and not options.fail_once.exists():
        options.fail_once.touch()
        sys.stderr.write("the database is in no mood\n")
        return 1
    rows: list[str] = []
    began = time.time()
    with (options.folder / f"{os.getpid()}.jsonl").open("w", encoding="utf-8") as file:
        for line in sys.stdin:
            message = json.loads(line)
            if message["type"] == "RECORD":
                rows.append(json.dumps({"stream": message["stream"], **message["record"]}))
                time.sleep(options.slow)
                if options.slow:
                    (options.folder / "rows come").touch()
            elif message["type"] == "STATE" and not options.unconfirmed:
                file.writelines(f"{row}\n" for row in rows)
                file.flush()
                rows.clear()
                print(json.dumps(message["value"]), flush=True)  # noqa: T201
                if options.chatty:
                    sys.stdout.buffer.write(_CHATTER)
                    sys.stdout.flush()
        file.writelines(f"{row}\n" for row in rows)
        file.write(json.dumps({"stream": None, "began": began, "ended": time.time()}) + "\n")
    if options.hang:
        time.sleep(600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
